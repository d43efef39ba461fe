"""Which seats are there: by their sockets, else by when they last said something."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

QUIET_SECONDS = 30.0
"""How long a seat without a socket counts as there after it put its state."""


class Presence:
    """Deadlines after which a seat without a socket is offline. Any thread."""

    def __init__(self, away_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._away = away_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._sockets: dict[str, int] = {}
        self._deadlines: dict[str, float] = {}

    def socket_opened(self, seat_id: str) -> None:
        with self._lock:
            self._sockets[seat_id] = self._sockets.get(seat_id, 0) + 1
            self._deadlines.pop(seat_id, None)

    def socket_closed(self, seat_id: str) -> None:
        with self._lock:
            left = self._sockets.pop(seat_id, 1) - 1
            if left:
                self._sockets[seat_id] = left
            else:
                self._deadlines[seat_id] = self._clock() + self._away

    def heard(self, seat_id: str) -> None:
        """The seat put its state by itself."""
        self._wait(seat_id, QUIET_SECONDS)

    def expect(self, seat_ids: Iterable[str]) -> None:
        """Seats that were there when the server last ran: they have until the deadline to come back."""
        for seat_id in seat_ids:
            self._wait(seat_id, self._away)

    def _wait(self, seat_id: str, seconds: float) -> None:
        with self._lock:
            if seat_id not in self._sockets:
                until = self._clock() + seconds
                self._deadlines[seat_id] = max(until, self._deadlines.get(seat_id, 0.0))

    def is_there(self, seat_id: str) -> bool:
        """Whether the seat has come back since it was ``gone``."""
        with self._lock:
            return seat_id in self._sockets or seat_id in self._deadlines

    def gone(self) -> list[str]:
        """Seats whose deadline has passed; each is named once."""
        now = self._clock()
        with self._lock:
            found = [seat_id for seat_id, until in self._deadlines.items() if until <= now]
            for seat_id in found:
                del self._deadlines[seat_id]
        return found
