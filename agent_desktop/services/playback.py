"""Replay of a recording: where it stands, how it is heard, and the sound device it goes to."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from agent_desktop.services.listeners import Listeners
from agent_desktop.services.playback_sinks import BLOCK_SECONDS, ClockSink, Sink, SinkError, resampler, silence
from agent_desktop.services.playback_source import (
    MAX_GAIN_DB,
    MAX_SPEED,
    MIN_GAIN_DB,
    MIN_SPEED,
    Mix,
    Side,
    SideMix,
    StretchedAudio,
    find_silences,
)

if TYPE_CHECKING:
    from agent_desktop.services.playback_source import Pcm
    from agent_desktop.services.recordings import ReplayAudio

log = logging.getLogger(__name__)

DEVICE_LATENCY_SECONDS = 0.1
LEAD_SECONDS = 0.08
FLUSH_SECONDS = 0.4
DEVICE_STALL_SECONDS = 2.0
"""A device that takes nothing for this long is gone."""


class DeviceSink:
    """The system's sound output, through PortAudio. A device that cannot do the rate is fed through a resampler."""

    def __init__(self, rate: int) -> None:
        """Raises ``SinkError`` when there is no output device or it cannot be opened."""
        try:
            import sounddevice
        except OSError as error:
            raise SinkError("PortAudio cannot be loaded") from error
        self._sd = sounddevice
        self._rate = rate
        self._resampler: Any = None
        try:
            device = sounddevice.query_devices(kind="output")
            try:
                self._stream = self._opened(rate)
            except sounddevice.PortAudioError:
                own = int(device["default_samplerate"])
                self._stream = self._opened(own)
                self._resampler = resampler(rate, own)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise SinkError(str(error)) from error

    def _opened(self, rate: int) -> Any:
        return self._sd.OutputStream(samplerate=rate, channels=1, dtype="int16", latency=DEVICE_LATENCY_SECONDS)

    def write(self, block: Pcm) -> None:
        try:
            if not self._stream.active:
                self._stream.start()
                # A sound server that wakes up swallows the first samples (50 ms was measured): let them be silence.
                self._put(silence(LEAD_SECONDS, self._rate))
            self._put(block)
        except self._sd.PortAudioError as error:
            raise SinkError(str(error)) from error

    def _put(self, block: Pcm) -> None:
        if self._resampler is not None:
            block = self._resampler(block)
        self._wait_for_room(len(block))
        self._stream.write(block)

    def _wait_for_room(self, count: int) -> None:
        # A blocking write to a device that vanished may never return: write only what is taken at once.
        deadline = time.monotonic() + DEVICE_STALL_SECONDS
        while self._stream.write_available < count:
            if not self._stream.active or time.monotonic() > deadline:
                raise SinkError("the device takes no samples")
            time.sleep(BLOCK_SECONDS / 4)

    def pause(self) -> None:
        # Stopping a stream drops what a sound server still holds (0.25 s was measured): push it out first.
        for _ in range(round(FLUSH_SECONDS / BLOCK_SECONDS)):
            self.write(silence(BLOCK_SECONDS, self._rate))

    def close(self) -> None:
        try:
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)
        except self._sd.PortAudioError as error:
            log.info("closing the sound device: %s", error)


def open_device(rate: int) -> Sink:
    """The system's present sound output. Raises ``SinkError``. The player's thread; no other stream may be open."""
    try:
        return DeviceSink(rate)
    except SinkError as error:
        log.info("no sound output yet: %s", error)
    _refresh_devices()
    return DeviceSink(rate)


def _refresh_devices() -> None:
    # PortAudio keeps the list of devices of its start; a headset plugged in since is found only by starting it again.
    try:
        import sounddevice

        sounddevice._terminate()
        sounddevice._initialize()
    except Exception as error:
        raise SinkError("PortAudio cannot be started") from error


class PlayState(StrEnum):
    EMPTY = "empty"
    PAUSED = "paused"
    PLAYING = "playing"


