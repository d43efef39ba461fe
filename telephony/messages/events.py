"""Events about lines, sound and the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from telephony.messages.base import Event
from telephony.messages.call_events import CallEnded, CallState, RecordingState


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
    registrar: str = ""
    """``primary`` or ``backup``; empty for a direct line and while neither has answered."""
    problem: str = ""
    """Why it is not registered: empty, ``wrong_password``, ``forbidden``, ``unknown_user``, ``locked``, ``refused``,
    ``server_error``, ``unreachable``, ``certificate_untrusted``, ``certificate_expired``, ``certificate_wrong_name``,
    ``tls_failed``, ``no_network``.
    """


@dataclass(frozen=True, slots=True)
class AnsweringState(Event):
    """Do-not-disturb and auto-answer as they are set."""

    type: ClassVar[str] = "answering_state"
    do_not_disturb: bool = False
    auto_answer: bool = False
    auto_answer_ms: int = 0


@dataclass(frozen=True, slots=True)
class AudioState(Event):
    """The headset. ``problem``: empty, ``no_such_device``, ``device_lost``, ``device_busy``, ``no_sound_card``."""

    type: ClassVar[str] = "audio_state"
    kind: str
    description: str
    problem: str = ""
    microphone: str = ""
    """Device in use."""
    speaker: str = ""
    ringer: str = ""
    fallback: bool = False
    """The default devices stand in for chosen ones that have gone; these are taken again when they are back."""


@dataclass(frozen=True, slots=True)
class RecorderHealth(Event):
    """Whether the seat can record, call or no call; looked at every 2 s, sent when it has changed.

    ``problem``: empty, ``disk_low`` (under 500 MB), ``disk_full``, ``spool_unwritable``.
    """

    type: ClassVar[str] = "recorder_health"
    free_bytes: int = -1
    """Left on the spool's disk, rounded down to whole megabytes; −1 while it is not known, or nothing is recorded."""
    spool_ready: int = 0
    """Recordings that are ready and not yet at the store."""
    oldest_ready_at: str = ""
    """Since when the oldest of them waits, ISO 8601 in UTC; empty when there is none."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot(Event):
    """Everything a client that comes back needs: the latest state of each line, call and recording, and the audio."""

    type: ClassVar[str] = "snapshot"
    lines: tuple[LineState, ...]
    calls: tuple[CallState, ...]
    recordings: tuple[RecordingState, ...]
    audio: AudioState
    ended: tuple[CallEnded, ...] = ()
    """Records of calls that no client has acknowledged yet, oldest first."""
    answering: AnsweringState = field(default_factory=AnsweringState)
    recorder: RecorderHealth = field(default_factory=RecorderHealth)


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The process is about to end."""

    type: ClassVar[str] = "stopped"
    reason: str
