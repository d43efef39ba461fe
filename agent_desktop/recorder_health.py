"""Looks after the spool while no call is up, too: room on its disk, what waits in it, whether it can be written."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from recorder.spool import Spool
from recorder.tap import DISK_LOW
from telephony.messages import RecorderHealth

log = logging.getLogger(__name__)

LOOK_S = 2.0
DISK_FULL = 1_000_000
"""With less than this nothing can be begun."""
_MEGABYTE = 1_000_000
_READY = ".manifest.json"
_SETTLED_NS = 1_000_000_000


class HealthWatch:
    """A thread that reports the spool's health when it has changed. ``publish`` is called on it."""

    def __init__(self, spool: Spool, publish: Callable[[RecorderHealth], None], look_s: float = LOOK_S) -> None:
        self._spool = spool
        self._publish = publish
        self._look_s = look_s
        self._told: RecorderHealth | None = None
        self._seen: tuple[int, tuple[int, str]] | None = None
        """The folder's time of change, and what was in it then."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder-health", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it; may be called without a start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def look(self) -> RecorderHealth:
        """The spool as it is now. Any thread, one at a time."""
        free = self._spool.free_bytes()
        ready, oldest, readable = self._waiting()
        if not readable or not _writable(self._spool.folder):
            problem = "spool_unwritable"
        elif free < DISK_FULL:
            problem = "disk_full"
        else:
            problem = "disk_low" if free < DISK_LOW else ""
        return RecorderHealth(free // _MEGABYTE * _MEGABYTE, ready, oldest, problem)

    def _run(self) -> None:
        while True:
            try:
                health = self.look()
                if health != self._told:
                    self._told = health
                    self._publish(health)
            except Exception:
                log.exception("the spool cannot be looked at")
            if self._stopping.wait(self._look_s):
                return

    def _waiting(self) -> tuple[int, str, bool]:
        """How many recordings are ready, since when the oldest is, and whether that can be told.

        The folder is read again only when it has changed: beside a call this must cost nothing.
        """
        folder = self._spool.folder
        try:
            changed = folder.stat().st_mtime_ns
            found = self._seen[1] if self._seen is not None and self._seen[0] == changed else _ready(folder)
            settled = time.time_ns() - changed > _SETTLED_NS  # two changes may come within one tick of its clock
            self._seen = (changed if settled else -1, found)
        except FileNotFoundError:  # it comes with the first recording
            return 0, "", True
        except OSError:
            return 0, "", False
        return (*found, True)


def _ready(folder: Path) -> tuple[int, str]:
    times = []
    for entry in os.scandir(folder):
        if entry.name.endswith(_READY):
            with contextlib.suppress(FileNotFoundError):  # it was sent a moment ago
                times.append(entry.stat().st_mtime)
    if not times:
        return 0, ""
    oldest = datetime.fromtimestamp(min(times), UTC)
    return len(times), oldest.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _writable(folder: Path) -> bool:
    """A new file can be made there, or in the place where the folder will be made."""
    place = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
