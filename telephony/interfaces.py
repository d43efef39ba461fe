"""What the engine asks of the parts it is given: a headset, a tap for the media, an admission check.

The engine knows no sound card, no recorder and no key; the composition root hands them in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

FRAME_MS = 20
"""Length of every frame that crosses these interfaces, in milliseconds."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Headset(Protocol):
    """Where the agent's voice comes from and the far side's goes to.

    PCM is signed 16-bit little-endian mono at ``rate`` Hz, one frame of 20 ms (``rate // 50`` samples) at a time.
    ``read`` and ``write`` are called on the media clock's thread, every 20 ms: they must not block, wait or log.
    """

    @property
    def rate(self) -> int:
        """Samples a second: 16000 for every headset in this product."""

    @property
    def rings_apart(self) -> bool:
        """The ring goes to a device of its own, by ``ring``; otherwise it is mixed into what is written. Any thread."""

    def start(self) -> None:
        """Open the devices. Raises ``HeadsetError`` with a code when one is missing or busy. Engine thread."""

    def stop(self) -> None:
        """Close the devices; may be called twice. Engine thread."""

    def read(self) -> bytes | None:
        """The next frame of the microphone, or None when there is none yet (heard as silence)."""

    def write(self, pcm: bytes) -> None:
        """One frame for the speaker."""

    def ring(self, pcm: bytes) -> None:
        """The ring's next frames, for the device that rings; at its beginning three at once. As ``write``."""

    def use(self, *, listening: bool, ringing: bool) -> None:
        """What is needed from now on: microphone and speaker, and the device that rings. Devices that are not needed
        may rest. Must not wait for a device. Engine thread.
        """

    def describe(self) -> str:
        """A short name for logs and the audio settings, without personal data."""


class HeadsetError(Exception):
    """A sound device cannot be opened or has gone; ``code``: ``no_such_device``, ``device_busy``, ``device_lost``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call when its media starts. Times are wall clock, ISO 8601 in UTC."""

    call_id: str
    line_id: str
    direction: str
    """``outbound`` or ``inbound``."""
    started_at: str
    """When the media starts: at sample 0. The call itself may have begun to ring long before."""
    rate: int
    """Samples a second of the frames that follow: 16000 when the codec is wide-band or may yet be, else 8000."""
    number: str = ""
    """The far end's, as it stands in the call's record."""


class MediaTap(Protocol):
    """Receives both sides of one call, placed by the bridge's sample clock.

    ``frames`` is called on the media clock's thread, 50 times a second, and must return within microseconds.
    ``event`` and ``close`` are called on the engine thread. A tap that feeds a recording has the recording's id in an
    attribute ``recording_id``; the call's events carry it.

    The agent's side is what this far side was sent: the agent's voice, and in a conference the other party's with it.
    """

    def frames(self, start: int, agent: bytes | None, far: bytes | None) -> None:
        """Frame of 20 ms of each side, 16-bit little-endian mono PCM, whose first sample is number ``start``.

        ``start`` counts samples since the tap was made and never goes back; a jump is a gap. None is silence that was
        not received (for example no media yet), which is not the same as silence that was.
        """

    def event(self, kind: str, detail: Mapping[str, Json]) -> None:
        """Something worth a mark in the record: ``hold``, ``resume``, ``mute``, ``monitor_started`` and so on."""

    def close(self, cause: str) -> None:
        """The call's media is over; finish in the background. Idempotent."""


class TapFactory(Protocol):
    """Makes the tap of one call, or None when it is not to be tapped. Engine thread; must not block for long."""

    def __call__(self, call: CallFacts) -> MediaTap | None: ...


class RecordLog(Protocol):
    """Where the journal of calls is kept. One thread at a time; may wait for the disk. Methods raise ``OSError``."""

    def load(self) -> list[dict[str, Any]]:
        """The entries that are there, oldest first; what cannot be read is set aside and logged, not raised.

        Raises ``BlockingIOError`` when another process has the journal. May be tried again after an error.
        """

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Add entries: on the disk for good when this returns; after an error only ``rewrite`` may follow."""

    def rewrite(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Replace all entries by these, for good, or leave what was there."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A monitoring grant whose signature was found good."""

    grant_id: str
    lead_name: str
    mode: str
    """``listen``, ``whisper``, ``barge`` or ``take_over``."""


class GrantCheck(Protocol):
    """Checks a monitoring grant taken from an INVITE's ``X-Monitor-Grant`` header.

    Returns the grant, or raises ``GrantRefused``. Each grant is good once. Engine thread.
    """

    def __call__(self, token: str) -> Grant: ...


class GrantRefused(Exception):
    """The grant is forged, expired, used, or for another seat; ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
