"""Sample rate conversion for sound cards that cannot run at 16 kHz.

Polyphase windowed sinc (Hann window, eight zero crossings each side, cut-off at 0.92 of the lower Nyquist
frequency; see J. O. Smith, "Digital Audio Resampling", CCRMA): 45 dB down beyond the transition band, 1 to 2
ms a frame of 20 ms in pure Python, which is why the card is asked for 16 kHz first.
"""

from __future__ import annotations

import array
import math
from operator import mul

_ZERO_CROSSINGS = 8
_CUT_OFF = 0.92


class Resampler:
    """Turns a stream of signed 16-bit mono samples at ``source`` Hz into ``target`` Hz. One thread at a time."""

    def __init__(self, source: int, target: int) -> None:
        divisor = math.gcd(source, target)
        self._up, self._down = target // divisor, source // divisor
        self._filters = _design(self._up, self._down)
        self._taps = len(self._filters[0])
        self._history = array.array("h", bytes(2 * (self._taps - 1)))
        self._phase = 0

    @property
    def delay_samples(self) -> int:
        """Delay that the filter adds, in samples of the source."""
        return self._taps // 2

    def convert(self, pcm: bytes) -> bytes:
        """The next stretch of the stream, as many samples as are due (21 or 22 where the ratio is not whole)."""
        if self._up == self._down:
            return pcm
        samples = self._history + array.array("h", pcm)
        out = array.array("h")
        at, phase, last = 0, self._phase, len(samples) - self._taps
        at, phase = divmod(phase, self._up)
        while at <= last:
            value = sum(map(mul, samples[at : at + self._taps], self._filters[phase]))
            out.append(max(-32768, min(32767, round(value))))
            at, phase = at + (phase + self._down) // self._up, (phase + self._down) % self._up
        self._history = samples[min(at, len(samples)) :]
        self._phase = phase + self._up * max(0, at - len(samples))
        return out.tobytes()


def _design(up: int, down: int) -> list[list[float]]:
    """One filter of equal length for each of ``up`` phases between two source samples."""
    cut_off = _CUT_OFF * min(1.0, up / down)
    half = math.ceil(_ZERO_CROSSINGS / cut_off)
    filters = []
    for phase in range(up):
        taps = [_tap(n - half + 1 - phase / up, cut_off, half) for n in range(2 * half)]
        gain = sum(taps)
        filters.append([tap / gain for tap in taps])
    return filters


def _tap(distance: float, cut_off: float, half: int) -> float:
    if abs(distance) >= half:
        return 0.0
    x = math.pi * distance * cut_off
    return (math.sin(x) / x if x else 1.0) * (0.5 + 0.5 * math.cos(math.pi * distance / half))
