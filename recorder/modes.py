"""Which frames of a call are recorded: all, those with a voice, or those asked for (R2). Writer thread only.

What is left out is said to the journal as a ``Skip``, so that the time line stays the call's. The automatic mode needs
nothing of this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from recorder.journal import NOT_ASKED, SILENT, Close, Demand, Frame, Item, Mark, Skip
from recorder.rules import MAX_LOOK_BACK_S, MAX_SEGMENTS, RecordingRules
from recorder.voice import RUN

MIN_CUT_MS = 1000
"""A shorter silence is not worth a cut."""
_SKIP_SECONDS = 1
_MAX_MARKS = 1000


class Selection(Protocol):
    """Passes on what is to be recorded, in order."""

    begun: bool
    """Something is to be recorded; before that nothing has been passed on."""
    taking: bool
    """The frames that come now are recorded. Any thread may read."""

    def take(self, item: Item) -> Iterator[Item]: ...


def selection(rules: RecordingRules, rate: int, hears: Callable[[int], Hears]) -> Selection | None:
    """For the mode of ``rules``; None for automatic. ``hears`` makes a voice detector for a rate, when it is needed."""
    if rules.mode == "voice":
        return VoiceActivated(rules, rate, hears)
    return OnDemand(rules, rate) if rules.mode == "manual" else None


class Hears(Protocol):
    """``recorder.voice.VoiceDetector`` by shape."""

    def hears(self, agent: bytes | None, far: bytes | None) -> bool: ...


class _Cuts:
    """What both modes do alike: hold back frames and marks, join what is left out."""

    def __init__(self, rate: int, why: str) -> None:
        self.begun = False
        self.taking = False
        self._frame_samples = rate // 50
        self._flush_samples = _SKIP_SECONDS * rate
        self._why = why
        self._held: deque[Frame] = deque()
        self._marks: list[Mark] = []
        self._skip: Skip | None = None

    def take(self, item: Item) -> Iterator[Item]:
        if isinstance(item, tuple):
            yield from self._frame(item)
        elif isinstance(item, Mark):
            if self.begun:
                yield item
            elif len(self._marks) < _MAX_MARKS:
                self._marks.append(item)
        elif isinstance(item, Close):
            yield from self._last()
            yield item
        else:
            yield from self._other(item)

    def _frame(self, frame: Frame) -> Iterator[Item]:
        raise NotImplementedError

    def _other(self, _item: Item) -> Iterator[Item]:
        yield from ()

    def _last(self) -> Iterator[Item]:
        while self._held:
            yield from self._leave_out(self._held.popleft())
        if self.begun:
            yield from self._flush()

    def _begin_taking(self) -> Iterator[Item]:
        self.taking = True
        if not self.begun:
            self.begun = True
            yield from self._marks
            self._marks = []
        yield from self._flush()
        yield from self._held
        self._held.clear()

    def _leave_out(self, frame: Frame) -> Iterator[Item]:
        start, end = frame[0], frame[0] + self._frame_samples
        skip = self._skip
        if not self.begun:  # what was lost of a part that is not recorded is nobody's loss
            self._skip = Skip(0, end, self._why)
        elif skip is None or skip.start + skip.samples != start or skip.samples >= self._flush_samples:
            yield from self._flush()
            self._skip = Skip(start, end - start, self._why)
        else:
            self._skip = Skip(skip.start, end - skip.start, self._why)

    def _flush(self) -> Iterator[Item]:
        if self._skip is not None:
            yield self._skip
            self._skip = None


class VoiceActivated(_Cuts):
    """Records from ``pre_roll_ms`` before a voice to ``hang_over_ms`` after it, either side's."""

    def __init__(self, rules: RecordingRules, rate: int, hears: Callable[[int], Hears]) -> None:
        super().__init__(rate, SILENT)
        self._voice: Hears | None = None
        self._hears = hears
        self._rate = rate
        self._pre_roll = max(0, rules.pre_roll_ms) // 20 + RUN - 1  # and the frames before it was sure of the voice
        self._hang_over = max(0, rules.hang_over_ms) // 20
        self._room = self._pre_roll
        self._quiet = 0
        self._cuts = 0

    def _frame(self, frame: Frame) -> Iterator[Item]:
        if self._voice is None:
            self._voice = self._hears(self._rate)
        voiced = self._voice.hears(frame[1], frame[2])
        self._quiet = 0 if voiced else self._quiet + 1
        if self.taking and self._quiet > self._hang_over and self._cuts < MAX_SEGMENTS - 1:
            self.taking = False
            self._room = self._pre_roll + MIN_CUT_MS // 20
        if self.taking:
            yield frame
            return
        self._held.append(frame)
        if voiced:
            yield from self._begin_taking()
            return
        if len(self._held) > self._room:
            self._cuts += self._room > self._pre_roll
            self._room = self._pre_roll
        while len(self._held) > self._room:
            yield from self._leave_out(self._held.popleft())

    def _last(self) -> Iterator[Item]:
        if self.begun and self._room > self._pre_roll:  # too short for a cut
            yield from self._held
            self._held.clear()
        yield from super()._last()


class OnDemand(_Cuts):
    """Records from when it is asked for, with the last ``look_back_s`` seconds before, which are in memory only."""

    def __init__(self, rules: RecordingRules, rate: int) -> None:
        super().__init__(rate, NOT_ASKED)
        self._look_back = round(min(max(0.0, rules.look_back_s), MAX_LOOK_BACK_S) * 50)

    def _other(self, item: Item) -> Iterator[Item]:
        if isinstance(item, Demand) and item.on != self.taking:
            if item.on:
                yield from self._begin_taking()
            self.taking = item.on

    def _frame(self, frame: Frame) -> Iterator[Item]:
        if self.taking:
            yield frame
            return
        self._held.append(frame)
        while len(self._held) > self._look_back:
            yield from self._leave_out(self._held.popleft())
