"""A collection server with invented data, in a process of its own, for as long as the demo runs."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

log = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
PASSWORD = "demo-2026-desk"  # noqa: S105 - of the invented accounts, printed by `collection-server init --demo`
COLLECTOR, LEAD, QA, DATA_OFFICER = "liting", "xujing", "chenyu", "shujv"


class EmbeddedServerError(Exception):
    """The embedded server did not start; the text is its last line."""


class EmbeddedServer:
    """``url`` is there once started. Any thread."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._log_path = data_dir.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Make the data when it is not there, serve it on a free port of 127.0.0.1. Raises ``EmbeddedServerError``."""
        self._data_dir.parent.mkdir(parents=True, exist_ok=True)
        if not self._data_dir.exists():
            self._run_to_end("init", "--demo", "--data", str(self._data_dir))
        command = [*_cli("serve"), "--data", str(self._data_dir), "--host", "127.0.0.1", "--port", "0"]
        command += ["--ready-json", "--with-parent"]
        with self._log_path.open("ab") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.url = self._await_ready(self._process)

    def stop(self) -> None:
        """End it; may be called twice."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        self._process = None

    def _run_to_end(self, *arguments: str) -> None:
        done = subprocess.run([*_cli(*arguments)], capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False)
        if done.returncode:
            raise EmbeddedServerError(_last_line(done.stderr) or f"status {done.returncode}")

    def _await_ready(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        guard = threading.Timer(START_TIMEOUT_S, process.kill)
        guard.start()
        try:
            for line in process.stdout:
                if line.startswith(b"{"):
                    return str(json.loads(line)["url"])
        finally:
            guard.cancel()
        self.stop()
        raise EmbeddedServerError(_last_line(self._log_path.read_text("utf-8", "replace")))


def _cli(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "collection_server.cli", *arguments]


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