@dataclass(frozen=True, slots=True)
class PlaybackView:
    """The player at one moment. Times in seconds of the recording, whatever the speed."""

    state: PlayState = PlayState.EMPTY
    position: float = 0.0
    length: float = 0.0
    speed: float = 1.0
    skip_silence: bool = False
    loop: tuple[float, float] | None = None
    mix: Mix = field(default_factory=Mix)
    problem: str = ""
    """Empty, ``no_such_device`` (there is no output: the position advances in silence), ``device_lost`` or
    ``unexpected`` (both: paused)."""


class Player:
    """Plays one recording at a time. Every method may be called from any thread and returns at once.

    Samples are read, mixed and written on a thread of its own. ``changed`` is emitted about 25 times a second while
    playing and at each change, never out of order, on that thread or on the caller's.
    """

    changed: Listeners[PlaybackView]

    def __init__(self, open_sink: Callable[[int], Sink] = open_device) -> None:
        self.changed = Listeners()
        self._open_sink = open_sink
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._emitting = threading.RLock()
        self._view = PlaybackView()
        self._rate = 1
        self._audio: ReplayAudio | None = None
        self._stretched: StretchedAudio | None = None
        self._silences: list[tuple[int, int]] | None = None
        self._cursor = 0
        self._turn = 0
        """Counts loads, seeks and changes of speed: a block read before one of them is not played after it."""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="playback", daemon=True)
        self._thread.start()

    @property
    def view(self) -> PlaybackView:
        with self._lock:
            return self._view

    def load(self, audio: ReplayAudio) -> None:
        """Take a recording, at its start and paused; mix, speed and skipping stay as they were."""
        with self._lock:
            self._audio, self._rate = audio, audio.rate
            self._silences = None
            self._respeed(self._view.speed)
            self._place(0)
            self._set(state=PlayState.PAUSED, length=len(audio.agent) / audio.rate, loop=None, problem="")
        self._emit()

    def unload(self) -> None:
        """Forget the recording."""
        with self._lock:
            self._audio = None
            self._respeed(self._view.speed)
            self._place(0)
            self._set(state=PlayState.EMPTY, length=0.0, loop=None, problem="")
        self._emit()

    def play(self) -> None:
        """Go on; from the start again when at the end."""
        with self._lock:
            if self._view.state is not PlayState.PAUSED:
                return
            if self._stretched is not None and self._cursor >= self._stretched.length:
                self._place(0)
            self._set(state=PlayState.PLAYING, problem="")
        self._emit()

    def pause(self) -> None:
        with self._lock:
            if self._view.state is PlayState.PLAYING:
                self._set(state=PlayState.PAUSED)
        self._emit()

    def seek(self, seconds: float) -> None:
        """Go to a moment of the recording; beyond its ends means its ends."""
        with self._lock:
            if self._audio is not None:
                self._place(round(max(0.0, min(seconds, self._view.length)) * self._rate))
        self._emit()

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """Play a passage (start, end in seconds) again and again, until ``None``."""
        with self._lock:
            if loop is not None:
                start, end = (max(0.0, min(at, self._view.length)) for at in sorted(loop))
                loop = (start, end) if end - start >= BLOCK_SECONDS else None
            self._set(loop=loop)
        self._emit()

    def set_speed(self, speed: float) -> None:
        """0.5 to 3 times, at the same pitch."""
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise ValueError("speed")
        with self._lock:
            sample = self._sample()
            self._respeed(speed)
            self._place(sample)
            self._set(speed=speed)
        self._emit()

    def set_skip_silence(self, on: bool) -> None:
        """Jump over stretches in which nobody speaks (``find_silences``)."""
        with self._lock:
            self._set(skip_silence=on)
        self._emit()

    def set_side(self, side: Side, mix: SideMix) -> None:
        """Mute, solo and gain of one side; the gain is held to its limits. Heard from the next block (40 ms)."""
        gain = max(MIN_GAIN_DB, min(mix.gain_db, MAX_GAIN_DB))
        with self._lock:
            self._set(mix=self._view.mix.with_side(side, replace(mix, gain_db=gain)))
        self._emit()

    def close(self, *, wait: bool = True) -> None:
        """Stop and give the device back; without ``wait`` that happens shortly after."""
        with self._lock:
            self._closed = True
            if self._stretched is not None:
                self._stretched.close()
            self._wake.notify_all()
        if wait:
            self._thread.join(timeout=2 * DEVICE_STALL_SECONDS)

    # --- under the lock

    def _set(self, **changes: Any) -> None:
        self._view = replace(self._view, **changes)
        self._wake.notify_all()

    def _sample(self) -> int:
        return self._stretched.to_sample(self._cursor) if self._stretched else 0

    def _place(self, sample: int) -> None:
        self._turn += 1
        self._cursor = self._stretched.to_output(sample) if self._stretched else 0
        self._view = replace(self._view, position=sample / self._rate)

    def _respeed(self, speed: float) -> None:
        if self._stretched is not None:
            self._stretched.close()
        self._stretched = StretchedAudio(self._audio, speed) if self._audio is not None else None

    def _jump(self, stretched: StretchedAudio) -> int:
        """Jump over a silence or back to the loop's start where one is due; how many samples may be read in one go."""
        if self._view.skip_silence and self._silences:
            sample = stretched.to_sample(self._cursor)
            at = bisect_right(self._silences, sample, key=itemgetter(0)) - 1
            if at >= 0 and self._silences[at][0] <= sample < self._silences[at][1]:
                self._cursor = stretched.to_output(self._silences[at][1])
        count = round(BLOCK_SECONDS * self._rate)
        if self._view.loop is None:
            return count
        start, end = (stretched.to_output(round(at * self._rate)) for at in self._view.loop)
        if self._cursor >= end:
            self._cursor = start
        return min(count, end - self._cursor)

    # --- the player's thread

    def _emit(self) -> None:
        with self._emitting:
            self.changed.emit(self.view)

    def _run(self) -> None:
        while self._wait_until_playing():
            try:
                self._play_until_paused()
            except Exception:
                log.exception("playback failed")
                self._stop("unexpected")

    def _wait_until_playing(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._view.state is PlayState.PLAYING)
            return not self._closed

    def _play_until_paused(self) -> None:
        with self._lock:
            rate = self._rate
        try:
            sink = self._open_sink(rate)
        except SinkError as error:
            log.info("no sound output: %s", error)
            sink = ClockSink(rate)
            with self._lock:
                self._set(problem="no_such_device")
        try:
            while (block := self._next_block(rate)) is not None:
                if len(block):
                    sink.write(block)
                    self._emit()
            sink.pause()
            self._emit()
        except SinkError as error:
            log.warning("the sound output went away: %s", error)
            self._stop("device_lost")
        finally:
            sink.close()

    def _stop(self, problem: str) -> None:
        with self._lock:
            if self._view.state is PlayState.PLAYING:
                self._set(state=PlayState.PAUSED, problem=problem)
        self._emit()

    def _next_block(self, rate: int) -> Pcm | None:
        """The samples to write now, none when a seek came between; ``None`` when no longer playing at ``rate``."""
        self._measure_silences()
        with self._lock:
            stretched, turn, mix = self._stretched, self._turn, self._view.mix
            if self._closed or self._view.state is not PlayState.PLAYING or self._rate != rate or not stretched:
                return None
            count = self._jump(stretched)
            cursor = self._cursor
        sides = self._read(stretched, cursor, count, turn)
        with self._lock:
            if turn != self._turn or sides is None:
                return silence(0.0, rate)
            self._cursor = cursor + len(sides[0])
            self._view = replace(self._view, position=self._sample() / rate)
            if len(sides[0]) == 0 and self._view.state is PlayState.PLAYING:
                self._set(state=PlayState.PAUSED)
        return mix.apply(*sides)

    def _read(self, stretched: StretchedAudio, cursor: int, count: int, turn: int) -> tuple[Pcm, Pcm] | None:
        """Both sides, or ``None`` when the recording or its speed was changed while they were being made."""
        try:
            return stretched.read(cursor, count)
        except (CancelledError, RuntimeError):
            with self._lock:
                if turn == self._turn and not self._closed:
                    raise
            return None

    def _measure_silences(self) -> None:
        with self._lock:
            audio = self._audio
            wanted = self._view.skip_silence and self._silences is None
        if audio is None or not wanted:
            return
        found = find_silences(audio)
        with self._lock:
            if self._audio is audio:
                self._silences = found
