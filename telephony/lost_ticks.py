"""Ticks that PJMEDIA's own clock gave up. Media clock's thread."""

from __future__ import annotations

from telephony.tick_times import TICK_NS

_LATE_NS = 30_000_000
_LATE_TICKS = 3


class LostTicks:
    """PJMEDIA's clock gives up on ticks when it was held up for more than half a second, and does not say so.

    It shows as ticks in a row at the normal pace while their number is behind the monotonic clock.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """The clock is about to start. Engine thread, while no clock runs."""
        self._counted = self._origin = self._previous = self._late = 0

    def tick(self, now: int) -> int:
        """A tick at this time (ns); how many were lost before it, told once."""
        if not self._origin or now - self._counted < self._origin:
            self._origin = now - self._counted
        behind = now - self._origin - self._counted
        at_pace = now - self._previous > TICK_NS // 2
        self._previous = now
        self._late = self._late + 1 if at_pace and behind > _LATE_NS else 0
        lost = 0
        if self._late == _LATE_TICKS:
            lost = behind // TICK_NS
            self._late = 0
        self._counted += (1 + lost) * TICK_NS
        return lost
