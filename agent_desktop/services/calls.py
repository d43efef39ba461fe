"""Calls as the window sees them: the line process's events joined with cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent_desktop.domain.models import CaseDetail, CaseMatch, Contact, Direction
from agent_desktop.services.listeners import Listeners


@dataclass(frozen=True, slots=True)
class CallView:
    """A call now. ``state`` as ``telephony.messages.CallState``; ``cause`` is set once ended."""

    id: str
    direction: Direction
    number: str
    """E.164, or as received."""
    state: str
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    muted: bool = False
    held: bool = False
    far_held: bool = False
    codec: str = ""
    cause: str = ""
    sip_code: int = 0
    case_id: str = ""
    contact: Contact | None = None
    matches: tuple[CaseMatch, ...] = ()
    """Inbound: the cases that the number belongs to."""
    detail: CaseDetail | None = None
    """Inbound, in the first event: the matching case ready to paint, when there is exactly one."""
    recording_id: str = ""
    recording_state: str = ""
    """Empty, or as ``telephony.messages.RecordingState``."""
    recording_problem: str = ""
    sealed_ms: int = 0
    invited_ns: int = 0
    """Inbound: CLOCK_MONOTONIC when the INVITE arrived."""


@dataclass(frozen=True, slots=True)
class LevelsView:
    """Levels of a call, dBFS, ten times a second."""

    call_id: str
    agent_dbfs: float
    far_dbfs: float


class CallService:
    """Dial, answer and control the seat's call. One call at a time.

    Listeners are called on the line client's thread. Commands wait for the line process's reply, two seconds at most,
    and raise ``DeskError`` with ``LINE_AWAY``, ``LINE_NOT_READY``, ``LINE_BUSY``, ``BAD_NUMBER``, ``CALL_GONE`` or
    ``DO_NOT_CALL``.
    """

    changed: Listeners[CallView]
    """Any change of a call, the new view; ended calls too, once."""
    levels: Listeners[LevelsView]

    @property
    def current(self) -> CallView | None:
        """The call that is up or ringing, else None."""
        raise NotImplementedError

    def dial(self, contact: Contact) -> str:
        """Click-to-dial; returns the call id."""
        raise NotImplementedError

    def dial_number(self, number: str, case_id: str = "") -> str:
        """Dial a typed number, in any form that can be understood."""
        raise NotImplementedError

    def answer(self, call_id: str) -> None:
        raise NotImplementedError

    def reject(self, call_id: str) -> None:
        raise NotImplementedError

    def hang_up(self, call_id: str) -> None:
        raise NotImplementedError

    def set_mute(self, call_id: str, on: bool) -> None:
        raise NotImplementedError

    def set_hold(self, call_id: str, on: bool) -> None:
        raise NotImplementedError

    def send_dtmf(self, call_id: str, digits: str) -> None:
        raise NotImplementedError

    def attach(self, call_id: str, case_id: str, contact_id: str = "") -> None:
        """Tie an inbound call of an unknown or ambiguous number to a case."""
        raise NotImplementedError
