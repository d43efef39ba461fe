"""Hidden legs: a lead who listens to the agent's calls, let in by a signed grant. Engine thread only."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.account import Arrival
from telephony.bridge import Bridge
from telephony.call import SipCall, operation
from telephony.interfaces import Grant, GrantCheck, GrantRefused
from telephony.lines import Line
from telephony.live_call import LiveCall
from telephony.messages import Event, MonitorState
from telephony.notes import MediaNote, Note, StateNote
from telephony.taping import Taping

log = logging.getLogger(__name__)

_MODES = ("listen",)
"""Modes that this engine mixes; a grant for another is refused."""
_MOST_LEGS = 1
"""Of PJSIP's four calls the agent needs two, and one is kept for refusing a third caller."""
_FORBIDDEN, _BUSY = 403, 486


@dataclass(slots=True)
class _Leg:
    leg_id: str
    grant: Grant
    sip: SipCall
    media: Any = None
    calls: tuple[LiveCall, ...] = ()
    """What is listened to: the call that has the headset, or both of a conference."""
    told: str | None = None
    """Call id of the last ``MonitorState``; None before the first."""
    sources: tuple[Any, ...] = ()
    """What was last connected to ``media``."""
    idle_since_ns: int = 0
    over: bool = False


class Monitors:
    """The leads' legs. They hear what the customer hears of the agent, and what the agent hears of the customer."""

    def __init__(
        self,
        check: GrantCheck | None,
        bridge: Bridge,
        taping: Taping,
        wait_s: float,
        notify: Callable[[Note], None],
        publish: Callable[[Event], None],
    ) -> None:
        self._check = check
        self._bridge = bridge
        self._taping = taping
        self._wait_ns = int(wait_s * 1e9)
        self._notify = notify
        self._publish = publish
        self._legs: dict[str, _Leg] = {}

    @property
    def all_gone(self) -> bool:
        return not self._legs

    def admit(self, arrival: Arrival, token: str, line: Line) -> int:
        """Answer a lead's INVITE at once when its grant is good; else the SIP code to refuse it with. Nobody without a
        good grant may learn whether somebody listens. Inside PJSIP's callback.
        """
        if self._check is None:
            return _FORBIDDEN
        try:
            grant = self._check(token)
        except GrantRefused as refused:
            log.warning("a monitoring grant was refused: %s", refused.code)
            return _FORBIDDEN
        if grant.mode not in _MODES:
            log.warning("a monitoring grant was refused: this mode is not offered")
            return _FORBIDDEN
        if len(self._legs) >= _MOST_LEGS:
            return _BUSY
        leg_id = str(uuid.uuid4())
        sip = SipCall(line.account, leg_id, self._notify, arrival.slot)
        self._legs[leg_id] = _Leg(leg_id, grant, sip, idle_since_ns=time.monotonic_ns())
        sip.answer(operation(200))
        return 0

    def note(self, note: Note) -> None:
        """Something happened to a leg; other ids are ignored."""
        leg = self._legs.get(note.call_id)
        if leg is None:
            return
        if isinstance(note, StateNote) and note.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._over(leg)
        elif isinstance(note, MediaNote):
            usable = note.index >= 0 and note.status == pj.PJSUA_CALL_MEDIA_ACTIVE
            leg.media = leg.sip.port(note.index) if usable else None

    def follow(self, live: tuple[LiveCall, ...], now_ns: int) -> None:
        """Keep every leg on what the agent hears; end those that have waited too long for a call. Safe to repeat."""
        calls = _heard(live)
        for leg in self._legs.values():
            if leg.media is not None and not leg.over:
                self._listen(leg, calls)
            if leg.calls:
                leg.idle_since_ns = now_ns
            elif not leg.over and now_ns - leg.idle_since_ns > self._wait_ns:
                self._end(leg)

    def leave_all(self) -> None:
        """End every leg, for the end of the process."""
        for leg in self._legs.values():
            if not leg.over:
                self._end(leg)

    def abandon(self) -> None:
        """Let go of PJSIP's objects."""
        self._legs.clear()

    def _listen(self, leg: _Leg, calls: tuple[LiveCall, ...]) -> None:
        microphone = [self._bridge.headset] if any(call.voice_out for call in calls) else []
        sources = (leg.media, *microphone, *(call.media for call in calls if call.voice_in))
        if sources != leg.sources:
            for source in leg.sources[1:]:
                if source not in sources:
                    self._bridge.route(source, leg.media, False)
            leg.sources = sources
            for source in sources[1:]:
                self._bridge.route(source, leg.media, True)
        if calls != leg.calls or leg.told is None:
            self._tell(leg, calls)

    def _tell(self, leg: _Leg, calls: tuple[LiveCall, ...]) -> None:
        before, leg.calls = leg.calls, calls
        self._mark(leg, "monitor_ended", [call for call in before if call not in calls])
        self._mark(leg, "monitor_started", [call for call in calls if call not in before])
        told = calls[0].call_id if calls else ""
        if told != leg.told:
            leg.told = told
            self._publish(self._state(leg, True))

    def _mark(self, leg: _Leg, kind: str, calls: Iterable[LiveCall]) -> None:
        for call in calls:
            self._taping.mark(call, kind, {"grant_id": leg.grant.grant_id, "mode": leg.grant.mode})

    def _over(self, leg: _Leg) -> None:
        del self._legs[leg.leg_id]
        self._mark(leg, "monitor_ended", leg.calls)
        if leg.told is not None:
            self._publish(self._state(leg, False))

    def _end(self, leg: _Leg) -> None:
        leg.over = True
        try:
            leg.sip.hangup(operation())
        except pj.Error as error:
            log.warning("a monitoring leg could not be ended: %s", error.reason)

    def _state(self, leg: _Leg, on: bool) -> MonitorState:
        return MonitorState(leg.told or "", leg.grant.grant_id, leg.grant.lead_name, leg.grant.mode, on)


def _heard(live: tuple[LiveCall, ...]) -> tuple[LiveCall, ...]:
    """What the agent hears: the call that has the headset, both of a conference; else the one with media."""
    calls = [call for call in live if call.media is not None and not call.monitored and not call.ended_here]
    talking = [call for call in calls if not call.held]
    return tuple(talking or calls[:1])
