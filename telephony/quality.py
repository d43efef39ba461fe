"""A call's line quality: what RTCP and the jitter buffer count, live and for its record. Engine thread only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telephony.emodel import mean_opinion_score, rating
from telephony.interfaces import FRAME_MS
from telephony.messages import CallQuality, Event

if TYPE_CHECKING:
    from telephony.live_call import LiveCall

EVERY_NS = 2_000_000_000
UNKNOWN = -1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One stream's counts since it began. A time that is not known is −1."""

    rx_packets: int = 0
    rx_lost: int = 0
    """Missing in the far side's sequence numbers."""
    rx_discarded: int = 0
    """Arrived, but too late or too early for the jitter buffer."""
    rx_jitter_ms: float = UNKNOWN
    """Interarrival jitter (RFC 3550) of the last packets."""
    mean_jitter_ms: float = UNKNOWN
    tx_packets: int = 0
    tx_lost: int = 0
    """Of what we sent, as the far side's last report says."""
    tx_jitter_ms: float = UNKNOWN
    reports: int = 0
    """How many reports the far side has sent."""
    rtt_ms: float = UNKNOWN
    mean_rtt_ms: float = UNKNOWN
    buffer_ms: float = 0.0
    """How long the jitter buffer holds a frame, on average."""

    @classmethod
    def of(cls, statistics: Any) -> Reading:
        """From PJSIP's ``StreamStat``."""
        rx, tx, rtt = statistics.rtcp.rxStat, statistics.rtcp.txStat, statistics.rtcp.rttUsec
        return cls(
            rx_packets=int(rx.pkt),
            rx_lost=int(rx.loss),
            rx_discarded=int(rx.discard),
            rx_jitter_ms=_ms(rx.jitterUsec, rx.jitterUsec.last),
            mean_jitter_ms=_ms(rx.jitterUsec, rx.jitterUsec.mean),
            tx_packets=int(tx.pkt),
            tx_lost=int(tx.loss),
            tx_jitter_ms=_ms(tx.jitterUsec, tx.jitterUsec.last),
            reports=int(tx.updateCount),
            rtt_ms=_ms(rtt, rtt.last),
            mean_rtt_ms=_ms(rtt, rtt.mean),
            buffer_ms=float(statistics.jbuf.avgDelayMsec),
        )

    def loss_pct(self, before: Reading) -> float:
        """Lost or discarded of what the far side sent since ``before``; −1 when that was nothing."""
        lost = max(0, self.rx_lost - before.rx_lost)
        expected = self.rx_packets - before.rx_packets + lost
        discarded = max(0, self.rx_discarded - before.rx_discarded)
        return _percent(lost + discarded, expected)

    @property
    def delay_ms(self) -> float:
        """Mouth to ear, one way, as far as it is known here: half the round trip, the jitter buffer, one frame."""
        return max(0.0, self.rtt_ms) / 2 + self.buffer_ms + FRAME_MS


