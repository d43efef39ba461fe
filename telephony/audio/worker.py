"""A process for one sound device: ``python -m telephony.audio.worker``.

PortAudio 19.6 with ALSA aborts the process on a failed assertion when a device goes while it is being opened (one of
ten tries with a PulseAudio card), and may never return from closing a stream that has died. So it runs outside the line
process, which can end this one at any time and lose nothing but 20 ms of sound.

Standard input: one line of JSON (``direction``, ``name``), then messages; standard output: one line of JSON
(``device``, ``rate``, ``channels``, or ``error``, ``detail``), then messages. A message is a tag and a length
(``HEADER``), then PCM at 16 kHz mono, s16le: ``PCM`` to a speaker or from a microphone, ``RUN`` and ``REST`` to the
device, ``ALIVE`` from it twice a second while it runs. It ends when its standard input does, and when the device has
gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import sys
import threading
import time
from typing import IO, Any

from telephony.audio.portaudio import find, open_stream
from telephony.audio.resample import Resampler
from telephony.audio.ring import ClockRing
from telephony.interfaces import HeadsetError

RATE = 16000
FRAME_SAMPLES = RATE // 50
HEADER = struct.Struct("<cH")
PCM, RUN, REST, ALIVE = b"P", b"R", b"S", b"A"
_WAKES_IN_S = 3.0
"""Longest that a card may take from its start until it runs evenly: a Bluetooth headset changes its profile."""
_STALLS_S = 1.0
_ALIVE_EVERY_S = 0.5


class Stream:
    """The device's stream, open but resting until it is told to run."""

    def __init__(self, direction: str, name: str, out: int) -> None:
        self.ring = ClockRing(RATE)
        self.ended = threading.Event()
        """The stream has stopped by itself, or there is something else to look at."""
        self._running = False
        self._out = out
        self._began = self._beat = 0.0
        self.device = find(direction, name)
        called = self._microphone if direction == "input" else self._speaker
        self._stream, self.shape = open_stream(direction, self.device, RATE, called, self._finished)
        rates = (self.shape.rate, RATE) if direction == "input" else (RATE, self.shape.rate)
        self._resampler = Resampler(*rates)

    @property
    def running(self) -> bool:
        return self._running

    @property
    def lost(self) -> bool:
        """Whether PortAudio ended the stream, or has not called for longer than any card needs."""
        if not self._running:
            return False
        now = time.monotonic()
        patience = _STALLS_S if now - self._began > _WAKES_IN_S else _WAKES_IN_S
        return not self._stream.active or now - self._beat > patience

    def run(self, on: bool) -> None:
        """Start or stop. Raises PortAudio's error when the device does not start."""
        if on == self._running:
            return
        self._running = on
        if not on:
            self._stream.abort(ignore_errors=True)
            return
        self.ring = ClockRing(RATE)  # what was left from the last call is old
        self._began = self._beat = time.monotonic()
        self._stream.start()

    def _finished(self) -> None:
        if self._running:
            self.ended.set()

    def _microphone(self, data: Any, frames: int, timing: Any, status: Any) -> None:
        self._beat = time.monotonic()
        pcm = bytes(data)
        if self.shape.channels == 2:
            pcm = memoryview(pcm).cast("h")[::2].tobytes()
        send(self._out, PCM, self._resampler.convert(pcm))

    def _speaker(self, data: Any, frames: int, timing: Any, status: Any) -> None:
        self._beat = time.monotonic()
        pcm = self.ring.read(FRAME_SAMPLES) or bytes(2 * FRAME_SAMPLES)
        pcm = self._resampler.convert(pcm)
        if self.shape.channels == 2:
            stereo = bytearray(2 * len(pcm))
            for byte in (0, 1):
                stereo[byte::4] = stereo[byte + 2 :: 4] = pcm[byte::2]
            pcm = bytes(stereo)
        data[:] = pcm[: len(data)].ljust(len(data), b"\0")


def send(out: int, tag: bytes, pcm: bytes = b"") -> None:
    """One message in one write: short enough that a pipe never mixes it with another thread's. Any thread."""
    with contextlib.suppress(OSError):  # the line process has gone; standard input says so too
        os.write(out, HEADER.pack(tag, len(pcm)) + pcm)


def receive(source: IO[bytes]) -> tuple[bytes, bytes] | None:
    """The next message's tag and PCM; None at the end."""
    head = source.read(HEADER.size)
    if len(head) < HEADER.size:
        return None
    tag, length = HEADER.unpack(head)
    body = source.read(length)
    return (tag, body) if len(body) == length else None


def main() -> None:
    """Ends with ``os._exit``: an orderly end would close the stream, which may hang."""
    out = os.dup(1)
    os.dup2(2, 1)  # libraries that print must not write into the messages
    wanted = json.loads(sys.stdin.buffer.readline())
    try:
        stream = Stream(wanted["direction"], wanted["name"], out)
    except HeadsetError as error:
        _say(out, error=error.code, detail=error.detail)
        os._exit(1)
    _say(out, device=stream.device.name, rate=stream.shape.rate, channels=stream.shape.channels)
    threading.Thread(target=_obey, args=(stream,), name="orders", daemon=True).start()
    while not stream.lost:
        if stream.running:
            send(out, ALIVE)
        stream.ended.wait(_ALIVE_EVERY_S)
        if stream.ended.is_set() and stream.running:
            break
    os._exit(2)


def _obey(stream: Stream) -> None:
    try:
        while (message := receive(sys.stdin.buffer)) is not None:
            tag, pcm = message
            if tag == PCM:
                stream.ring.write(pcm)
            else:
                stream.run(tag == RUN)
    finally:
        os._exit(0)


def _say(out: int, **what: object) -> None:
    os.write(out, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
