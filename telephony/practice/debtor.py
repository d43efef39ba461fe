"""The debtor: a headset whose microphone is the debtor's voice and whose speaker is the debtor's ear.

Time is counted in frames of 20 ms, so the debtor behaves the same at any speed and can be tested without a
clock.
"""

from __future__ import annotations

import array
from collections.abc import Callable
from dataclasses import dataclass

from telephony.practice.ear import Ear
from telephony.practice.room import room_tone

RATE = 16000
FRAME_BYTES = 2 * RATE // 50
_FRAMES_A_SECOND = 50


def _frames(seconds: float) -> int:
    return round(seconds * _FRAMES_A_SECOND)


FIRST_WORD = _frames(0.4)
REPLY_AFTER = _frames(0.6)
BORED_AFTER = _frames(6.0)
FAREWELL = _frames(1.5)
SHORTEST_CALL = _frames(25.0)
PATIENCE = 3
"""How often the debtor asks whether somebody is there before giving up."""


@dataclass(frozen=True, slots=True)
class Spoke:
    """The debtor began a sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The collector spoke while the debtor did; the debtor fell silent."""

    sentence: str


@dataclass(frozen=True, slots=True)
class HangsUp:
    """The debtor has nothing more to say or nobody to say it to. Told once a call."""


Told = Spoke | Interrupted | HangsUp
Sentence = tuple[str, bytes]
"""Id and PCM: signed 16-bit little-endian mono at 16 kHz."""


class Talk:
    """One call from the debtor's side. Media clock's thread; ``tell`` is called there and must not block.

    The debtor speaks first, then each time the collector has spoken and been silent for 0.6 s; falls silent
    when interrupted and goes on with the next sentence; asks after 6 s of silence whether somebody is there;
    and hangs up when everything is said, or nobody was there three times, but never before 25 s.
    """

    def __init__(self, sentences: list[Sentence], still_there: Sentence, tell: Callable[[Told], None]) -> None:
        self._sentences = list(reversed(sentences))
        self._still_there = still_there
        self._tell = tell
        self._ear = Ear()
        self._age = 0
        self._saying: Sentence | None = None
        self._said = 0
        self._own_quiet = 0
        """Frames since the debtor's own last word."""
        self._answer_due = True
        self._greeted = False
        self._asked = 0
        self._over = False

    def hear(self, pcm: bytes) -> None:
        """A frame of the collector's voice."""
        self._ear.hear(pcm)
        if self._ear.speech:
            self._answer_due = True
            self._asked = 0

    def speak(self) -> bytes | None:
        """The next frame of the debtor's voice; None is silence."""
        self._age += 1
        if self._saying is None:
            self._decide()
        if self._saying is None:
            self._own_quiet += 1
            return None
        return self._next_frame(self._saying)

    def _next_frame(self, saying: Sentence) -> bytes:
        name, pcm = saying
        frame = pcm[self._said : self._said + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        self._said += FRAME_BYTES
        if self._ear.speech:
            frame = fade_out(frame)
            self._tell(Interrupted(name))
            self._fall_silent()
        elif self._said >= len(pcm):
            self._fall_silent()
        return frame

    def _fall_silent(self) -> None:
        self._saying = None
        self._own_quiet = 0

    def _decide(self) -> None:
        quiet = min(self._ear.quiet_frames, self._own_quiet)
        if self._ear.speech or self._over or self._age < FIRST_WORD:
            return
        if not self._sentences:
            self._end(quiet >= FAREWELL)
        elif self._answer_due and (not self._greeted or self._ear.quiet_frames >= REPLY_AFTER):
            self._greeted = True
            self._answer_due = False
            self._say(self._sentences.pop())
        elif quiet >= BORED_AFTER and self._asked < PATIENCE:
            self._asked += 1
            self._say(self._still_there)
        elif quiet >= BORED_AFTER:
            self._end(True)

    def _say(self, sentence: Sentence) -> None:
        self._saying = sentence
        self._said = 0
        self._tell(Spoke(sentence[0]))

    def _end(self, willing: bool) -> None:
        if willing and self._age >= SHORTEST_CALL:
            self._over = True
            self._tell(HangsUp())


class Debtor:
    """The headset of the practice line's engine. ``begin`` and ``end`` may be called on any thread."""

    def __init__(self) -> None:
        self._talk: Talk | None = None
        self._room = room_tone(RATE, FRAME_BYTES)

    @property
    def rate(self) -> int:
        return RATE

    def start(self) -> None:
        """Nothing to open."""

    def stop(self) -> None:
        self._talk = None

    def begin(self, talk: Talk) -> None:
        """A call is up."""
        self._talk = talk

    def end(self) -> None:
        """The call is over."""
        self._talk = None

    def read(self) -> bytes | None:
        talk = self._talk
        return (talk.speak() or next(self._room)) if talk is not None else None

    def write(self, pcm: bytes) -> None:
        talk = self._talk
        if talk is not None:
            talk.hear(pcm)

    @property
    def rings_apart(self) -> bool:
        return True

    def ring(self, pcm: bytes) -> None:
        """The debtor needs no bell."""

    def use(self, *, listening: bool, ringing: bool) -> None:
        """Nothing to wake."""

    def describe(self) -> str:
        return "simulated debtor"


def fade_out(pcm: bytes) -> bytes:
    """The frame, falling to silence at its end: a voice that stops at once clicks."""
    samples = array.array("h", pcm)
    count = len(samples)
    return array.array("h", (s * (count - i) // count for i, s in enumerate(samples))).tobytes()
