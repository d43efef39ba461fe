"""Canonical JSON: the bytes that are signed, hashed and compared."""

from __future__ import annotations

import hashlib
import json
from typing import Any


class NotCanonical(ValueError):
    """The value has no canonical form: a NaN, an infinity, or text that is not Unicode."""


def canonical_json(value: Any) -> bytes:
    """UTF-8, keys sorted, no spaces, no ASCII escapes. Raises ``NotCanonical``."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise NotCanonical("not representable as canonical JSON") from error


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
