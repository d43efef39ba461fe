"""The agent tries the devices: what that does at each tick of the media clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from telephony.pcm import level_dbfs

_LEVEL_FRAMES = 5
_LOOP_FRAMES = 25
"""Half a second: late enough to be heard apart from one's own voice."""


class Trial:
    """What a trial of the devices does at each tick. Media clock's thread."""

    def __init__(self, rate: int, *, loopback: bool, on_level: Callable[[float], None]) -> None:
        self._delay: deque[bytes] | None = deque() if loopback else None
        self._silence = bytes(rate // 50 * 2)
        self._on_level = on_level
        self._recent: list[bytes] = []

    def tick(self, voice: bytes | None) -> bytes | None:
        """Take a frame of the microphone; return one for the speaker, half a second old, when it is to be heard."""
        pcm = voice or self._silence
        self._recent.append(pcm)
        if len(self._recent) == _LEVEL_FRAMES:
            self._on_level(level_dbfs(b"".join(self._recent)))
            self._recent.clear()
        if self._delay is None:
            return None
        self._delay.append(pcm)
        return self._delay.popleft() if len(self._delay) > _LOOP_FRAMES else None
