"""Where a player's samples go. The sink for a real sound device is in ``playback``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent_desktop.services.playback_source import Pcm

BLOCK_SECONDS = 0.04
"""What a player writes at once."""


class SinkError(Exception):
    """The sound device is gone."""


class Sink(Protocol):
    """Where samples go. Used by the player's thread only."""

    def write(self, block: Pcm) -> None:
        """Take 16-bit mono samples at the rate asked for; returns when there is room for more. Raises ``SinkError``."""

    def pause(self) -> None:
        """Let what was written be heard to its end, then be still."""

    def close(self) -> None: ...


class ClockSink:
    """Takes samples as fast as a device would, and is silent: the position advances without a sound device."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._due = 0.0

    def write(self, block: Pcm) -> None:
        now = time.monotonic()
        self._due = max(self._due, now) + len(block) / self._rate
        time.sleep(max(0.0, self._due - now - BLOCK_SECONDS))

    def pause(self) -> None:
        self._due = 0.0

    def close(self) -> None:
        return None


def silence(seconds: float, rate: int) -> Pcm:
    """16-bit samples of nothing."""
    import numpy as np

    return np.zeros(round(seconds * rate), dtype=np.int16)


def resampler(rate: int, own: int) -> Callable[[Pcm], Pcm]:
    """What turns block after block of 16-bit mono samples at ``rate`` into ones at ``own``."""
    import numpy as np
    from pedalboard.io import StreamResampler

    stream = StreamResampler(float(rate), float(own), 1)

    def resample(block: Pcm) -> Pcm:
        out = stream.process(block.astype(np.float32)[np.newaxis, :] / 32768.0)
        pcm: Pcm = np.clip(np.rint(out[0] * 32768.0), -32768, 32767).astype(np.int16)
        return pcm

    return resample
