"""One PortAudio stream each way, with the ring that joins the card's clock to the media clock.

16 kHz mono. The card is opened at 16 kHz where it can; otherwise at its own rate (and in stereo, if it has no mono) and
converted in PortAudio's callback.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from telephony.audio.portaudio import PortAudio
from telephony.audio.resample import Resampler
from telephony.audio.ring import ClockRing
from telephony.interfaces import HeadsetError

RATE = 16000
FRAME_SAMPLES = RATE // 50
_WAKES_IN_S = 3.0
"""Longest that a card may take from its start until it runs evenly: a Bluetooth headset changes its profile."""
_STALLS_S = 1.0


class Side:
    """One stream, open but resting until it is told to run. ``on_end`` is called when it ends by itself."""

    direction = ""

    def __init__(self, library: PortAudio, name: str, on_end: Callable[[], None]) -> None:
        self.ring = ClockRing(RATE)
        self._library = library
        self._on_end = on_end
        self._running = False
        self._began = 0.0
        self._beat = 0.0
        self._stream, self.shape, self.device = library.open(self.direction, name, RATE, self._called, self._finished)
        self._prepare()

    def _prepare(self) -> None:
        raise NotImplementedError

    def _called(self, data: Any, frames: int, timing: Any, status: Any) -> None:
        raise NotImplementedError

    def _finished(self) -> None:
        if self._running:
            self._on_end()

    def run(self, on: bool) -> None:
        """Start or stop. Raises ``HeadsetError('device_busy')`` when the device does not start."""
        if on == self._running:
            return
        if not on:
            self._running = False
            self._stream.abort(ignore_errors=True)
            return
        self.ring = ClockRing(RATE)  # what was left from the last call is old
        self._began = self._beat = time.monotonic()
        try:
            self._stream.start()
        except Exception as error:
            raise HeadsetError("device_busy", f"the {self.direction} device does not start") from error
        self._running = True

    @property
    def lost(self) -> bool:
        """Whether PortAudio ended the stream, or has not called for longer than any card needs."""
        if not self._running:
            return False
        now = time.monotonic()
        patience = _STALLS_S if now - self._began > _WAKES_IN_S else _WAKES_IN_S
        return not self._stream.active or now - self._beat > patience

    def close(self) -> None:
        """Close the stream, which may have died before."""
        self._running = False
        self._library.close(self._stream)


class MicrophoneSide(Side):
    direction = "input"

    def _prepare(self) -> None:
        self._resampler = Resampler(self.shape.rate, RATE)

    def _called(self, data: Any, frames: int, timing: Any, status: Any) -> None:
        self._beat = time.monotonic()
        pcm = bytes(data)
        if self.shape.channels == 2:
            pcm = memoryview(pcm).cast("h")[::2].tobytes()
        self.ring.write(self._resampler.convert(pcm))


class SpeakerSide(Side):
    direction = "output"

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
