"""Ports on the media bridge: the headset, and the two sides of a call on their way to its tap.

The bridge calls every port once a 20 ms tick on the media clock's thread: first all that give (in the order of their
slots), then all that take. A port nobody transmits to is called too, with an empty frame. So both sides of a call that
arrive in one tick belong together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.audio.smooth import Smoother
from telephony.audio.tones import TonePlayer
from telephony.audio.trial import Trial
from telephony.interfaces import FRAME_MS, Headset, MediaTap
from telephony.pcm import Reader, Writer, clips, level_dbfs, mix
from telephony.thread_pin import ThreadPin

LevelSink = Callable[[float, float, bool, bool], None]
"""Of 100 ms: level of the agent's and the far side in dBFS, and whether each clips. Media clock's thread."""
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
    """The agent's headset on the bridge; which headset may change at any time without touching a call.

    What only the agent is to hear (``ear``) and the ring (``ringer``) is added here, behind the bridge: it reaches
    neither the far side nor a tap.
    """

    def __init__(self, headset: Headset, read: Reader, write: Writer) -> None:
        super().__init__()
        self.in_use = False
        """A call is up, so the speaker gets a frame each tick, silence included."""
        self.silent = True
        """The microphone had nothing for this tick."""
        self.ear = TonePlayer(headset.rate)
        self.ringer = TonePlayer(headset.rate)
        self.trial: Trial | None = None
        """The devices are being tried: then no call is up, and the microphone is read here."""
        self.rate = headset.rate
        self._headset = headset
        self._needed = (False, False)
        self._read = read
        self._write = write
        self._lock = threading.Lock()
        self._silence = bytes(headset.rate // 50 * 2)
        self._voice = Smoother(headset.rate)
        self._sound = Smoother(headset.rate)
        self._ticks = 0
        self._asked_at = 0
        self._rang = False
        self._pin = ThreadPin()
        self.createPort("headset", port_format(headset.rate))

    def onFrameRequested(self, frame: Any) -> None:
        with self._lock:
            pcm = self._headset.read()
        self.silent = pcm is None
        if self._ticks - self._asked_at > 1:
            self._voice.begin()  # nobody listened: muted, held, no call
        self._asked_at = self._ticks
        self._write(frame, self._voice.smooth(pcm) or self._silence)

    def onFrameReceived(self, frame: Any) -> None:
        self._ticks += 1
        if not self._pin.settled:
            self._pin.follow()
        trial = self.trial
        if not (self.in_use or trial is not None or self.ear.on or self.ringer.on or self._rang):
            return
        pcm = self._read(frame) if self.in_use else b""
        pcm = self._sound.smooth(pcm) or self._silence
        with self._lock:
            headset = self._headset
            if trial is not None:
                pcm = trial.tick(headset.read()) or self._silence
            pcm = self._ring(headset, self.ear.mix(pcm))
            headset.write(pcm)

    def swap(self, headset: Headset) -> Headset:
        """Put another headset in and return the old one, which is not read or written any more. Engine thread."""
        headset.use(listening=self._needed[0], ringing=self._needed[1])
        with self._lock:
            old, self._headset = self._headset, headset
        return old

    def use(self, *, listening: bool, ringing: bool) -> None:
        """Which devices are needed now, this headset's and those of one that takes its place. Engine thread."""
        self._needed = (listening, ringing)
        self._headset.use(listening=listening, ringing=ringing)

    def clock_stops(self) -> None:
        """The media clock is about to stop. Engine thread."""
        self._pin.release()

    def clock_starts(self) -> None:
        """It is about to start again, on another thread. Engine thread."""
        self._pin.renew()

    def _ring(self, headset: Headset, pcm: bytes) -> bytes:
        """The ring goes to its own device, or into the speaker. Three frames at first make its buffer give at once."""
        first = not self._rang
        ring = self.ringer.next()
        self._rang = ring is not None
        if ring is None:
            return pcm
        if not headset.rings_apart:
            return mix(pcm, ring)
        if first:
            ring += (self.ringer.next() or b"") + (self.ringer.next() or b"")
        headset.ring(ring)
        return pcm


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

    @property
    def attached(self) -> bool:
        """Between ``attach`` and ``detach``. Any thread."""
        return self._on_levels is not None

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
            one, other = (b"".join(side) for side in zip(*self._recent, strict=True))
            on_levels(level_dbfs(one), level_dbfs(other), clips(one), clips(other))
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
        if self.stream.attached:
            self._latest = self._read(frame)

    def _closes(self, frame: Any) -> None:
        if not self.stream.attached:
            self._latest = None
            return
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
