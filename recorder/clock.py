"""Two clocks of a recording: the monotonic one, which says how long, and the wall's, which anybody may set; a bell."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

JUMP_SECONDS = 0.5
"""A wall clock that leaves the monotonic one by more than this has been set."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock was set. ``before`` is what it would have said now, ``after`` what it says."""

    before: str
    after: str
    jump_ms: int


@dataclass(frozen=True, slots=True)
class End:
    """When it ended: by the monotonic clock since the start, and by the wall clock."""

    at: str
    wall_at: str
    monotonic_ms: int


class CallClock:
    """Counts from a call's start. ``started_at``: ISO 8601 in UTC, the wall clock at the first sample.

    ``jump`` on one thread, ``end`` on any.
    """

    def __init__(self, started_at: str) -> None:
        self._began = time.monotonic()
        self._offset = time.time() - self._began
        try:
            self._started = datetime.fromisoformat(started_at).astimezone(UTC)
        except ValueError:
            self._started = datetime.fromtimestamp(time.time(), UTC)

    def jump(self) -> Jump | None:
        """The wall clock's jump since the last look; None when it ran on as it should."""
        now, wall = time.monotonic(), time.time()
        expected = now + self._offset
        if abs(wall - expected) <= JUMP_SECONDS:
            return None
        self._offset = wall - now
        return Jump(_text(_at(expected)), _text(_at(wall)), round((wall - expected) * 1000))

    def end(self) -> End:
        """Now, as the end."""
        ms = round((time.monotonic() - self._began) * 1000)
        return End(_text(self._started + timedelta(milliseconds=ms)), utc_now(), ms)


class Bell:
    """Wakes one waiting thread. A bare lock: half of what a queue costs at each waking, six times a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        """Wake it now, or at its next ``wait``. Any thread; never blocks."""
        with contextlib.suppress(RuntimeError):  # it rings already
            self._lock.release()

    def wait(self, timeout: float | None) -> None:
        """Until it rings, at most ``timeout`` seconds (None: for ever)."""
        self._lock.acquire(timeout=-1 if timeout is None else timeout)


def utc_now() -> str:
    """The wall clock, ISO 8601 in UTC to the millisecond, with ``Z``."""
    return _text(_at(time.time()))


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _text(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
