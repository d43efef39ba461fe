"""Frozen dataclasses from JSON objects that nobody has checked yet. Any thread."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache
from typing import Any, ClassVar


class MessageError(ValueError):
    """A message that cannot be understood; the text says why, without quoting values."""


def build(cls: type, body: dict[str, Any]) -> object:
    """An instance of the dataclass, every field of the right type and none unknown. Raises ``MessageError``."""
    hints = _hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    unknown = set(body) - set(fields)
    if unknown:
        raise MessageError(f"{cls.__name__}: unknown field {sorted(unknown)[0]!r}"[:120])
    values: dict[str, Any] = {}
    for name, f in fields.items():
        if name in body:
            values[name] = _convert(hints[name], body[name], f"{cls.__name__}.{name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise MessageError(f"{cls.__name__}: missing field {name!r}")
    return cls(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise MessageError(f"{where}: not an object")
        return build(hint, {k: v for k, v in value.items() if k != "type"})
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
def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {k: v for k, v in hints.items() if typing.get_origin(v) is not ClassVar}
