"""Does somebody speak in a frame? WebRTC's voice detector, one a side."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

_log = logging.getLogger(__name__)

AGGRESSIVENESS = 2
"""0 to 3: of WebRTC's own scale. 3 misses soft speech."""
RUN = 5
"""Frames in a row that make a voice. The detector calls up to 4 frames of any noise at its beginning a voice; it
prolongs what it hears, so that 40 ms of speech are 5 frames or more."""
RATES = (8000, 16000, 32000, 48000)


class VoiceDetector:
    """Both sides of a call, in frames of 20 ms (s16le mono, ``rate`` samples a second). One thread.

    Where the detector cannot be had (library missing, other rate) everything is a voice: it is better to record too
    much.
    """

    def __init__(self, rate: int) -> None:
        self._sides = _detectors(rate)
        self._run = [0, 0]
        self._size = 2 * (rate // 50)

    def hears(self, agent: bytes | None, far: bytes | None) -> bool:
        """Either side has spoken for ``RUN`` frames in a row, this one included."""
        if not self._sides:
            return True
        for side, frame in enumerate((agent, far)):
            voiced = frame is not None and len(frame) == self._size and self._sides[side](frame)
            self._run[side] = self._run[side] + 1 if voiced else 0
        return max(self._run) >= RUN


def _detectors(rate: int) -> list[Callable[[bytes], bool]]:
    try:
        import webrtcvad  # late: only this mode needs it
    except ImportError:
        _log.exception("there is no voice detector: everything is recorded")
        return []
    if rate not in RATES:
        _log.warning("the voice detector does not know a rate of %d: everything is recorded", rate)
        return []
    return [partial(_is_speech, webrtcvad.Vad(AGGRESSIVENESS), rate) for _ in range(2)]


def _is_speech(detector: Any, rate: int, frame: bytes) -> bool:
    return bool(detector.is_speech(frame, rate))
