"""Canonical JSON: the one byte form of an object that is hashed, signed or bound to a file."""

from __future__ import annotations

import json
from typing import Any


def canonical_json(value: object) -> bytes:
    """UTF-8, keys sorted, separators ``,`` and ``:``, no ASCII escapes. Any thread.

    Raises ``ValueError`` for floats, lone surrogates and keys that are not text: they have no one form.
    """
    _refuse_ambiguous(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def strict_object(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``. Raises ``ValueError`` for anything else, and for a key that is there twice."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_repeats)
    except RecursionError as error:
        raise ValueError("JSON is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is there twice")
    return value


def _refuse_ambiguous(value: object) -> None:
    if isinstance(value, float):
        raise ValueError("a float has no canonical form")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("a key is not text")
            _refuse_ambiguous(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_ambiguous(item)
