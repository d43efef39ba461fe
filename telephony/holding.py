"""Hold, resume, and which of two calls has the headset. Engine thread only.

What the agent wants takes effect here at once: nothing is heard or said. The far end is told as soon as the session
allows, since only one offer may be open at a time (RFC 3261, 14.1).
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass

from telephony.call import operation
from telephony.call_table import CallTable, attempt
from telephony.errors import CommandError
from telephony.live_call import LiveCall
from telephony.notes import AnswerNote
from telephony.taping import Taping

log = logging.getLogger(__name__)

_AGAIN_NS = 250_000_000
_GLARE = 491
_TRIES = 4
_ANSWER_NS = 34_000_000_000
"""A re-INVITE has its answer, or PJSIP's own 408, after 32 s."""


@dataclass(slots=True)
class _Wish:
    """A hold or resume that the far end has not confirmed."""

    open_until_ns: int = 0
    """Our offer is on its way until then at the latest; 0 when none is."""
    not_before_ns: int = 0
    tries: int = 0


class Holding:
    """Brings each call's session to what the agent wants."""

    def __init__(self, table: CallTable, taping: Taping) -> None:
        self._table = table
        self._taping = taping
        self._wishes: dict[str, _Wish] = {}

    def set(self, call: LiveCall, on: bool) -> None:
        """Hold or resume; tells of it. The call is active."""
        if call.held == on:
            return
        call.held = on
        if not on:
            call.headset_ns = time.monotonic_ns()
        self._taping.mark(call, "hold" if on else "resume")
        self._table.tell(call)
        self._wishes.setdefault(call.call_id, _Wish()).tries = 0
        self._pursue(call, time.monotonic_ns())

    def make_way(self, newcomer: LiveCall | None = None) -> list[LiveCall]:
        """Hold whichever other call has the headset, and return it. Raises ``CommandError`` while one is dialled."""
        others = [call for call in self._table.live if call is not newcomer and not call.ended_here]
        if any(call.outbound and call.state != "active" for call in others):
            raise CommandError("line_busy", "a call is being dialled")
        talking = [call for call in others if call.talks]
        for call in talking:
            self.set(call, True)
        return talking

    def take(self, call: LiveCall) -> None:
        """Give the headset to this call alone. Raises ``CommandError`` while another one is being dialled."""
        self.make_way(call)
        self.set(call, False)

    def negotiated(self, call: LiveCall, held: bool) -> None:
        """The session's media was negotiated."""
        call.hold_confirmed = held

    def renewed(self, call: LiveCall) -> None:
        """The call has another session, which is not on hold yet."""
        call.hold_confirmed = False
        self._wishes[call.call_id] = _Wish()

    def answered(self, call: LiveCall, note: AnswerNote) -> None:
        """The far end answered a request of ours."""
        wish = self._wishes.get(call.call_id)
        if wish is None or not wish.open_until_ns or note.method != "INVITE":
            return
        now = time.monotonic_ns()
        wish.open_until_ns, wish.not_before_ns = 0, now + _AGAIN_NS
        if note.sip_code == _GLARE:
            low, high = (2.1, 4.0) if call.outbound else (0.0, 2.0)  # RFC 3261, 14.1: the Call-ID's owner waits longer
            wish.not_before_ns = now + int(random.uniform(low, high) * 1e9)  # noqa: S311
        elif note.sip_code >= 300:
            wish.not_before_ns = now + 4 * _AGAIN_NS
            self._refused(call, wish)

    def on_time(self, now_ns: int) -> None:
        """Try again what could not be sent, or was not taken."""
        for call_id in list(self._wishes):
            call = self._table.find(call_id)
            if call is None or call.ended_here:
                del self._wishes[call_id]
            else:
                self._pursue(call, now_ns)

    def _pursue(self, call: LiveCall, now_ns: int) -> None:
        wish = self._wishes[call.call_id]
        if wish.open_until_ns > now_ns or wish.not_before_ns > now_ns:
            return
        if call.hold_confirmed == call.held:
            del self._wishes[call.call_id]
            return
        try:
            if call.held:
                attempt(call, lambda sip: sip.setHold(operation()))
            else:
                attempt(call, lambda sip: sip.reinvite(operation(unhold=True)))
        except CommandError:
            wish.not_before_ns = now_ns + _AGAIN_NS  # another offer is open
        else:
            wish.open_until_ns = now_ns + _ANSWER_NS

    def _refused(self, call: LiveCall, wish: _Wish) -> None:
        """A far end that will not be resumed stays on hold. A hold that it refuses still holds here."""
        wish.tries += 1
        if wish.tries < _TRIES:
            return
        log.warning("the far end does not take our %s", "hold" if call.held else "resume")
        wish.not_before_ns = time.monotonic_ns() + _ANSWER_NS
        if not call.held:
            call.held = True
            self._taping.mark(call, "hold")
            self._table.tell(call)
