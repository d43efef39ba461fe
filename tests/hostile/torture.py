"""The torture messages of RFC 4475 by their names, from ``rfc4475.txt`` in the RFC's own notation (section 2.1)."""

from __future__ import annotations

import re
from pathlib import Path

_TEXT = Path(__file__).with_name("rfc4475.txt")
_ONE_LINE = re.compile(rb"<allOneLine>\n(.*?)\n</allOneLine>", re.DOTALL)
_REPEAT = re.compile(rb"<repeat count=(\d+)>(.*?)</repeat>")
_HEX = re.compile(rb"<hex>([0-9A-F]*)</hex>")


def messages() -> dict[str, bytes]:
    """Every message as it goes over the wire."""
    found = {}
    for part in _TEXT.read_bytes().split(b"=== ")[1:]:
        title, _, text = part.partition(b"\n")
        found[title.split()[1].decode("ascii")] = _expand(text)
    return found


def _expand(text: bytes) -> bytes:
    text = _REPEAT.sub(lambda m: m[2] * int(m[1]), text)
    text = _ONE_LINE.sub(lambda m: m[1].replace(b"\n", b""), text)
    return _HEX.sub(lambda m: bytes.fromhex(m[1].decode("ascii")), text.replace(b"\n", b"\r\n"))
