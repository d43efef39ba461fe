"""Decrypted audio, in memory only and not for long."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

KEEP_SECONDS = 300.0
_LOADS_AT_ONCE = 2


class AudioCache:
    """The recordings replayed last, up to a number of bytes. Any thread.

    One that is asked for twice at the same time is decrypted once; at most ``_LOADS_AT_ONCE`` different ones at
    the same time, so that listeners cannot fill the memory.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._loading: dict[str, tuple[threading.Lock, int]] = {}
        self._slots = threading.BoundedSemaphore(_LOADS_AT_ONCE)

    def get(self, key: str, load: Callable[[], bytes]) -> bytes:
        """The audio of ``key``, loaded when it is not at hand. What ``load`` raises is raised."""
        with self._alone(key):
            found = self._find(key)
            if found is None:
                with self._slots:
                    found = load()
                self._keep(key, found)
            return found

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        with self._lock:
            lock, users = self._loading.get(key, (threading.Lock(), 0))
            self._loading[key] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._loading.pop(key)
                if users > 1:
                    self._loading[key] = (lock, users - 1)

    def _find(self, key: str) -> bytes | None:
        with self._lock:
            self._purge()
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][1]

    def _keep(self, key: str, audio: bytes) -> None:
        if len(audio) > self._max:
            return
        with self._lock:
            self._kept[key] = (self._clock(), audio)
            while sum(len(a) for _, a in self._kept.values()) > self._max:
                self._kept.popitem(last=False)

    def _purge(self) -> None:
        limit = self._clock() - KEEP_SECONDS
        for key in [k for k, (at, _) in self._kept.items() if at < limit]:
            del self._kept[key]