class StreamTotals:
    """RTP counts of a call, added up over its streams (a hold makes PJSIP start a new one), and its ratings."""

    def __init__(self) -> None:
        self._streams: list[Reading] = []
        self._codec = ""
        self._ratings: list[float] = []

    def add(self, statistics: Any, codec: str) -> None:
        """Add the counts of a stream that ends."""
        reading = Reading.of(statistics)
        self._streams.append(reading)
        self._codec = codec or self._codec
        if not self._ratings:  # it was too short to be rated while it lasted
            self.rate(reading, Reading())

    def rate(self, now: Reading, before: Reading, codec: str = "") -> tuple[float, float, float]:
        """Loss in percent, rating and MOS of what was heard between two readings; −1 for what is not known."""
        self._codec = codec or self._codec
        loss = now.loss_pct(before)
        r = rating(self._codec, loss, now.delay_ms) if loss >= 0 else None
        if r is None:
            return loss, UNKNOWN, UNKNOWN
        self._ratings.append(r)
        return loss, r, mean_opinion_score(r)

    @property
    def received(self) -> tuple[int, int, int]:
        """Packets that came, were lost and were discarded, in the streams that have ended."""
        streams = self._streams
        return sum(s.rx_packets for s in streams), sum(s.rx_lost for s in streams), sum(s.rx_discarded for s in streams)

    @property
    def values(self) -> dict[str, Any]:
        """``CallEnded.quality``, as far as it is known; empty for a call without media."""
        if not self._streams:
            return {}
        found: dict[str, Any] = {"codec": self._codec}
        for name in ("rx_packets", "rx_lost", "rx_discarded", "tx_packets", "tx_lost"):
            found[name] = sum(getattr(stream, name) for stream in self._streams)
        self._mean(found, "rx_jitter_ms", "mean_jitter_ms", "rx_packets")
        self._mean(found, "tx_jitter_ms", "tx_jitter_ms", "tx_packets")
        self._mean(found, "rtt_ms", "mean_rtt_ms", "reports")
        if self._ratings:
            scores = [mean_opinion_score(r) for r in self._ratings]
            found["r_factor"] = round(sum(self._ratings) / len(self._ratings), 1)
            found["mos"] = round(sum(scores) / len(scores), 2)
            found["mos_min"] = round(min(scores), 2)
        return found

    def _mean(self, found: dict[str, Any], name: str, of: str, weight: str) -> None:
        known = [(getattr(s, of), max(1, getattr(s, weight))) for s in self._streams if getattr(s, of) >= 0]
        if known:
            found[name] = round(sum(value * n for value, n in known) / sum(n for _, n in known), 2)


@dataclass(slots=True)
class _Followed:
    """A call between two events."""

    due_ns: int
    before: Reading
    reported: Reading
    """When the far side's last report but one came: what it says is of the time since."""
    tx_loss_pct: float = UNKNOWN


class Quality:
    """Tells every 2 s how each active call's line was meanwhile."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._calls: dict[str, _Followed] = {}

    def follow(self, live: Iterable[LiveCall], now_ns: int) -> None:
        """Called on each turn of the engine's loop; a few microseconds unless something is due."""
        heard = [call for call in live if _is_heard(call)]
        for call_id in self._calls.keys() - {call.call_id for call in heard}:
            del self._calls[call_id]
        for call in heard:
            followed = self._calls.get(call.call_id)
            if followed is None:
                first = self._read(call) or Reading()
                self._calls[call.call_id] = _Followed(now_ns + EVERY_NS, first, first)
            elif now_ns >= followed.due_ns:
                followed.due_ns = now_ns + EVERY_NS
                self._tell(call, followed)

    def _tell(self, call: LiveCall, followed: _Followed) -> None:
        now = self._read(call)
        if now is None or call.sip is None:
            return
        if now.rx_packets < followed.before.rx_packets or now.tx_packets < followed.before.tx_packets:
            followed.before = followed.reported = Reading()  # PJSIP has begun a new stream
        loss, r, score = call.sip.totals.rate(now, followed.before, call.codec)
        if now.reports > followed.reported.reports:
            lost, sent = now.tx_lost - followed.reported.tx_lost, now.tx_packets - followed.reported.tx_packets
            followed.tx_loss_pct = _percent(max(0, lost), sent)
            followed.reported = now
        followed.before = now
        self._publish(
            CallQuality(
                call_id=call.call_id,
                codec=call.codec,
                rx_loss_pct=round(loss, 2),
                rx_jitter_ms=round(now.rx_jitter_ms, 2),
                tx_loss_pct=round(followed.tx_loss_pct, 2),
                tx_jitter_ms=round(now.tx_jitter_ms, 2),
                rtt_ms=round(now.rtt_ms, 2),
                r_factor=round(r, 1),
                mos=round(score, 2),
            )
        )

    @staticmethod
    def _read(call: LiveCall) -> Reading | None:
        statistics = call.sip.statistics() if call.sip is not None else None
        return None if statistics is None else Reading.of(statistics)


def _is_heard(call: LiveCall) -> bool:
    return call.state == "active" and not (call.held or call.far_held or call.ended_here)


def _ms(values: Any, microseconds: float) -> float:
    return microseconds / 1000 if values.n else UNKNOWN


def _percent(part: int, whole: int) -> float:
    return min(100.0, 100.0 * part / whole) if whole > 0 else UNKNOWN
