"""A ring of samples between two clocks that run at almost the same rate.

A sound card's 16 kHz and the media clock's 16 kHz differ by some tens of parts per million, so a plain queue
between them slowly runs full (delay) or empty (gaps). This one steers itself by the *low-water mark*: the
least that was left in it after a read during the last second. That is the part of the delay that serves
nothing, however uneven the writes come.

- Low water above the margin by more than 2.5 ms: some reads take one sample more than they give; below it,
  one less. The read's samples are stretched by linear interpolation, a change of pitch by 1/320 for 20 ms
  that nobody hears. One sample in each 20 ms corrects up to 3,100 ppm; cards are within 200 ppm.
- A read that finds too little gives None (the caller plays silence) until the ring holds its reserve again.
- What a read would leave behind beyond 60 ms is dropped, oldest first (after a stall of the reader).

The margin is one frame and 2 ms: where both sides work in frames of 20 ms, drift makes a write slip from just
before a read to just after it every few minutes, and the low water jumps by a whole frame.

One thread writes and one reads, and no lock is held: chunks cross in a ``deque``, whose append and popleft
are atomic, and everything else belongs to the reader. When nobody reads, the deque forgets the oldest.
"""

from __future__ import annotations

import array
import sys
from collections import deque
from functools import lru_cache

SAMPLE_BYTES = 2
MAX_DELAY_MS = 60
_MAX_CHUNKS = 50
_MARGIN_MS = 22
_TOLERANCE_MS = 2.5


class ClockRing:
    """PCM, signed 16-bit little-endian mono at ``rate`` Hz, from one thread to another.

    ``underruns`` (times it ran dry, pauses of the writer included), ``dropped`` (samples) and ``stretched``
    (samples, added and removed alike) are counts since the start, for diagnosis; the reader's thread writes
    them, any thread may read them.
    """

    def __init__(self, rate: int = 16000) -> None:
        self._rate = rate
        self._chunks: deque[bytes] = deque(maxlen=_MAX_CHUNKS)
        self._ready = bytearray()
        self._margin = rate * _MARGIN_MS // 1000
        self._limit = rate * MAX_DELAY_MS // 1000
        self._primed = False
        self._low_water = sys.maxsize
        self._window = 0
        self._correction = 0
        self.underruns = 0
        self.dropped = 0
        self.stretched = 0

    @property
    def fill_ms(self) -> float:
        """Length of what the last read left behind: the delay that this ring adds. Reader's thread."""
        return len(self._ready) / SAMPLE_BYTES / self._rate * 1000

    def write(self, pcm: bytes) -> None:
        """Append samples; never blocks. Writer's thread."""
        self._chunks.append(pcm)

    def read(self, samples: int) -> bytes | None:
        """The next ``samples`` samples, or None when they are not there yet; never blocks. Reader's thread."""
        self._gather()
        fill = len(self._ready) // SAMPLE_BYTES
        if not self._primed and fill < samples + self._margin + samples // 2:
            return None
        if fill < samples + 1:
            self._run_dry()
            return None
        self._primed = True
        if fill - samples > self._limit:
            self._drop(fill - samples - self._limit)
        pcm = self._take(samples)
        self._watch(samples)
        return pcm

    def _gather(self) -> None:
        try:
            while True:
                self._ready += self._chunks.popleft()
        except IndexError:
            return

    def _run_dry(self) -> None:
        if self._primed:
            self.underruns += 1
        self._primed = False
        self._restart_window()

    def _drop(self, samples: int) -> None:
        del self._ready[: samples * SAMPLE_BYTES]
        self.dropped += samples
        self._restart_window()

    def _take(self, samples: int) -> bytes:
        step = (self._correction > 0) - (self._correction < 0)
        size = (samples + step) * SAMPLE_BYTES
        pcm = bytes(self._ready[:size])
        if step:
            after = bytes(self._ready[size : size + SAMPLE_BYTES]) or pcm[-SAMPLE_BYTES:]
            pcm = stretch(pcm, after, samples)
            self._correction -= step
            self.stretched += 1
        del self._ready[:size]
        return pcm

    def _watch(self, samples: int) -> None:
        self._low_water = min(self._low_water, len(self._ready) // SAMPLE_BYTES)
        self._window += samples
        if self._window < self._rate:
            return
        error = self._low_water - self._margin
        self._restart_window()
        if abs(error) > self._rate * _TOLERANCE_MS / 1000:
            self._correction = error

    def _restart_window(self) -> None:
        self._low_water = sys.maxsize
        self._window = 0
        self._correction = 0


def stretch(pcm: bytes, after: bytes, samples: int) -> bytes:
    """``pcm`` at another length of ``samples`` samples, by linear interpolation; ``after`` is the one sample
    that follows it.
    """
    source = array.array("h", pcm)
    length = len(source)
    source.frombytes(after)
    return array.array(
        "h", [(source[k] * (samples - w) + source[k + 1] * w) // samples for k, w in _places(length, samples)]
    ).tobytes()


@lru_cache(maxsize=16)
def _places(length: int, samples: int) -> list[tuple[int, int]]:
    return [divmod(i * length, samples) for i in range(samples)]
