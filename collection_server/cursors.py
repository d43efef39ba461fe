"""Opaque cursors: where a page ended."""

from __future__ import annotations

import base64
import binascii
import json

from collection_server.problems import bad_request

Part = str | int


def encode_cursor(*parts: Part) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Part]:
    """The parts of a cursor. Raises 400."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise bad_request("query.cursor: not a cursor of this server") from error
    fits = isinstance(parts, list) and len(parts) == length and all(type(p) in (str, int) for p in parts)
    if not fits or any(isinstance(p, str) and "\x00" in p for p in parts):
        raise bad_request("query.cursor: not a cursor of this server")
    return list(parts)
