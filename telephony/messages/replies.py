"""Replies: exactly one to each command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from telephony.messages.base import Message


@dataclass(frozen=True, slots=True)
class Ok(Message):
    type: ClassVar[str] = "ok"
    id: str
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Error(Message):
    """``code`` is stable and for programs; ``message`` is English, for logs, without personal data.

    Codes: ``bad_message``, ``bad_version``, ``no_such_line``, ``no_such_call``, ``line_busy``, ``line_not_ready``,
    ``bad_number``, ``wrong_state``, ``no_such_device``, ``device_busy``, ``sip_error``, ``record_failed``,
    ``no_recording``, ``unknown_reason``, ``not_allowed``, ``shutting_down``.
    """

    type: ClassVar[str] = "error"
    id: str
    code: str
    message: str
