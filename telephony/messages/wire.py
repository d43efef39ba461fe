"""Messages as JSON and back."""

from __future__ import annotations

import dataclasses
import json
import types
from typing import Any

from telephony.messages import call_commands, call_events, commands, events, replies
from telephony.messages.base import Message
from telephony.messages.from_json import MessageError, build


def _leaves(base: type[Message]) -> dict[str, type[Message]]:
    found: dict[str, type[Message]] = {}
    for cls in base.__subclasses__():
        if "type" in cls.__dict__:
            found[cls.type] = cls
        found.update(_leaves(cls))
    return found


def message_types() -> dict[str, type[Message]]:
    """All messages of the protocol by their ``type``."""
    return dict(_TYPES)


def encode(message: Message) -> bytes:
    """JSON of a message, UTF-8, one line, no newline at its end. Any thread.

    Text that is none, as a far end may send, has question marks for what cannot be said in UTF-8.
    """
    body = {"type": message.type, **_plain(message)}
    return _JSON.encode(body).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """As JSON has it; a fifth of the work of ``dataclasses.asdict``, which copies every value."""
    if names := _FIELDS.get(type(value)):
        return {name: _plain(getattr(value, name)) for name in names}
    if dataclasses.is_dataclass(value):
        _FIELDS[type(value)] = tuple(field.name for field in dataclasses.fields(value))
        return _plain(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def decode(data: bytes | str) -> Message:
    """The message in ``data``. Raises ``MessageError`` for anything but exactly one known message. Any thread."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MessageError("not JSON") from error
    if not isinstance(body, dict):
        raise MessageError("not a JSON object")
    kind = body.pop("type", None)
    cls = _TYPES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise MessageError("unknown message type")
    message = build(cls, body)
    assert isinstance(message, Message)
    return message


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_FIELDS: dict[type, tuple[str, ...]] = {}
"""Names of a dataclass's fields, once they have been asked for."""
_HOMES = (call_commands, call_events, commands, events, replies)
"""Imported so that every message is known before the first is read."""
_TYPES: types.MappingProxyType[str, type[Message]] = types.MappingProxyType(_leaves(Message))
