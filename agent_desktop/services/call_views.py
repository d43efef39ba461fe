"""A call and its levels, as the window sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent_desktop.domain.models import CaseDetail, CaseMatch, Contact, Direction


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
