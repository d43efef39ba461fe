"""The headset on a sound card, through PortAudio."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from telephony.audio.portaudio import PortAudio, Shape
from telephony.audio.resample import Resampler
from telephony.audio.ring import ClockRing
from telephony.interfaces import HeadsetError

RATE = 16000
FRAME_SAMPLES = RATE // 50
_LOST_AFTER_S = 3.0
_LOOK_EVERY_S = 0.5
_RETRY_EVERY_S = 2.0


class CardHeadset:
    """A microphone and a speaker by PortAudio device name; an empty name is the system's default device.

    16 kHz mono. The card is opened at 16 kHz where it can; otherwise at its own rate (and in stereo, if it
    has no mono) and converted in PortAudio's callback. Two ``ClockRing`` join the card's clock to the media
    clock.

    A device that vanishes does not end a call: ``problem`` becomes ``device_lost``, ``read`` gives None,
    ``write`` is dropped, and a watching thread opens both devices again as soon as they are back.
    """

    def __init__(self, microphone: str = "", speaker: str = "") -> None:
        self._microphone_name = microphone
        self._speaker_name = speaker
        self._library = PortAudio()
        self._microphone: _Microphone | None = None
        self._speaker: _Speaker | None = None
        self._problem = ""
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def rate(self) -> int:
        return RATE

    @property
    def problem(self) -> str:
        """Empty, or ``device_lost`` while a device is gone. Any thread."""
        return self._problem

    @property
    def shapes(self) -> tuple[Shape, Shape] | None:
        """How microphone and speaker were opened, for diagnosis; None when they are not."""
        microphone, speaker = self._microphone, self._speaker
        return (microphone.shape, speaker.shape) if microphone and speaker else None

    def start(self) -> None:
        """Open both devices. Raises ``HeadsetError``, and then nothing is open. Not the media clock's thread."""
        if self._watch is not None:
            return
        self._open()
        self._problem = ""
        self._stopping.clear()
        self._watch = threading.Thread(target=self._look_after, name="headset-watch", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Close both devices; may be called twice."""
        self._stopping.set()
        if self._watch is not None:
            self._watch.join()
            self._watch = None
        self._close()

    def read(self) -> bytes | None:
        microphone = self._microphone
        return microphone.ring.read(FRAME_SAMPLES) if microphone is not None else None

    def write(self, pcm: bytes) -> None:
        speaker = self._speaker
        if speaker is not None:
            speaker.ring.write(pcm)

    def describe(self) -> str:
        names = (self._microphone_name or "default", self._speaker_name or "default")
        return " / ".join(_without_owner(name) for name in dict.fromkeys(names))

    def _open(self) -> None:
        microphone = _Microphone(self._library, self._microphone_name)
        try:
            speaker = _Speaker(self._library, self._speaker_name)
        except HeadsetError:
            microphone.close()
            raise
        self._microphone, self._speaker = microphone, speaker

    def _close(self) -> None:
        microphone, self._microphone = self._microphone, None
        speaker, self._speaker = self._speaker, None
        for side in (microphone, speaker):
            if side is not None:
                side.close()

    def _look_after(self) -> None:
        while not self._stopping.wait(_RETRY_EVERY_S if self._problem else _LOOK_EVERY_S):
            if self._problem:
                self._reopen()
            elif self._lost():
                self._problem = "device_lost"
                self._close()

    def _lost(self) -> bool:
        sides = (self._microphone, self._speaker)
        return any(side is None or side.lost() for side in sides)

    def _reopen(self) -> None:
        self._library.rescan()
        try:
            self._open()
        except HeadsetError:
            return
        self._problem = ""


class _Side:
    """One stream, its ring, and when its callback last ran."""

    def __init__(self, library: PortAudio, direction: str, name: str) -> None:
        self.ring = ClockRing(RATE)
        self._library = library
        self._beat = time.monotonic()
        self._stream, self.shape = library.open(direction, name, RATE, self._called)
        try:
            self._prepare()
            self._stream.start()
        except Exception as error:
            self.close()
            raise HeadsetError("device_busy", f"the {direction} device does not start") from error

    def _prepare(self) -> None:
        raise NotImplementedError

    def _called(self, data: Any, frames: int, timing: Any, status: Any) -> None:
        raise NotImplementedError

    def lost(self) -> bool:
        """Whether PortAudio ended the stream, or has not called for longer than any card takes to wake up."""
        return not self._stream.active or time.monotonic() - self._beat > _LOST_AFTER_S

    def close(self) -> None:
        self._library.close(self._stream)


class _Microphone(_Side):
    def __init__(self, library: PortAudio, name: str) -> None:
        super().__init__(library, "input", name)

    def _prepare(self) -> None:
        self._resampler = Resampler(self.shape.rate, RATE)

    def _called(self, data: Any, frames: int, timing: Any, status: Any) -> None:
        self._beat = time.monotonic()
        pcm = bytes(data)
        if self.shape.channels == 2:
            pcm = memoryview(pcm).cast("h")[::2].tobytes()
        self.ring.write(self._resampler.convert(pcm))


class _Speaker(_Side):
    def __init__(self, library: PortAudio, name: str) -> None:
        super().__init__(library, "output", name)

    def _prepare(self) -> None:
        self._resampler = Resampler(RATE, self.shape.rate)

    def _called(self, data: Any, frames: int, timing: Any, status: Any) -> None:
        self._beat = time.monotonic()
        pcm = self.ring.read(FRAME_SAMPLES) or bytes(2 * FRAME_SAMPLES)
        pcm = self._resampler.convert(pcm)
        if self.shape.channels == 2:
            stereo = bytearray(2 * len(pcm))
            for byte in (0, 1):
                stereo[byte::4] = stereo[byte + 2 :: 4] = pcm[byte::2]
            pcm = bytes(stereo)
        data[:] = pcm[: len(data)].ljust(len(data), b"\0")


def list_devices() -> dict[str, list[str]]:
    """Names for ``microphones`` and ``speakers``, the default first; empty lists where there is no PortAudio.

    The list is read afresh unless a headset is open. Any thread; may take some hundred milliseconds.
    """
    library = PortAudio()
    try:
        library.rescan()
        return {
            "microphones": [device.name for device in library.devices("input")],
            "speakers": [device.name for device in library.devices("output")],
        }
    except HeadsetError:
        return {"microphones": [], "speakers": []}


def _without_owner(name: str) -> str:
    """Bluetooth headsets are often called after their owner: "Li's Buds", "李的耳机"."""
    return re.sub(r"^.*?(?:[’']s\s+|的)(?=\S)", "", name)
