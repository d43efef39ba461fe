"""Ports on the media bridge: the headset, and the two sides of a call on their way to its tap.

The bridge calls every port once a 20 ms tick on the media clock's thread: first all that give (in the order of their
slots), then all that take. A port nobody transmits to is called too, with an empty frame. So both sides of a call that
arrive in one tick belong together.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.interfaces import FRAME_MS, Headset, MediaTap
from telephony.pcm import Reader, Writer, level_dbfs

LevelSink = Callable[[float, float], None]
_TICK_NS = FRAME_MS * 1_000_000
_LEVEL_FRAMES = 5
_LATE_NS = 30_000_000
_LATE_TICKS = 3


def port_format(rate: int) -> Any:
    """Mono 16-bit PCM in frames of 20 ms."""
    wanted = pj.MediaFormatAudio()
    wanted.type = pj.PJMEDIA_TYPE_AUDIO
    wanted.clockRate = rate
    wanted.channelCount = 1
    wanted.bitsPerSample = 16
    wanted.frameTimeUsec = FRAME_MS * 1000
    return wanted


class HeadsetPort(pj.AudioMediaPort):  # type: ignore[misc]
    """The agent's headset on the bridge; which headset may change at any time without touching a call."""

    def __init__(self, headset: Headset, read: Reader, write: Writer) -> None:
        super().__init__()
        self.in_use = False
        """A call is up, so the speaker gets a frame each tick, silence included."""
        self.silent = True
        """The microphone had nothing for this tick."""
        self._headset = headset
        self._read = read
        self._write = write
        self._lock = threading.Lock()
        self._silence = bytes(headset.rate // 50 * 2)
        self._clock = threading.local()
        self.createPort("headset", port_format(headset.rate))

    def onFrameRequested(self, frame: Any) -> None:
        if not hasattr(self._clock, "pinned"):
            _pin_thread()
            self._clock.pinned = True
        with self._lock:
            pcm = self._headset.read()
        self.silent = pcm is None
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        self._write(frame, self._silence if pcm is None else pcm)

    def onFrameReceived(self, frame: Any) -> None:
        if not self.in_use:
            return
        pcm = self._read(frame) or self._silence
        with self._lock:
            self._headset.write(pcm)

    def swap(self, headset: Headset) -> Headset:
        """Put another headset in and return the old one, which is not read or written any more. Engine thread."""
        with self._lock:
            old, self._headset = self._headset, headset
        return old


class TapStream:
    """Pairs the two sides of a call tick by tick and numbers their samples.

    The media clock gives up on ticks when it was held up for more than half a second. That shows as ticks in a row at
    the normal pace while the sample count is behind the monotonic clock; the numbers then jump forward, a gap.
    """

    def __init__(self, rate: int, headset: HeadsetPort) -> None:
        self.microphone_on = False
        """The agent's voice is on its way to the customer: a missing frame is a loss, not a choice."""
        self.far_on = False
        """The far side's voice is on its way here; likewise."""
        self.others_on = False
        """In a conference: the agent's side has the other party's voice too, whether or not there is a microphone."""
        self._samples = rate // 50
        self._silence = bytes(self._samples * 2)
        self._headset = headset
        self._lock = threading.Lock()
        self._tap: MediaTap | None = None
        self._on_levels: LevelSink | None = None
        self._recent: list[tuple[bytes, bytes]] = []
        self._position = 0
        self._origin_ns = 0
        self._previous_ns = 0
        self._late_ticks = 0

    def attach(self, tap: MediaTap | None, on_levels: LevelSink) -> None:
        """Begin at sample 0; ``on_levels`` is called on the media clock's thread. Engine thread."""
        with self._lock:
            self._tap = tap
            self._on_levels = on_levels
            self._position = self._origin_ns = self._late_ticks = 0
            self._recent.clear()

    def detach(self) -> MediaTap | None:
        """No frame is delivered after this returns. Engine thread."""
        with self._lock:
            tap, self._tap = self._tap, None
            self._on_levels = None
        self.microphone_on = self.far_on = self.others_on = False
        return tap

    def tick(self, agent: bytes, far: bytes) -> None:
        """Both sides of one tick; empty when the bridge had nothing for that side. Media clock's thread."""
        agent_pcm = self._agent_side(agent)
        far_pcm = far or (None if self.far_on else self._silence)
        with self._lock:
            if self._on_levels is None:
                return
            self._keep_pace(time.monotonic_ns())
            if self._tap is not None:
                self._tap.frames(self._position, agent_pcm, far_pcm)
            self._position += self._samples
            self._measure(agent_pcm or b"", far_pcm or b"", self._on_levels)

    def _agent_side(self, pcm: bytes) -> bytes | None:
        if not self.microphone_on:
            return pcm or self._silence
        return None if (self._headset.silent and not self.others_on) or not pcm else pcm

    def _keep_pace(self, now: int) -> None:
        counted = self._position // self._samples * _TICK_NS
        if not self._origin_ns or now - counted < self._origin_ns:
            self._origin_ns = now - counted
        behind = now - self._origin_ns - counted
        at_pace = now - self._previous_ns > _TICK_NS // 2
        self._previous_ns = now
        self._late_ticks = self._late_ticks + 1 if at_pace and behind > _LATE_NS else 0
        if self._late_ticks == _LATE_TICKS:
            self._position += behind // _TICK_NS * self._samples
            self._late_ticks = 0

    def _measure(self, agent: bytes, far: bytes, on_levels: LevelSink) -> None:
        self._recent.append((agent, far))
        if len(self._recent) == _LEVEL_FRAMES:
            sides = zip(*self._recent, strict=True)
            on_levels(*(level_dbfs(b"".join(side)) for side in sides))
            self._recent.clear()


class TapPorts:
    """The two bridge ports behind one ``TapStream``.

    The bridge calls ports in the order of their slots, so the port with the higher slot closes the tick. They are made
    once and used for call after call: deleting a port while the media clock runs is the one thing to avoid.
    """

    def __init__(self, rate: int, headset: HeadsetPort, read: Reader) -> None:
        self.rate = rate
        self.stream = TapStream(rate, headset)
        self._latest: bytes | None = None
        self._read = read
        self.agent = _SidePort()
        self.far = _SidePort()
        self.agent.createPort("tap-agent", port_format(rate))
        self.far.createPort("tap-far", port_format(rate))
        agent_first = self.agent.getPortId() < self.far.getPortId()
        (self.agent if agent_first else self.far).on_frame = self._opens
        (self.far if agent_first else self.agent).on_frame = self._closes
        self._agent_first = agent_first

    def _opens(self, frame: Any) -> None:
        self._latest = self._read(frame)

    def _closes(self, frame: Any) -> None:
        first, second = self._latest, self._read(frame)
        if first is None:
            return  # the other port has not ticked yet
        if self._agent_first:
            self.stream.tick(first, second)
        else:
            self.stream.tick(second, first)


class _SidePort(pj.AudioMediaPort):  # type: ignore[misc]
    """Takes one side of a call off the bridge."""

    def __init__(self) -> None:
        super().__init__()
        self.on_frame: Callable[[Any], None] = _ignore

    def onFrameReceived(self, frame: Any) -> None:
        self.on_frame(frame)


def _ignore(frame: Any) -> None:
    """Before the pair is complete."""


def _pin_thread() -> None:
    """Keep Python's state of the media clock's thread between its callbacks, a tenth of the line process's CPU.

    One ``PyGILState_Ensure`` more than there are releases. The clock runs as long as the library, so one state is kept.
    """
    ctypes.pythonapi.PyGILState_Ensure()
