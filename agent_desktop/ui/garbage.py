"""Python's cycles are collected on the main thread only.

Left to itself the collector runs on whatever thread happens to allocate: the line client's, a pool's. A cycle that
holds a widget or another QObject is then destroyed off the main thread, which Qt does not allow: the process ends in a
segmentation fault, seldom and far from its cause.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1000
WHOLE_EVERY_S = 60.0
"""The oldest generation takes the longest, some tens of milliseconds, and seldom has anything."""


class MainThreadCollector(QObject):
    """Collects by Python's own thresholds, but from Qt's loop. Make it on the main thread, with the application."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._whole_at = time.monotonic() + WHOLE_EVERY_S
        timer = QTimer(self)
        timer.timeout.connect(self.collect)
        timer.start(EVERY_MS)

    def collect(self) -> None:
        """One look at what has gathered."""
        young, middle, old = (count > limit for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True))
        if old and time.monotonic() >= self._whole_at:
            gc.collect()
            self._whole_at = time.monotonic() + WHOLE_EVERY_S
        elif middle:
            gc.collect(1)
        elif young:
            gc.collect(0)
