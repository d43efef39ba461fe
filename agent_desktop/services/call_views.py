"""A call, its levels, its quality and what becomes of it, as the window sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent_desktop.domain.models import CaseDetail, CaseMatch, Contact, Direction
from agent_desktop.domain.number_places import NumberPlace


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
    recording_mode: str = "automatic"
    """``automatic``, ``voice`` or ``manual``, as the policy says."""
    pause_reasons: tuple[str, ...] = ()
    """For what the recording may be paused, the usual reason first; empty when it may not be."""
    paused: str = ""
    """The reason of the pause; empty when there is none."""
    pause_ends: float = 0.0
    """When the pause ends by itself, by ``time.monotonic()``."""
    sealed_ms: int = 0
    invited_ns: int = 0
    """Inbound: CLOCK_MONOTONIC when the INVITE arrived."""
    conference: bool = False
    """Joined with the other call that is up."""
    encrypted: bool = False
    """Its media is SRTP."""
    auto_answered: bool = False
    line_id: str = ""
    extension: str = ""
    """Outbound: what stood behind the number, to be sent as DTMF once it has answered."""
    place: NumberPlace | None = None
    """Home location and carrier of the number; None until the tables are loaded, a second after sign-in."""
    transferred_by: str = ""
    """Inbound: who sent the caller here; empty when nobody did."""

    @property
    def is_recorded(self) -> bool:
        """What is said is on its way into the record, or would be when somebody spoke."""
        return self.recording_state == "recording" or (
            self.recording_state == "waiting" and self.recording_mode == "voice"
        )


@dataclass(frozen=True, slots=True)
class LevelsView:
    """Levels of a call, dBFS, ten times a second."""

    call_id: str
    agent_dbfs: float
    far_dbfs: float


@dataclass(frozen=True, slots=True)
class TransferView:
    """How a transfer goes. ``state`` as ``telephony.messages.TransferState``."""

    call_id: str
    target: str
    """Number that the far end is sent to."""
    state: str
    sip_code: int = 0


@dataclass(frozen=True, slots=True)
class QualityView:
    """The line's quality over the last seconds of a call; a figure that is not known is −1."""

    call_id: str
    codec: str
    rx_loss_pct: float
    """Lost on arrival, of what the far side sent."""
    rx_jitter_ms: float
    tx_loss_pct: float
    rtt_ms: float
    mos: float
    """Mean opinion score, 1 to 4.5."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """Something is wrong with a call's sound (``on``), or no longer. ``kind`` as ``telephony.messages.CallAlarm``."""

    call_id: str
    kind: str
    on: bool
