"""Frozen dataclasses from JSON objects that nobody has checked yet. Any thread."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache
from typing import Any


class MessageError(ValueError):
    """A message that cannot be understood; the text says why, without quoting values."""


def build(cls: type, body: Any) -> object:
    """An instance of the dataclass, every field of the right type and none unknown. Raises ``MessageError``."""
    if not isinstance(body, dict):
        raise MessageError(f"{cls.__name__}: not an object")
    hints, required = _fields(cls)
    values: dict[str, Any] = {}
    for name, value in body.items():
        hint = hints.get(name)
        if hint is None:
            raise MessageError(f"{cls.__name__}: unknown field {name!r}"[:120])
        values[name] = value if type(value) is hint else _convert(hint, value, f"{cls.__name__}.{name}")
    for name in required:
        if name not in values:
            raise MessageError(f"{cls.__name__}: missing field {name!r}")
    return cls(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if k != "type"}
        return build(hint, value)
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise MessageError(f"{where}: not a list")
        return tuple(_convert(typing.get_args(hint)[0], item, where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise MessageError(f"{where}: not an object")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise MessageError(f"{where}: wrong type")


@cache
def _fields(cls: type) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The type of each field, and the names of those that have no default."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    missing = dataclasses.MISSING
    required = tuple(f.name for f in fields if f.default is missing and f.default_factory is missing)
    return {f.name: hints[f.name] for f in fields}, required
