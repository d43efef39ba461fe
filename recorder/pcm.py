"""Cheap arithmetic on 16-bit PCM with the standard library alone.

The line process does this while a call is up, five times a second, and imports no numpy then. Measured for 0.1 s at
16 kHz: interleaving 9 µs with ``array``, root mean square 1.4 µs with ``audioop`` (85 µs with ``array``).
"""

from __future__ import annotations

import math
import sys
import warnings
from array import array

with warnings.catch_warnings():
    # Deprecated, and gone in Python 3.13, which this product does not support yet.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

FULL_SCALE = 32768
NO_SIGNAL_DBFS = -100.0
"""What digital silence is called, in dBFS."""


def interleave(left: bytes, right: bytes) -> bytes:
    """Two mono tracks of equal length as one stereo track, s16le."""
    both = array("h", bytes(2 * len(left)))
    both[0::2] = array("h", left)
    both[1::2] = array("h", right)
    return both.tobytes()


def split(stereo: bytes) -> tuple[bytes, bytes]:
    """The left and the right track of an interleaved s16le track."""
    both = array("h", stereo)
    return both[0::2].tobytes(), both[1::2].tobytes()


def rms(pcm: bytes) -> int:
    """Root mean square of a mono s16le track, 0 to 32768."""
    return audioop.rms(pcm, 2)


def dbfs(value: float) -> float:
    """Amplitude in decibels below full scale (32768), to one decimal; −100 for digital silence."""
    return round(max(NO_SIGNAL_DBFS, 20 * math.log10(value / FULL_SCALE)), 1) if value > 0 else NO_SIGNAL_DBFS


class Level:
    """Root mean square of a whole track, piece by piece."""

    def __init__(self) -> None:
        self._energy = 0
        self._samples = 0

    def add(self, rms_value: int, samples: int) -> None:
        self._energy += rms_value * rms_value * samples
        self._samples += samples

    @property
    def dbfs(self) -> float:
        return dbfs(math.sqrt(self._energy / self._samples)) if self._samples else NO_SIGNAL_DBFS


if sys.byteorder != "little":  # pragma: no cover
    raise ImportError("recordings are little-endian and so must this machine be")
