"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S, MOST_S = 1.0, 60.0


class Backoff:
    """Twice as long each time, up to a minute, spread by half so that 200 seats do not come back in one instant."""

    def __init__(
        self,
        first_s: float = FIRST_S,
        most_s: float = MOST_S,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._uniform = uniform
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        whole = min(self._most_s, self._first_s * float(2 ** min(self._tries, 30)))
        self._tries += 1
        return self._uniform(whole / 2, whole)

    def reset(self) -> None:
        """It worked: the next wait is short again."""
        self._tries = 0
