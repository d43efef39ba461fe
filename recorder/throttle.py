"""How much of the line uploads may use, all of them together."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

_BLOCK = 16_384
_CATCH_UP_SECONDS = 0.1
"""A sleep ends late on a busy machine: so much is made up for. More is not: there are no bursts after a rest."""


class Throttle:
    """Hands out the line in turn, ``bytes_per_second`` of it; 0: no limit. Any thread; set at any time."""

    def __init__(
        self,
        bytes_per_second: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.bytes_per_second = bytes_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait(self, size: int) -> None:
        """Return when ``size`` more bytes may be sent."""
        rate = self.bytes_per_second
        if rate <= 0:
            return
        with self._lock:
            now = self._clock()
            begin = max(now - _CATCH_UP_SECONDS, self._free_at)
            self._free_at = begin + size / rate
        if begin > now:
            self._sleep(begin - now)

    def body(self, data: bytes) -> bytes | ThrottledBody:
        """``data`` as the body of a request, as slow as it must be."""
        return ThrottledBody(data, self) if self.bytes_per_second > 0 else data


class ThrottledBody(io.BytesIO):
    """A body that is read no faster than the line may be used."""

    def __init__(self, data: bytes, throttle: Throttle) -> None:
        super().__init__(data)
        self._throttle = throttle
        self._size = len(data)

    def __len__(self) -> int:
        return self._size

    def read(self, size: int | None = -1) -> bytes:
        block = super().read(_BLOCK if size is None or size < 0 else min(size, _BLOCK))
        if block:
            self._throttle.wait(len(block))
        return block
