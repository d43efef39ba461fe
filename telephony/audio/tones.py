"""Tones for the agent's ear, and the sound of the ringing device: generated, never read from files.

Frequencies and cadences are those of China's telephone network: GB 3380-1982 (ringing current and signal tones), as
listed for China in ITU-T E.180 Supplement 2 ("Various tones used in national networks"): 450 Hz throughout; ringing
tone 1 s in 5 s, busy tone 0.35 s in 0.7 s, congestion tone 0.7 s in 1.4 s, call waiting tone 0.4 s in 4.4 s. The ring
keeps the 1 s in 5 s of the network's ringing current and sounds as two alternating notes, as the warble of an
electronic telephone does; no standard sets its pitch. Nor does one set the tone before a call that was answered by
itself (the "zip tone" of call distributors): two short notes, higher than any tone of the network.

The network's tones are made at −10 dBm0 (E.180, 6: −10 ± 5 dBm0), which is 13.1 dB below a full-scale sine (G.711: a
full-scale sine is +3.14 dBm0). A call waiting tone is 10 dB below that: somebody is speaking beneath it.
"""

from __future__ import annotations

import array
import math
from dataclasses import dataclass
from functools import lru_cache

from telephony.audio.smooth import fade_in, fade_out
from telephony.pcm import mix

FRAME_MS = 20
_FADE_MS = 5
_FULL = 32767
_NETWORK_DB = -13.1


@dataclass(frozen=True, slots=True)
class Tone:
    """``notes``: (frequency in Hz, milliseconds) one after the other, 0 Hz for a pause; ``level``: peak in dB of full
    scale; ``turns``: how often the whole is played, 0 for ever. The length of all notes is a whole number of 10 ms.
    """

    notes: tuple[tuple[int, int], ...]
    level: float = _NETWORK_DB
    turns: int = 0


RING_BACK = Tone(((450, 1000), (0, 4000)))
BUSY = Tone(((450, 350), (0, 350)), turns=4)
CONGESTION = Tone(((450, 700), (0, 700)), turns=2)
CALL_WAITING = Tone(((450, 400), (0, 4000)), _NETWORK_DB - 10)
RING = Tone((*((880, 50), (1100, 50)) * 10, (0, 4000)), -6.0)
AUTO_ANSWER = Tone(((1400, 100), (0, 50), (1400, 100), (0, 50)), turns=1)
TEST = Tone(((1000, 1000),), -20.0)
"""For trying the speaker: 1 kHz, well below what hurts in a headset."""


class TonePlayer:
    """Plays one tone at a time, frame by frame. ``play`` and ``stop`` on the engine's thread, the rest on the media
    clock's: both only exchange one reference.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.running: _Run | None = None
        """The tone on its way, None when nothing is played. Any thread may look."""

    @property
    def tone(self) -> Tone | None:
        """What is being played; None when it has come to its end. Any thread."""
        running = self.running
        return running.tone if running is not None and not running.stopping else None

    @property
    def on(self) -> bool:
        """The next frame has sound, or belongs to a tone's pause. Any thread."""
        return self.running is not None

    def play(self, tone: Tone) -> None:
        """Begin ``tone`` in place of whatever is played."""
        self.running = _Run(tone, _samples(tone, self._rate), 2 * self._rate * FRAME_MS // 1000)

    def stop(self) -> None:
        """Fade out within the next frame."""
        running = self.running
        if running is not None:
            running.stopping = True

    def next(self) -> bytes | None:
        """The next frame of 20 ms, s16le mono; None when nothing is played."""
        running = self.running
        if running is None:
            return None
        frame = running.frame()
        if running.over and self.running is running:
            self.running = None
        return frame

    def mix(self, pcm: bytes) -> bytes:
        """``pcm`` with the next frame added, within full scale; ``pcm`` itself when nothing is played."""
        frame = self.next()
        if frame is None:
            return pcm
        return mix(pcm, frame) if len(pcm) == len(frame) else frame


class _Run:
    """One tone on its way."""

    def __init__(self, tone: Tone, pcm: bytes, frame_bytes: int) -> None:
        self.tone = tone
        self.stopping = False
        self.over = False
        self._pcm = pcm
        self._frame_bytes = frame_bytes
        self._at = 0
        self._turn = 1
        self._fresh = True

    def frame(self) -> bytes:
        stopping = self.stopping  # the engine may set it at any moment
        taken = bytearray()
        while len(taken) < self._frame_bytes and not self.over:
            piece = self._pcm[self._at : self._at + self._frame_bytes - len(taken)]
            taken += piece
            self._at += len(piece)
            if self._at >= len(self._pcm):
                self._at = 0
                self._turn += 1
                self.over = 0 < self.tone.turns < self._turn
        frame = bytes(taken).ljust(self._frame_bytes, b"\0")
        if self._fresh and len(self.tone.notes) == 1:
            frame = fade_in(frame, len(frame) // 8)
        self._fresh = False
        if stopping:
            self.over = True
            frame = fade_out(frame, len(frame) // 2)
        return frame


@lru_cache(maxsize=16)
def _samples(tone: Tone, rate: int) -> bytes:
    """One turn of ``tone``: a phase that runs on from note to note, and 5 ms of fading next to each pause."""
    notes, peak = tone.notes, _FULL * 10 ** (tone.level / 20)
    pcm, phase = bytearray(), 0.0
    for number, (hertz, milliseconds) in enumerate(notes):
        count = rate * milliseconds // 1000
        if not hertz:
            pcm += bytes(2 * count)
            continue
        step = 2 * math.pi * hertz / rate
        note = array.array("h", (round(peak * math.sin(phase + step * i)) for i in range(count))).tobytes()
        phase = (phase + step * count) % (2 * math.pi)
        edge = rate * _FADE_MS // 1000
        if len(notes) > 1 and not notes[number - 1][0]:
            note = fade_in(note, edge)
        if len(notes) > 1 and not notes[(number + 1) % len(notes)][0]:
            note = note[: -2 * edge] + fade_out(note[-2 * edge :], edge)
        pcm += note
    return bytes(pcm)
