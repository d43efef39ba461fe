"""Commands about calls. Two calls may be up at a time; at most one of them has the headset unless they are joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from telephony.messages.base import Command


@dataclass(frozen=True, slots=True)
class Dial(Command):
    """Start an outbound call. A call that is active is put on hold first (a consultation call).

    The reply comes when the call's record is durable.
    """

    type: ClassVar[str] = "dial"
    call_id: str
    line_id: str
    number: str
    """Who is called, as it stands in the call's record."""
    digits: str = ""
    """What the peer is sent, as its dial plan wants it; empty for ``number`` as it is."""


@dataclass(frozen=True, slots=True)
class Redial(Command):
    """Dial the number of the last outbound call again; ``bad_number`` when there was none."""

    type: ClassVar[str] = "redial"
    call_id: str
    line_id: str


@dataclass(frozen=True, slots=True)
class Answer(Command):
    """Answer a call that rings here; the one that is active is put on hold.

    The reply comes when the call's record is durable.
    """

    type: ClassVar[str] = "answer"
    call_id: str


@dataclass(frozen=True, slots=True)
class Reject(Command):
    """Refuse an incoming call. ``reason``: ``busy`` (486), ``decline`` (603) or ``not_found`` (404)."""

    type: ClassVar[str] = "reject"
    call_id: str
    reason: str = "busy"


@dataclass(frozen=True, slots=True)
class HangUp(Command):
    """End a call; of two joined calls the other goes on."""

    type: ClassVar[str] = "hang_up"
    call_id: str


@dataclass(frozen=True, slots=True)
class SetMute(Command):
    type: ClassVar[str] = "set_mute"
    call_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class SetHold(Command):
    type: ClassVar[str] = "set_hold"
    call_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class SwitchTo(Command):
    """Hold the call that is active and resume this one."""

    type: ClassVar[str] = "switch_to"
    call_id: str


@dataclass(frozen=True, slots=True)
class SetConference(Command):
    """Join the two calls that are up, or part them again: then the one that was active last stays so."""

    type: ClassVar[str] = "set_conference"
    on: bool


@dataclass(frozen=True, slots=True)
class LeaveConference(Command):
    """Connect the two far ends with each other (REFER with Replaces) and leave them alone."""

    type: ClassVar[str] = "leave_conference"


@dataclass(frozen=True, slots=True)
class Transfer(Command):
    """Blind transfer (RFC 3515): send the far end to ``number``; progress comes as ``transfer_state``."""

    type: ClassVar[str] = "transfer"
    call_id: str
    number: str
    digits: str = ""
    """As in ``Dial``."""


@dataclass(frozen=True, slots=True)
class TransferToCall(Command):
    """Attended transfer (RFC 3891): connect this call's far end with the other call's; progress as above."""

    type: ClassVar[str] = "transfer_to_call"
    call_id: str
    other_call_id: str


@dataclass(frozen=True, slots=True)
class SendDtmf(Command):
    """Send digits ``0-9 * # A-D`` by RFC 4733, or by SIP INFO where the line is set so."""

    type: ClassVar[str] = "send_dtmf"
    call_id: str
    digits: str


@dataclass(frozen=True, slots=True)
class Monitor(Command):
    """Lead's side: call an agent's engine with a grant; that call is hidden there and is not recorded here."""

    type: ClassVar[str] = "monitor"
    call_id: str
    line_id: str
    uri: str
    """SIP URI of the agent's line, as the grant's answer gave it."""
    grant: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PauseRecording(Command):
    """Record silence for a while, marked with the reason; goes on by itself at the end of the time.

    ``no_recording``: the call is not recorded here; ``unknown_reason``: the policy does not name it; ``not_allowed``.
    """

    type: ClassVar[str] = "pause_recording"
    call_id: str
    reason: str
    limit_s: int = 0
    """At most so long, in seconds; 0, and anything longer, for the policy's limit."""


@dataclass(frozen=True, slots=True)
class ResumeRecording(Command):
    """End the pause now."""

    type: ClassVar[str] = "resume_recording"
    call_id: str


@dataclass(frozen=True, slots=True)
class StartRecording(Command):
    """On demand: record from now on, and from as long before as the policy says."""

    type: ClassVar[str] = "start_recording"
    call_id: str


@dataclass(frozen=True, slots=True)
class StopRecording(Command):
    """On demand: record no more; ``not_allowed`` where the policy records by itself."""

    type: ClassVar[str] = "stop_recording"
    call_id: str
