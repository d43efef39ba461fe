"""The media clock: what makes the bridge turn, 50 times a second."""

from __future__ import annotations

import ctypes
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from telephony.pjmedia import AUDIO, MediaFrame, Pjmedia, TimeVal
from telephony.thread_pin import ThreadPin
from telephony.tick_times import TickTimes

log = logging.getLogger(__name__)

_NEAR_NS = 500_000
"""Waiting is done in milliseconds: less than half of one is no wait."""
_LATE_NS = -2_000_000
_MILLISECOND_NS = 1_000_000
_START_S = 5.0
_FAILED_S = 0.1


class BridgeClock(Protocol):
    """Started and stopped as often as there is something to be heard. Engine thread."""

    @property
    def runs(self) -> bool:
        """Between ``start`` and ``stop``."""

    def start(self) -> None:
        """Begin to turn the bridge. Raises ``pj.Error``."""

    def stop(self) -> None:
        """Stop, and wait for it: no port is called after this returns. Nothing happens when it does not run."""

    def close(self) -> None:
        """Stop for good, before the library is destroyed."""


class DeviceClock:
    """PJMEDIA's null device, whose thread calls ports with pjsua2."""

    def __init__(self, devices: Callable[[], Any], pin: ThreadPin, on_start: Callable[[], None]) -> None:
        self._devices = devices
        self._pin = pin
        self._on_start = on_start
        self._runs = False

    @property
    def runs(self) -> bool:
        return self._runs

    def start(self) -> None:
        self._pin.renew()
        self._on_start()
        self._devices().setNullDev()
        self._runs = True

    def stop(self) -> None:
        if self._runs:
            self._pin.release()
            self._devices().setNoDev()
            self._runs = False

    def close(self) -> None:
        self.stop()


class _Run:
    """From a start to a stop."""

    def __init__(self) -> None:
        self.on = True
        self.over = threading.Event()


class OwnClock:
    """A thread of ours that waits for the media's sockets and turns the bridge by its master port.

    One thread for as long as PJSIP is up: what PJLIB keeps of a thread it keeps for ever. While the clock stands still
    nobody reads the sockets.
    """

    def __init__(self, pjmedia: Pjmedia, master: int, rate: int, on_lost: Callable[[int], None]) -> None:
        """``master``: address of the bridge's master port, at ``rate`` Hz. ``on_lost``: ticks that had to be given up,
        told on the clock's thread. PJMEDIA's own thread for the sockets has ended. Raises ``OSError``.
        """
        self._pjmedia = pjmedia
        self._master = master
        self._samples = rate // 50
        self._on_lost = on_lost
        self._runs: queue.SimpleQueue[_Run | None] = queue.SimpleQueue()
        self._run: _Run | None = None
        self._thread = threading.Thread(target=self._live, name="media-clock", daemon=True)
        known: Future[None] = Future()
        self._known = known
        self._thread.start()
        known.result(_START_S)

    @property
    def runs(self) -> bool:
        return self._run is not None

    def start(self) -> None:
        if self._run is None:
            self._run = _Run()
            self._runs.put(self._run)

    def stop(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.on = False
            run.over.wait()

    def close(self) -> None:
        self.stop()
        self._runs.put(None)
        self._thread.join()

    # --- the clock's thread ---

    def _live(self) -> None:
        try:
            self._pjmedia.register_thread("media-clock")
            self._known.set_result(None)
        except Exception as error:
            self._known.set_exception(error)
            return
        while (run := self._runs.get()) is not None:
            while run.on:
                try:
                    self._turn(run)
                except Exception:
                    log.exception("the media clock failed, and starts again")
                    time.sleep(_FAILED_S)
            run.over.set()

    def _turn(self, run: _Run) -> None:
        """Ticks until the run is over. What is needed for one is made before the first."""
        poll, get_frame, ioqueue, master = (
            self._pjmedia.poll,
            self._pjmedia.get_frame,
            self._pjmedia.ioqueue(),
            self._master,
        )
        samples, now_ns = self._samples, time.monotonic_ns
        pcm = ctypes.create_string_buffer(2 * samples)
        frame, wait = MediaFrame(AUDIO, ctypes.addressof(pcm), 2 * samples, 0, 0), TimeVal(0, 0)
        frame_at, wait_at = ctypes.addressof(frame), ctypes.addressof(wait)
        msec = (ctypes.c_long * 1).from_buffer(wait, TimeVal.msec.offset)
        timestamp = (ctypes.c_uint64 * 1).from_buffer(frame, MediaFrame.timestamp.offset)
        times = TickTimes(now_ns())
        while run.on:
            left = times.due - now_ns()
            if left > _NEAR_NS:
                msec[0] = (left + _NEAR_NS) // _MILLISECOND_NS
                if poll(ioqueue, wait_at) <= 0 or not times.arrived(now_ns()):
                    continue
            else:
                if left < _LATE_NS:  # what has come meanwhile belongs into this tick
                    msec[0] = 0
                    poll(ioqueue, wait_at)
                if lost := times.done(now_ns()):
                    self._on_lost(lost)
            timestamp[0] += samples
            get_frame(master, frame_at)
