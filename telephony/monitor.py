"""Hidden legs: a lead who listens to the agent's calls, let in by a signed grant. Engine thread only."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.account import Arrival
from telephony.bridge import Bridge
from telephony.call import MediaNote, Note, SipCall, StateNote, operation
from telephony.interfaces import Grant, GrantCheck, GrantRefused
from telephony.lines import Line
from telephony.live_call import LiveCall
from telephony.messages import Event, MonitorState
from telephony.taping import Taping

log = logging.getLogger(__name__)

_MODES = ("listen",)
"""Modes that this engine mixes; a grant for another is refused."""


@dataclass(slots=True)
class _Leg:
    leg_id: str
    grant: Grant
    sip: SipCall
    media: Any = None
    call: LiveCall | None = None
    told: str | None = None
    """Call id of the last ``MonitorState``; None before the first."""
    routes: tuple[Any, ...] = ()
    """What was last connected."""
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

    def admit(self, arrival: Arrival, token: str, line: Line) -> bool:
        """Answer a lead's INVITE at once when its grant is good; False when it is not. Inside PJSIP's callback."""
        if self._check is None:
            return False
        try:
            grant = self._check(token)
        except GrantRefused as refused:
            log.warning("a monitoring grant was refused: %s", refused.code)
            return False
        if grant.mode not in _MODES:
            log.warning("a monitoring grant was refused: this mode is not offered")
            return False
        leg_id = str(uuid.uuid4())
        sip = SipCall(line.account, leg_id, self._notify, arrival.slot)
        self._legs[leg_id] = _Leg(leg_id, grant, sip, idle_since_ns=time.monotonic_ns())
        sip.answer(operation(200))
        return True

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

    def follow(self, current: LiveCall | None, now_ns: int) -> None:
        """Keep every leg on the call that is up; end those that have waited too long for one. Safe to repeat."""
        for leg in self._legs.values():
            if leg.media is not None and not leg.over:
                self._listen(leg, current)
            if leg.call is not None:
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

    def _listen(self, leg: _Leg, current: LiveCall | None) -> None:
        call = current if current is not None and current.media is not None and not current.monitored else None
        voice_out = call is not None and call.voice_out
        routes = (leg.media, voice_out, call.media if call else None, call.voice_in if call else False)
        if routes != leg.routes:
            leg.routes = routes
            self._bridge.route(self._bridge.headset, leg.media, voice_out)
            if call is not None:
                self._bridge.route(call.media, leg.media, call.voice_in)
        if call is not leg.call or leg.told is None:
            self._tell(leg, call)

    def _tell(self, leg: _Leg, call: LiveCall | None) -> None:
        before, leg.call = leg.call, call
        detail = {"grant_id": leg.grant.grant_id, "mode": leg.grant.mode}
        if before is not None:
            self._taping.mark(before, "monitor_ended", detail)
        if call is not None:
            self._taping.mark(call, "monitor_started", detail)
        leg.told = call.call_id if call is not None else ""
        self._publish(self._state(leg, True))

    def _over(self, leg: _Leg) -> None:
        del self._legs[leg.leg_id]
        if leg.call is not None:
            detail = {"grant_id": leg.grant.grant_id, "mode": leg.grant.mode}
            self._taping.mark(leg.call, "monitor_ended", detail)
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
