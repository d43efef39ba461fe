"""Packets of the far side that were lost on the way here, as marks in the call's record. Engine thread only.

The jitter buffer conceals what is lost, so the tape has sound where a packet is missing: only PJSIP's counts tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.interfaces import Json
from telephony.quality import Reading, StreamTotals

if TYPE_CHECKING:
    from telephony.live_call import LiveCall

EVERY_NS = 1_000_000_000
KIND = "rtp_loss"
Mark = Callable[["LiveCall", str, Mapping[str, Json]], None]


@dataclass(frozen=True, slots=True)
class _Counts:
    packets: int = 0
    lost: int = 0
    discarded: int = 0

    @classmethod
    def of(cls, totals: StreamTotals, now: Reading | None) -> _Counts:
        """Of the whole call: its streams that ended, and the present one."""
        packets, lost, discarded = totals.received
        if now is None:
            return cls(packets, lost, discarded)
        return cls(packets + now.rx_packets, lost + now.rx_lost, discarded + now.rx_discarded)


@dataclass(slots=True)
class _Followed:
    since_ns: int
    due_ns: int
    told: _Counts


class LossMarks:
    """Looks at each taped call once a second and at its end; marks what was lost since the last look."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._calls: dict[str, _Followed] = {}

    def follow(self, live: Iterable[LiveCall], now_ns: int) -> None:
        """Called on each turn of the engine's loop; a few microseconds unless a look is due."""
        for call in live:
            followed = self._calls.get(call.call_id)
            if followed is None:
                if call.tap is not None:
                    self._calls[call.call_id] = _Followed(now_ns, now_ns + EVERY_NS, self._counts(call))
            elif now_ns >= followed.due_ns:
                followed.due_ns = now_ns + EVERY_NS
                self._look(call, followed, now_ns)

    def end(self, call: LiveCall, now_ns: int) -> None:
        """The last look, before the tap is closed."""
        followed = self._calls.pop(call.call_id, None)
        if followed is not None:
            self._look(call, followed, now_ns)

    def _look(self, call: LiveCall, followed: _Followed, now_ns: int) -> None:
        if call.sip is None:
            return  # its session is over, and was counted when it ended
        now, told = self._counts(call), followed.told
        lost, discarded = max(0, now.lost - told.lost), max(0, now.discarded - told.discarded)
        arrived = max(0, now.packets - told.packets)
        if not arrived and not lost:
            return  # what is missing will be known by the next packet that comes: the span goes on
        followed.told = now
        if lost or discarded:
            milliseconds = (now_ns - followed.since_ns) // 1_000_000
            detail: dict[str, Json] = {"channel": "far", "lost": lost, "discarded": discarded}
            self._mark(call, KIND, detail | {"of": arrived + lost, "ms": milliseconds})
        followed.since_ns = now_ns

    @staticmethod
    def _counts(call: LiveCall) -> _Counts:
        if call.sip is None:
            return _Counts()
        statistics = call.sip.statistics()
        return _Counts.of(call.sip.totals, None if statistics is None else Reading.of(statistics))
