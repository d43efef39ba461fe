"""The line protocol: every command, reply and event between a client and the line process.

Frozen dataclasses; JSON objects on the wire, told apart by ``type``. ``docs/guides/line-protocol.md`` shows each with
an example. Call ids are UUIDs: the client makes them for calls it dials, the engine for calls that come in.
"""

from __future__ import annotations

import dataclasses
import json
import types
from dataclasses import dataclass, field
from typing import Any, ClassVar

from telephony.from_json import MessageError as MessageError
from telephony.from_json import build

PROTOCOL_VERSION = 1


@dataclass(frozen=True, slots=True)
class Message:
    """Base of everything on the wire."""

    type: ClassVar[str]


# --- configuration carried by messages ---


@dataclass(frozen=True, slots=True)
class LineConfig:
    """One SIP line. Without a registrar the line is direct: it dials ``sip:NUMBER@peer`` and is called at its port."""

    line_id: str
    display_name: str
    user: str
    peer: str
    """``host:port`` that calls are sent to: the registrar, the proxy, or the practice line."""
    register: bool = False
    auth_user: str = ""
    password: str = field(default="", repr=False)
    transport: str = "udp"
    """``udp``, ``tcp`` or ``tls``."""
    allowed_peers: tuple[str, ...] = ()
    """Hosts that may call in besides ``peer``'s; empty means only ``peer``'s host."""


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """Which headset. ``kind``: ``auto`` (sound card if there is one, else null), ``device``, ``files`` or ``null``."""

    kind: str = "auto"
    microphone: str = ""
    """Device name for ``device``; path of a WAV file for ``files``, played in a loop while a call is up."""
    speaker: str = ""
    """Device name for ``device``; path of the WAV file to write for ``files``, or empty."""


# --- commands ---


@dataclass(frozen=True, slots=True)
class Command(Message):
    """``id`` is the client's; the reply carries it back."""

    id: str


@dataclass(frozen=True, slots=True)
class Hello(Command):
    """First command of a client. The reply's result holds ``version`` and ``pid``."""

    type: ClassVar[str] = "hello"
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class AddLine(Command):
    """Set up a line, or replace the one of the same id when it has no call."""

    type: ClassVar[str] = "add_line"
    line: LineConfig


@dataclass(frozen=True, slots=True)
class RemoveLine(Command):
    """Unregister and forget a line."""

    type: ClassVar[str] = "remove_line"
    line_id: str


@dataclass(frozen=True, slots=True)
class Dial(Command):
    """Start an outbound call to a dialled number (digits as the peer wants them)."""

    type: ClassVar[str] = "dial"
    call_id: str
    line_id: str
    number: str


@dataclass(frozen=True, slots=True)
class Answer(Command):
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
class SendDtmf(Command):
    """Send digits ``0-9 * # A-D`` by RFC 4733."""

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
class SetAudio(Command):
    """Change the headset; refused with ``no_such_device`` and the old one kept when it cannot be opened."""

    type: ClassVar[str] = "set_audio"
    audio: AudioConfig


@dataclass(frozen=True, slots=True)
class ListDevices(Command):
    """The reply's result holds ``microphones`` and ``speakers``, each a list of names."""

    type: ClassVar[str] = "list_devices"


@dataclass(frozen=True, slots=True)
class GetSnapshot(Command):
    """The reply's result is a ``Snapshot`` as JSON; also sent as an event to every client right after hello."""

    type: ClassVar[str] = "get_snapshot"


@dataclass(frozen=True, slots=True)
class Shutdown(Command):
    """Hang up, finish recordings, end the process."""

    type: ClassVar[str] = "shutdown"


# --- replies ---


@dataclass(frozen=True, slots=True)
class Ok(Message):
    type: ClassVar[str] = "ok"
    id: str
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Error(Message):
    """``code`` is stable and for programs; ``message`` is English, for logs, without personal data.

    Codes: ``bad_message``, ``bad_version``, ``no_such_line``, ``no_such_call``, ``line_busy``, ``line_not_ready``,
    ``bad_number``, ``wrong_state``, ``no_such_device``, ``device_busy``, ``sip_error``, ``shutting_down``.
    """

    type: ClassVar[str] = "error"
    id: str
    code: str
    message: str


# --- events ---


@dataclass(frozen=True, slots=True)
class Event(Message):
    """Something that happened. Wall-clock times are ISO 8601 UTC; ``*_ns`` is CLOCK_MONOTONIC of this machine."""


@dataclass(frozen=True, slots=True)
class LineState(Event):
    """``state``: ``ready`` (direct line), ``registering``, ``registered``, ``failed``, ``removed``."""

    type: ClassVar[str] = "line_state"
    line_id: str
    state: str
    sip_code: int = 0
    reason: str = ""
    uri: str = ""
    """Where this line can be reached, for monitoring; ``sip:user@host:port``."""


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
    ``no_answer``, ``unreachable``, ``not_found``, ``failed``, ``line_lost``.
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
    quality: dict[str, Any] = field(default_factory=dict)
    """``codec, rx_packets, rx_lost, rx_jitter_ms, tx_packets, tx_lost, rtt_ms`` as far as known."""


@dataclass(frozen=True, slots=True)
class Levels(Event):
    """Ten times a second while a call is active. dBFS of the last 100 ms, −100 for digital silence."""

    type: ClassVar[str] = "levels"
    call_id: str
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
    """``state``: ``recording``, ``sealed`` (finalised, ready for upload), ``recovered``, ``failed``.

    Sent about once a second while recording. ``problem``: empty, ``spool_unwritable``, ``disk_full``, ``disk_low``,
    ``agent_silent``, ``far_silent``.
    """

    type: ClassVar[str] = "recording_state"
    recording_id: str
    call_id: str
    state: str
    sealed_ms: int
    """Length of what is safely on disk."""
    lost_frames: int
    free_bytes: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AudioState(Event):
    """The headset. ``problem``: empty, ``no_such_device``, ``device_lost``, ``device_busy``, ``no_sound_card``."""

    type: ClassVar[str] = "audio_state"
    kind: str
    description: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot(Event):
    """Everything a client that comes back needs: the latest state of each line, call and recording, and the audio."""

    type: ClassVar[str] = "snapshot"
    lines: tuple[LineState, ...]
    calls: tuple[CallState, ...]
    recordings: tuple[RecordingState, ...]
    audio: AudioState


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The process is about to end."""

    type: ClassVar[str] = "stopped"
    reason: str


# --- the wire ---


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
    """JSON of a message, UTF-8, one line, no newline at its end. Any thread."""
    body = {"type": message.type, **dataclasses.asdict(message)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


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


_TYPES: types.MappingProxyType[str, type[Message]] = types.MappingProxyType(_leaves(Message))
