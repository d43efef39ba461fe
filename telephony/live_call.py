"""What the engine knows of one call that is up, and the events that tell it. No pjsua2 here."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telephony.causes import Ending, cause_of
from telephony.interfaces import CallFacts
from telephony.messages import CallEnded, CallState

if TYPE_CHECKING:
    from telephony.call import SipCall
    from telephony.media import TapPorts


def utc_now() -> str:
    """Wall clock, ISO 8601 in UTC with milliseconds and ``Z``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True, eq=False)
class LiveCall:
    """One call between its first INVITE and its end. Engine thread only; who follows calls only reads it."""

    call_id: str
    line_id: str
    outbound: bool
    number: str
    sip: SipCall | None = None
    monitored: bool = False
    """The lead's own listening leg: its microphone stays off and it is not taped."""
    state: str = "dialing"
    """As in ``messages.CallState``."""
    muted: bool = False
    held: bool = False
    """The agent wants it on hold: nothing is heard or said from now on, whatever the far end has confirmed yet."""
    hold_confirmed: bool = False
    """The session that was negotiated last is on hold by us."""
    far_held: bool = False
    """The far side holds us."""
    far_offers_hold: bool = False
    """Direction of the far side's latest offer, which counts while our own hold hides the rest."""
    conference: bool = False
    """Joined with the other call that is up."""
    encrypted: bool = False
    """Its media is SRTP."""
    auto_answered: bool = False
    transferred: bool = False
    """The far end was sent on, and arrived."""
    codec: str = ""
    started_at: str = field(default_factory=utc_now)
    answered_at: str = ""
    answered_ns: int = 0
    rang_ns: int = 0
    """Monotonic, when an incoming call began to ring here; 0 for others."""
    headset_ns: int = 0
    """Monotonic, when it last got the headset; 0 when it never had."""
    recording_id: str = ""
    rang: bool = False
    ended_here: bool = False
    unacknowledged: bool = False
    """It ended here because the far end never acknowledged our 200: nobody refused it."""
    give_up_ns: int = 0
    """When to stop waiting for the far end to confirm our hang up; 0 when we have not hung up."""
    totals: dict[str, Any] = field(default_factory=dict)
    """RTP counts of a session that has ended before its record is written."""
    media: Any = None
    """The call's port on the bridge while it has media."""
    tap: TapPorts | None = None

    @property
    def direction(self) -> str:
        return "outbound" if self.outbound else "inbound"

    @property
    def talks(self) -> bool:
        """Answered, not on hold here and not being ended: it has the headset."""
        return self.state == "active" and not self.held and not self.ended_here

    @property
    def voice_out(self) -> bool:
        """The agent's voice goes to the far side."""
        listening = self.muted or self.held or self.far_held or self.monitored
        return self.media is not None and self.state == "active" and not listening

    @property
    def hears_others(self) -> bool:
        """In a conference: the other party's voice goes to the far side."""
        listening = self.media is not None and self.talks and not self.far_held and not self.monitored
        return self.conference and listening

    @property
    def voice_in(self) -> bool:
        """The far side's voice comes here."""
        return self.media is not None and not self.held

    def facts(self, rate: int) -> CallFacts:
        """For a tap that begins now."""
        return CallFacts(self.call_id, self.line_id, self.direction, utc_now(), rate, self.number)

    def event(self) -> CallState:
        """Where the call stands now."""
        return CallState(
            call_id=self.call_id,
            line_id=self.line_id,
            direction=self.direction,
            number=self.number,
            state=self.state,
            at=utc_now(),
            at_ns=time.monotonic_ns(),
            muted=self.muted,
            held=self.held,
            far_held=self.far_held,
            conference=self.conference,
            encrypted=self.encrypted,
            auto_answered=self.auto_answered,
            codec=self.codec,
            started_at=self.started_at,
            answered_at=self.answered_at,
            recording_id=self.recording_id,
            monitored=self.monitored,
        )

    def cause(self, sip_code: int) -> str:
        answered = bool(self.answered_at)
        ended_here = self.ended_here and not self.unacknowledged
        return cause_of(Ending(self.outbound, answered, self.rang, ended_here, sip_code, self.transferred))

    def ended(self, sip_code: int, reason: str, quality: dict[str, Any]) -> CallEnded:
        """The record of the call."""
        talk_ns = time.monotonic_ns() - self.answered_ns if self.answered_ns else 0
        return CallEnded(
            call_id=self.call_id,
            line_id=self.line_id,
            direction=self.direction,
            number=self.number,
            cause=self.cause(sip_code),
            sip_code=sip_code,
            reason=reason,
            started_at=self.started_at,
            answered_at=self.answered_at,
            ended_at=utc_now(),
            talk_ms=talk_ns // 1_000_000,
            recording_id=self.recording_id,
            monitored=self.monitored,
            quality={**quality, "encrypted": self.encrypted} if quality else {},
        )


def same_but_for_time(one: CallState, other: CallState) -> bool:
    """Whether two states tell a client the same."""
    return replace(one, at=other.at, at_ns=other.at_ns) == other
