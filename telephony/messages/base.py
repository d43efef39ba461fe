"""What every message is: a frozen dataclass with a ``type``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

PROTOCOL_VERSION = 2


@dataclass(frozen=True, slots=True)
class Message:
    """Base of everything on the wire."""

    type: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Command(Message):
    """``id`` is the client's; the reply carries it back."""

    id: str


@dataclass(frozen=True, slots=True)
class Event(Message):
    """Something that happened. Wall-clock times are ISO 8601 UTC; ``*_ns`` is CLOCK_MONOTONIC of this machine."""
