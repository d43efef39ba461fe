"""The calls that are up, and those that PJSIP has not let go of yet. Engine thread only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from pjsua2 import pjsua2 as pj

from telephony.bridge import Bridge
from telephony.call import SipCall, operation
from telephony.errors import CommandError
from telephony.live_call import LiveCall, same_but_for_time
from telephony.messages import CallState, Event
from telephony.taping import Taping
from telephony.wiring import unwire, wire

log = logging.getLogger(__name__)

MOST_CALLS = 2
"""Calls of the agent's at a time. This build of PJSIP holds four: a lead's hidden leg and one to refuse come on top."""
_ACK_NS = 32_000_000_000
"""64 times T1, as long as a 200 is repeated (RFC 3261, 13.3.1.4)."""
_GIVE_UP_NS = 2_000_000_000


class CallTable:
    """Every call that is up by its id: found, told, wired, and ended with exactly one record each."""

    def __init__(self, bridge: Bridge, taping: Taping, publish: Callable[[Event], None]) -> None:
        self._bridge = bridge
        self._taping = taping
        self._publish = publish
        self._live: dict[str, LiveCall] = {}
        self._published: dict[str, CallState] = {}
        self._leaving: dict[str, SipCall] = {}
        """Sessions whose call has its record or another session, held until PJSIP says DISCONNECTED."""

    @property
    def live(self) -> tuple[LiveCall, ...]:
        """Every call that is up, ringing included, oldest first."""
        return tuple(self._live.values())

    @property
    def full(self) -> bool:
        return len(self._live) >= MOST_CALLS

    @property
    def all_gone(self) -> bool:
        """PJSIP holds no call of ours any more."""
        return not self._live and not self._leaving

    # --- find: each raises CommandError ---

    def known(self, call_id: str) -> LiveCall:
        call = self._live.get(call_id)
        if call is None:
            raise CommandError("no_such_call", "no call of this id is up")
        return call

    def active(self, call_id: str) -> LiveCall:
        call = self.known(call_id)
        if call.state != "active" or call.ended_here:
            raise CommandError("wrong_state", "the call is not active")
        return call

    def ringing_here(self, call_id: str) -> LiveCall:
        call = self.known(call_id)
        if call.outbound or call.state != "ringing" or call.ended_here:
            raise CommandError("wrong_state", "the call is not ringing here")
        return call

    def find(self, call_id: str) -> LiveCall | None:
        return self._live.get(call_id)

    # --- change ---

    def add(self, call: LiveCall) -> None:
        self._live[call.call_id] = call

    def forget(self, call: LiveCall) -> None:
        """A call that was never begun: it has no record."""
        self._live.pop(call.call_id, None)

    def tell(self, call: LiveCall) -> None:
        """Connect what the calls' states allow, and publish this one's state when it says something new."""
        wire(self._bridge, self._live.values())
        event = call.event()
        before = self._published.get(call.call_id)
        if before is None or not same_but_for_time(before, event):
            self._published[call.call_id] = event
            self._publish(event)

    def leave(self, call: LiveCall, code: int = 0) -> None:
        """Hang up, cancel, or refuse with this SIP code. The record follows when the far end confirms, or in 2 s."""
        if call.ended_here:
            return
        call.ended_here = True
        call.give_up_ns = time.monotonic_ns() + _GIVE_UP_NS
        self._taping.stop_frames(call)
        self._unwire(call)
        try:
            attempt(call, lambda sip: sip.hangup(operation(code)))
        except CommandError as error:
            log.warning("a hang up was too late: %s", error.message)

    def refuse(self, call: LiveCall, code: int, reason: str) -> None:
        """Refuse a call before it rings, and record it. Inside PJSIP's callback."""
        if call.sip is not None:
            call.sip.refuse(code)
            self._leaving[call.call_id] = call.sip
        self.end(call, code, reason)

    def release(self, sip: SipCall) -> None:
        """Hold a session that is no call's any more until PJSIP lets go of it."""
        self._leaving[sip.call_id] = sip

    def disconnected(self, call_id: str) -> LiveCall | None:
        """PJSIP let go of a session; the call that it was, if that has no record yet."""
        sip = self._leaving.pop(call_id, None)
        del sip  # the last reference, dropped here and on this thread
        return self._live.get(call_id)

    def hush(self, call: LiveCall) -> None:
        """The call's session is over though its record is not written: let go of all that PJSIP has taken down."""
        if call.sip is not None:
            call.totals = dict(call.sip.totals.values)
        self._taping.stop_frames(call)
        self._unwire(call)
        call.sip = None

    def end(self, call: LiveCall, sip_code: int, reason: str) -> None:
        """The call is over: say so, and write its record."""
        self._live.pop(call.call_id, None)
        self._published.pop(call.call_id, None)
        self._taping.stop_frames(call)
        self._unwire(call)
        self._taping.end(call, call.cause(sip_code))
        call.state = "ended"
        self._publish(call.event())
        quality = dict(call.sip.totals.values) if call.sip is not None else call.totals
        self._publish(call.ended(sip_code, reason, quality))

    def overdue(self, now_ns: int) -> list[LiveCall]:
        """Calls whose far end does not confirm our hang up; their sessions are held on."""
        late = [call for call in self._live.values() if call.give_up_ns and now_ns > call.give_up_ns]
        for call in late:
            if call.sip is not None:
                self._leaving[call.call_id] = call.sip
        return late

    def leave_unacknowledged(self, now_ns: int) -> None:
        """Hang up calls whose far end never acknowledges our 200: PJSIP would try BYE for as long again."""
        for call in self.live:
            accepted_ns = call.sip.accepted_ns if call.sip is not None else 0
            if accepted_ns and not call.answered_at and now_ns - accepted_ns > _ACK_NS:
                call.unacknowledged = True
                self.leave(call)

    def abandon(self) -> None:
        """Write the record of calls that did not end in time, and let go of PJSIP's objects."""
        for call in self.live:
            self.end(call, 0, "")
        self._leaving.clear()

    def _unwire(self, call: LiveCall) -> None:
        unwire(self._bridge, call, self._live.values())
        wire(self._bridge, self._live.values())


def attempt(call: LiveCall, action: Callable[[SipCall], None]) -> None:
    """Do something to the call's session. Raises ``CommandError`` when PJSIP will not."""
    if call.sip is None:
        raise CommandError("wrong_state", "the call is over")
    try:
        action(call.sip)
    except pj.Error as error:
        raise CommandError("sip_error", "the far end's session does not allow this now") from error
