"""``curl -T`` of many files, one after the other over one connection: what the line and the server can do."""

from __future__ import annotations

import subprocess
from pathlib import Path


def put_all(files: list[tuple[Path, str]], headers: list[dict[str, str]]) -> None:
    """Send each file to its address with its headers. Raises ``AssertionError`` when one was not taken."""
    blocks = []
    for (path, url), own in zip(files, headers, strict=True):
        lines = [f'upload-file = "{path}"', f'url = "{url}"', "fail", "silent", "show-error"]
        blocks.append("\n".join([*lines, *(f'header = "{name}: {value}"' for name, value in own.items())]))
    done = subprocess.run(
        ["curl", "--config", "-"], input="\nnext\n".join(blocks), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
