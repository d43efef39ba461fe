"""Peaks of a signal at every scale, so that an hour is drawn as quickly as a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pcm = npt.NDArray[np.int16]

BASE = 64
"""Samples in a bin of the finest level; nothing finer is drawn."""
FACTOR = 4


class Peaks:
    """Lowest and highest sample of each bin: bins of 64 samples, then of 256, 1,024 …"""

    def __init__(self, pcm: Pcm) -> None:
        """``pcm``: 16-bit mono samples. Any thread but the Qt main thread."""
        import numpy as np

        self.samples = len(pcm)
        low, high = _reduced(np.minimum, pcm, BASE), _reduced(np.maximum, pcm, BASE)
        self._levels = [(low, high)]
        while len(low) > 2048:
            low, high = _reduced(np.minimum, low, FACTOR), _reduced(np.maximum, high, FACTOR)
            self._levels.append((low, high))

    @property
    def loudest(self) -> int:
        """The greatest distance from zero of any sample, 0 … 32768."""
        low, high = self._levels[-1]
        return max(abs(int(low.min())), abs(int(high.max()))) if len(low) else 0

    def columns(self, start: float, end: float, count: int) -> tuple[list[int], list[int]]:
        """Lowest and highest sample within each of ``count`` equal columns from sample ``start`` to ``end``."""
        import numpy as np

        if self.samples == 0 or count <= 0 or end <= start:
            return [0] * max(0, count), [0] * max(0, count)
        level, size = 0, BASE
        while level + 1 < len(self._levels) and size * FACTOR <= (end - start) / count:
            level, size = level + 1, size * FACTOR
        low, high = self._levels[level]
        edges = np.linspace(start, end, count + 1) / size
        first = np.clip(edges.astype(np.int64), 0, len(low) - 1)
        stop = max(int(first[-1]), int(first[-2]) + 1)
        lows = np.minimum.reduceat(low[:stop], first[:-1])
        highs = np.maximum.reduceat(high[:stop], first[:-1])
        return lows.tolist(), highs.tolist()


def _reduced(reduce: np.ufunc, pcm: Pcm, size: int) -> Pcm:
    """``reduce`` over bins of ``size``; the last one may be shorter."""
    import numpy as np

    if len(pcm) == 0:
        return pcm
    made: Pcm = reduce.reduceat(pcm, np.arange(0, len(pcm), size))
    return made
