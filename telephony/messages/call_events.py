"""Events about calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from telephony.messages.base import Event


@dataclass(frozen=True, slots=True)
class CallIncoming(Event):
    """An INVITE came in and is ringing here."""

    type: ClassVar[str] = "call_incoming"
    call_id: str
    line_id: str
    number: str
    display_name: str
    dialled: str
    """User part of the request URI."""
    at: str
    invited_ns: int
    """When the INVITE was handed to the engine."""
    transferred_by: str = ""
    """Who sent the caller here (Referred-By); empty when nobody did."""


@dataclass(frozen=True, slots=True)
class CallState(Event):
    """Where a call stands.

    ``state``: ``dialing``, ``ringing`` (180 had or sent), ``early`` (media before answer), ``active``, ``ended``.
    """

    type: ClassVar[str] = "call_state"
    call_id: str
    line_id: str
    direction: str
    number: str
    state: str
    at: str
    at_ns: int
    muted: bool = False
    held: bool = False
    far_held: bool = False
    conference: bool = False
    """Joined with the other call that is up."""
    encrypted: bool = False
    """Its media is SRTP."""
    auto_answered: bool = False
    codec: str = ""
    started_at: str = ""
    answered_at: str = ""
    recording_id: str = ""
    monitored: bool = False
    """This call is the lead's own listening leg."""


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """The record of a call. Follows the ``ended`` state.

    ``cause``: ``hung_up``, ``far_hung_up``, ``cancelled``, ``missed``, ``rejected``, ``busy``, ``declined``,
    ``no_answer``, ``unreachable``, ``not_found``, ``failed``, ``transferred``, ``line_lost``.
    """

    type: ClassVar[str] = "call_ended"
    call_id: str
    line_id: str
    direction: str
    number: str
    cause: str
    sip_code: int
    reason: str
    started_at: str
    answered_at: str
    """Empty when never answered."""
    ended_at: str
    talk_ms: int
    recording_id: str = ""
    monitored: bool = False
    agent_id: str = ""
    """Who sat here when it began, as the client said in its hello."""
    quality: dict[str, Any] = field(default_factory=dict)
    """``codec, rx_packets, rx_lost, rx_discarded, rx_jitter_ms, tx_packets, tx_lost, tx_jitter_ms, rtt_ms, r_factor,
    mos, mos_min, encrypted`` as far as known.
    """


@dataclass(frozen=True, slots=True)
class TransferState(Event):
    """How a transfer of this call's far end goes.

    ``state``: ``trying`` (REFER taken), ``ringing``, ``done`` (the call ends with cause ``transferred``), ``failed``
    (the call goes on).
    """

    type: ClassVar[str] = "transfer_state"
    call_id: str
    target: str
    """Number that the far end is sent to; for an attended transfer the other call's."""
    state: str
    sip_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallQuality(Event):
    """The line's quality over the last seconds of an active call, every 2 s. A figure that is not known is −1."""

    type: ClassVar[str] = "call_quality"
    call_id: str
    codec: str
    rx_loss_pct: float
    """Lost or discarded on arrival, of what the far side sent."""
    rx_jitter_ms: float
    tx_loss_pct: float
    """Lost of what we sent, as the far side's RTCP says."""
    tx_jitter_ms: float
    rtt_ms: float
    r_factor: float
    """E-model transmission rating (ITU-T G.107), 0 to 100, of what is heard here."""
    mos: float
    """Mean opinion score from the rating, 1 to 4.5."""


@dataclass(frozen=True, slots=True)
class CallAlarm(Event):
    """Something is wrong with a call's sound (``on``), or no longer.

    ``kind``: ``no_rtp`` (nothing arrives: one-way audio), ``far_silent``, ``agent_silent``, ``far_clipping``,
    ``agent_clipping``.
    """

    type: ClassVar[str] = "call_alarm"
    call_id: str
    kind: str
    on: bool


@dataclass(frozen=True, slots=True)
class Levels(Event):
    """Ten times a second while a call is active. dBFS of the last 100 ms, −100 for digital silence."""

    type: ClassVar[str] = "levels"
    call_id: str
    """Empty while the devices are tried."""
    agent_dbfs: float
    far_dbfs: float


@dataclass(frozen=True, slots=True)
class DtmfReceived(Event):
    type: ClassVar[str] = "dtmf_received"
    call_id: str
    digit: str


@dataclass(frozen=True, slots=True)
class MonitorState(Event):
    """Agent's side: a lead's hidden leg began or ended. Shown to the collector only when policy says so."""

    type: ClassVar[str] = "monitor_state"
    call_id: str
    """The call listened to; empty when a lead waits for the next one."""
    grant_id: str
    lead_name: str
    mode: str
    on: bool


@dataclass(frozen=True, slots=True)
class RecordingState(Event):
    """``state``: ``recording``, ``waiting`` (nothing is taken just now: no voice, or nobody asked), ``sealed``
    (finalised, ready for upload), ``recovered``, ``failed``, ``nothing`` (it is over, and nothing was recorded).

    Sent about once a second while the call has media. ``problem``: empty, ``spool_unwritable``, ``disk_full``,
    ``disk_low``, ``agent_silent``, ``far_silent``.
    """

    type: ClassVar[str] = "recording_state"
    recording_id: str
    """Empty until something is recorded."""
    call_id: str
    state: str
    sealed_ms: int
    """Length of what is safely on disk."""
    lost_frames: int
    free_bytes: int
    problem: str = ""
    mode: str = "automatic"
    """What the policy says of this call: ``automatic``, ``voice`` or ``manual``."""
    paused: str = ""
    """Reason of the pause; empty when there is none."""
    pause_left_ms: int = 0
    """Until the pause ends by itself."""
    pause_reasons: tuple[str, ...] = ()
    """What this recording may be paused for, the usual reason first; empty when it may not be."""
