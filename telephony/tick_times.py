"""When the bridge's ticks are due, and what becomes of them when the clock was held up. Pure; one thread."""

from __future__ import annotations

TICK_NS = 20_000_000
_MOST_BEHIND_NS = 500_000_000
_WINDOW_NS = 6_000_000
_GUARD_NS = 3_000_000
_NUDGE_NS = 100_000
_STEP_NS = 500_000
_FARTHEST_NS = 10_000_000
_PATIENCE = 10
"""Ticks in a row without a packet shortly before them, until others are tried."""
_SWEEP = 100
_REST = 3000


class TickTimes:
    """Times of ticks, 20 ms apart, that follow the arrival of packets within narrow bounds.

    A packet and a tick wake the clock's thread each, and waking costs more than what there is to do. So a tick that is
    due within 6 ms of a packet's arrival is done at once, and the times move, by 0.1 ms a tick, until packets come
    3 ms before them; when they come at quite another time, by 0.5 ms a tick. Times are never more than 10 ms away from
    every 20 ms of the clock: what is counted in ticks stays true to the clock however long the call. Where packets
    cannot be met (two far ends; one that follows our packets in the same way) it is tried for 2 s in a minute.

    All times in nanoseconds of one monotonic clock.
    """

    def __init__(self, now: int) -> None:
        self.due = now + TICK_NS
        """When the next tick is to be done at the latest."""
        self._away = 0
        self._stray = 0
        self._unmet = 0
        self._direction = 0

    def arrived(self, now: int) -> bool:
        """Packets have come before the tick was due. When true the tick is to be done now, and is accounted for."""
        left = self.due - now
        if left > _WINDOW_NS:
            self._stray = left
            return False
        self._unmet = self._direction = self._stray = 0
        if left > _GUARD_NS + _STEP_NS:
            self._move(-_NUDGE_NS)
        elif left < _GUARD_NS - _STEP_NS:
            self._move(_NUDGE_NS)
        self.due += TICK_NS
        return True

    def done(self, now: int) -> int:
        """The tick that was due is done now. Returns how many were given up: all that are late, once they are more
        than half a second's worth; fewer are to be made up for.
        """
        behind = now - self.due
        lost = behind // TICK_NS if behind > _MOST_BEHIND_NS else 0
        if self._stray:
            self._search()
            self._stray = 0
        self.due += (1 + lost) * TICK_NS
        return lost

    def _search(self) -> None:
        """Packets come, but not shortly before a tick."""
        self._unmet += 1
        if self._unmet < _PATIENCE:
            return
        if self._unmet > _PATIENCE + _SWEEP:
            self._unmet = -_REST
            return
        if not self._direction:
            self._direction = -1 if self._stray < TICK_NS // 2 else 1
        if not self._move(self._direction * _STEP_NS):
            self._direction = -self._direction

    def _move(self, by: int) -> bool:
        if abs(self._away + by) > _FARTHEST_NS:
            return False
        self._away += by
        self.due += by
        return True
