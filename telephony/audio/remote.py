"""A sound device in a process of its own, as the line process sees it. What is said there is in ``worker``."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import IO, Any

from telephony.audio.helper import start_helper
from telephony.audio.ring import ClockRing
from telephony.audio.worker import FRAME_SAMPLES, HEADER, PCM, RATE, REST, RUN, receive
from telephony.interfaces import HeadsetError

log = logging.getLogger(__name__)

_OPEN_S = 8.0
_SILENT_S = 2.0
"""A device that runs says so twice a second."""
_MOST_BYTES = 4000
"""One write to a pipe of at most this many bytes is all or nothing (POSIX: PIPE_BUF)."""


class RemoteDevice:
    """Open, but resting until ``run``. Raises ``HeadsetError`` when the device cannot be opened.

    ``direction``: ``input`` or ``output``; ``name``: the device, empty for the default. ``on_end`` is called on a
    thread of its own when the device has gone. ``read`` and ``write``, on the media clock's thread, never wait.
    """

    def __init__(self, direction: str, name: str, on_end: Callable[[], None]) -> None:
        self.ring = ClockRing(RATE)
        self._on_end = on_end
        self._running = False
        self._closed = False
        self._ended = False
        self._heard_at = 0.0
        self._process = start_helper("telephony.audio.worker")
        try:
            hello = self._greet(direction, name)
        except HeadsetError:
            self.close()
            raise
        self.name = str(hello["device"])
        self.shape = (int(hello["rate"]), int(hello["channels"]))
        """Samples a second and channels as the device was opened."""
        self._send = _sender(_pipe(self._process.stdin))
        threading.Thread(target=self._listen, name=f"sound-{direction}", daemon=True).start()

    @property
    def lost(self) -> bool:
        """Whether its process has ended or hangs. Any thread."""
        silent = self._running and time.monotonic() - self._heard_at > _SILENT_S
        return self._ended or silent

    def run(self, on: bool) -> None:
        """Start or stop; what stands in the way shows as ``lost``. Never waits. One thread at a time."""
        if on == self._running:
            return
        if on:
            self.ring = ClockRing(RATE)  # what was left from the last call is old
            self._heard_at = time.monotonic()
        self._running = on
        self._send(HEADER.pack(RUN if on else REST, 0))

    def read(self) -> bytes | None:
        return self.ring.read(FRAME_SAMPLES)

    def write(self, pcm: bytes) -> None:
        if self._running:
            self._send(HEADER.pack(PCM, len(pcm)) + pcm)

    def close(self) -> None:
        """End the process, which may hang: it is not asked. May be called twice.

        Its pipes close with the last reference, never under a write: their numbers may be given to a recording's file.
        """
        self._closed = True
        self._running = False
        self._process.kill()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            log.warning("a sound device's process does not end")

    def _greet(self, direction: str, name: str) -> dict[str, Any]:
        timer = threading.Timer(_OPEN_S, self._process.kill)
        timer.start()
        try:
            stdin, stdout = _pipe(self._process.stdin), _pipe(self._process.stdout)
            stdin.write(json.dumps({"direction": direction, "name": name}).encode() + b"\n")
            stdin.flush()
            hello: dict[str, Any] = json.loads(stdout.readline())
        except (OSError, ValueError) as error:
            raise HeadsetError("device_busy", f"the {direction} device cannot be opened") from error
        finally:
            timer.cancel()
        if "error" in hello:
            raise HeadsetError(str(hello["error"]), str(hello["detail"]))
        return hello

    def _listen(self) -> None:
        stdout = _pipe(self._process.stdout)
        try:
            while (message := receive(stdout)) is not None:
                self._heard_at = time.monotonic()
                if message[0] == PCM:
                    self.ring.write(message[1])
        except (OSError, ValueError):
            log.debug("a sound device's pipe broke")
        self._ended = True
        if not self._closed:
            self._on_end()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the helper has no pipes")
    return stream


def _sender(stream: IO[bytes]) -> Callable[[bytes], None]:
    """Writes messages without ever waiting: what a device does not take is dropped."""
    descriptor = stream.fileno()
    if sys.platform == "win32":
        return _queued_sender(descriptor)
    os.set_blocking(descriptor, False)

    def send(message: bytes) -> None:
        try:
            os.write(descriptor, message[:_MOST_BYTES])
        except OSError:
            return  # full or gone; ``lost`` tells

    return send


def _queued_sender(descriptor: int) -> Callable[[bytes], None]:
    """Windows cannot write to a pipe without waiting before Python 3.12; a thread waits instead."""
    messages: SimpleQueue[bytes] = SimpleQueue()

    def work() -> None:
        try:
            while True:
                os.write(descriptor, messages.get())
        except OSError:
            return

    threading.Thread(target=work, name="sound-out", daemon=True).start()
    return lambda message: messages.put(message) if messages.qsize() < 50 else None
