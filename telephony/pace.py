"""At most so often."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class Pace:
    """At most so many in any window of so many seconds."""

    def __init__(self, most: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._window_s, self._clock = most, window_s, clock
        self._times: deque[float] = deque()

    def take(self, count: int = 1) -> bool:
        """Count so many more, unless that were too many."""
        now = self._clock()
        while self._times and now - self._times[0] > self._window_s:
            self._times.popleft()
        if len(self._times) + count > self._most:
            return False
        self._times.extend([now] * count)
        return True
