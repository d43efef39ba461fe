"""A list of callbacks: how services tell the window that something changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


class Listeners(Generic[T]):
    """Callbacks that are called, in order of joining, on the thread that emits.

    The window joins with a function that only posts to the Qt main thread. Thread-safe. A callback that raises is
    logged and does not keep the others from being called.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: tuple[Callable[[T], None], ...] = ()

    def join(self, callback: Callable[[T], None]) -> Callable[[], None]:
        """Add a callback; the result removes it again."""
        with self._lock:
            self._callbacks = (*self._callbacks, callback)

        def leave() -> None:
            with self._lock:
                self._callbacks = tuple(c for c in self._callbacks if c is not callback)

        return leave

    def emit(self, value: T) -> None:
        """Call every callback with ``value``."""
        for callback in self._callbacks:
            try:
                callback(value)
            except Exception:
                log.exception("a listener failed")
