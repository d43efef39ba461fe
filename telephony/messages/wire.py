"""Messages as JSON and back."""

from __future__ import annotations

import dataclasses
import json
import types

import orjson

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
    try:
        return b'{"type":"%s",%s' % (message.type.encode(), orjson.dumps(message)[1:])
    except TypeError:
        body = {"type": message.type, **dataclasses.asdict(message)}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def decode(data: bytes | str) -> Message:
    """The message in ``data``. Raises ``MessageError`` for anything but exactly one known message. Any thread."""
    try:
        body = orjson.loads(data)
    except ValueError as error:
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


_HOMES = (call_commands, call_events, commands, events, replies)
"""Imported so that every message is known before the first is read."""
_TYPES: types.MappingProxyType[str, type[Message]] = types.MappingProxyType(_leaves(Message))
