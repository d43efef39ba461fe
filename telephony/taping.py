"""Puts a tap on a call when its media starts and takes it off at its end. Engine thread only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping

from telephony.alarms import Loudness
from telephony.bridge import Bridge
from telephony.interfaces import Json, MediaTap, TapFactory
from telephony.live_call import LiveCall
from telephony.loss import LossMarks
from telephony.messages import Levels

log = logging.getLogger(__name__)


class Taping:
    """The recorder may fail; the call goes on. What fails is logged, and seen as a call without a recording."""

    def __init__(
        self, bridge: Bridge, make_tap: TapFactory, on_loudness: Callable[[Loudness], None], widest_rate: int
    ) -> None:
        """``widest_rate``: samples a second of the widest codec that this seat offers."""
        self._bridge = bridge
        self._widest_rate = widest_rate
        self._make_tap = make_tap
        self._on_loudness = on_loudness
        self._taps: dict[str, MediaTap] = {}
        self._losses = LossMarks(self.mark)

    def begin(self, call: LiveCall, rate: int) -> None:
        """Start delivering frames. ``rate``: of the codec. The caller connects the call's tap ports.

        A tape keeps its rate. Sound before the answer says nothing of the codec that follows (decision 25).
        """
        if call.outbound and not call.answered_at:
            rate = max(rate, self._widest_rate)
        tap = None if call.monitored else self._made(call, rate)
        if tap is not None:
            self._taps[call.call_id] = tap
            call.recording_id = str(getattr(tap, "recording_id", ""))
        call_id, notify = call.call_id, self._on_loudness
        call.tap = self._bridge.take_tap(rate)
        call.tap.stream.attach(
            tap, lambda agent, far, *clips: notify(Loudness(Levels(call_id, round(agent, 1), round(far, 1)), *clips))
        )

    def mark(self, call: LiveCall, kind: str, detail: Mapping[str, Json] | None = None) -> None:
        """Tell the tap of something worth a mark."""
        tap = self._taps.get(call.call_id)
        if tap is None:
            return
        try:
            tap.event(kind, detail or {})
        except Exception:
            log.exception("the tap failed on an event")

    def follow(self, live: Iterable[LiveCall], now_ns: int) -> None:
        """A turn of the engine's loop: what the network lost is marked."""
        self._losses.follow(live, now_ns)

    def stop_frames(self, call: LiveCall) -> None:
        """No frame is delivered after this; the ports go back when they are disconnected."""
        self._losses.end(call, time.monotonic_ns())
        if call.tap is not None:
            call.tap.stream.detach()

    def end(self, call: LiveCall, cause: str) -> None:
        """Return the ports and close the tap."""
        if call.tap is not None:
            self._bridge.give_back(call.tap)
            call.tap = None
        tap = self._taps.pop(call.call_id, None)
        if tap is None:
            return
        try:
            tap.close(cause)
        except Exception:
            log.exception("the tap failed on its close")

    def _made(self, call: LiveCall, rate: int) -> MediaTap | None:
        try:
            return self._make_tap(call.facts(rate))
        except Exception:
            log.exception("no tap could be made; the call goes on without")
            return None
