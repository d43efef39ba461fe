"""Settings from TOML tables: keys known, values of their type and among their choices, else one clear sentence."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Mapping
from typing import Any

Choices = Mapping[str, tuple[str, ...]]
"""Allowed values by the key's full name (``line.transport``)."""
_WORDS = {str: "a text in quotes", int: "a whole number", bool: "true or false"}
_LISTS = {str: "a list of texts", int: "a list of whole numbers"}


class WrongSetting(ValueError):
    """The text is one sentence for the person who wrote the file. It quotes keys, never values that may be secret."""


def build(cls: type, table: dict[str, Any], prefix: str, choices: Choices, shown: str | None = None) -> Any:
    """An instance of the dataclass ``cls``. ``prefix`` (``line.``) is where the table stands; ``shown`` how errors call
    it when that differs (``line 2, ``). A field's metadata may name another ``key``, and a function to ``read`` it by.
    Raises ``WrongSetting``."""
    shown = prefix if shown is None else shown
    hints = typing.get_type_hints(cls)
    fields = {str(f.metadata.get("key", f.name)): f for f in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            raise WrongSetting(f"unknown key “{shown}{key}”{_suggestion(key, list(fields), shown)}")
        field = fields[key]
        read = field.metadata.get("read")
        checked = read(value) if read else _checked(hints[field.name], value, prefix + key, choices, shown + key)
        values[field.name] = checked
    return cls(**values)


def near(word: object, known: typing.Iterable[str]) -> str:
    """What of ``known`` was probably meant; empty when nothing is like it."""
    found = difflib.get_close_matches(str(word), list(known), n=1)
    return found[0] if found else ""


def _suggestion(key: str, names: list[str], shown: str) -> str:
    meant = near(key, names)
    return f"; did you mean “{shown}{meant}”?" if meant else f"; known keys are {', '.join(names)}."


def _checked(hint: Any, value: Any, where: str, choices: Choices, shown: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise WrongSetting(f"“{shown}” must be a table, written [{where}].")
        assert isinstance(hint, type)
        return build(hint, value, f"{where}.", choices, f"{shown}.")
    if typing.get_origin(hint) is tuple:
        (item, _) = typing.get_args(hint)
        if not (isinstance(value, list) and all(type(v) is item for v in value)):
            raise WrongSetting(f"“{shown}” must be {_LISTS[item]}.")
        for one in value:
            _choose(one, where, choices, shown)
        return tuple(value)
    if type(value) is not hint:
        raise WrongSetting(f"“{shown}” must be {_WORDS[hint]}.")
    _choose(value, where, choices, shown)
    return value


def _choose(value: Any, where: str, choices: Choices, shown: str) -> None:
    allowed = choices.get(where)
    if allowed is None or value in allowed:
        return
    meant = near(str(value).lower(), allowed)
    hint = f"; did you mean “{meant}”?" if meant else "."
    raise WrongSetting(f"“{shown}” must be one of {', '.join(allowed)}{hint}")
