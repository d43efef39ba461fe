"""Where a player's samples go. The sink for a real sound device is in ``playback``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BLOCK_SECONDS = 0.04
"""What a player writes at once."""


class SinkError(Exception):
    """The sound device is gone."""


class Sink(Protocol):
    """Where samples go. Used by the player's thread only."""

    def write(self, block: npt.NDArray[np.int16]) -> None:
        """Take 16-bit mono samples at the rate asked for; returns when there is room for more. Raises ``SinkError``."""

    def pause(self) -> None:
        """Let what was written be heard to its end, then be still."""

    def close(self) -> None: ...


class ClockSink:
    """Takes samples as fast as a device would, and is silent: the position advances without a sound device."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._due = 0.0

    def write(self, block: npt.NDArray[np.int16]) -> None:
        now = time.monotonic()
        self._due = max(self._due, now) + len(block) / self._rate
        time.sleep(max(0.0, self._due - now - BLOCK_SECONDS))

    def pause(self) -> None:
        self._due = 0.0

    def close(self) -> None:
        return None
