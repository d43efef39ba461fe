"""Two calls and the agent, joined (three-way conference). Engine thread only."""

from __future__ import annotations

from telephony.call_table import CallTable
from telephony.errors import CommandError
from telephony.holding import Holding
from telephony.live_call import LiveCall
from telephony.taping import Taping


class Conference:
    """Joins the two calls that are up, and parts them."""

    def __init__(self, table: CallTable, holding: Holding, taping: Taping) -> None:
        self._table = table
        self._holding = holding
        self._taping = taping

    def join(self) -> None:
        """Both far ends and the agent hear each other. Raises ``CommandError``."""
        calls = [call for call in self._table.live if call.state == "active" and not call.ended_here]
        if len(calls) != 2 or any(call.monitored for call in calls):
            raise CommandError("wrong_state", "there are no two answered calls to be joined")
        for call in calls:
            if not call.conference:
                call.conference = True
                self._taping.mark(call, "conference_started")
        for call in calls:
            self._holding.set(call, False)
            self._table.tell(call)

    def part(self, keep: LiveCall | None = None) -> None:
        """The call that had the headset last before, or ``keep``, stays with the agent; the other one is held."""
        calls = self.parties()
        if not calls:
            return
        stays = keep if keep is not None else max(calls, key=lambda call: call.headset_ns)
        for call in calls:
            self._leave(call)
        for call in calls:
            self._holding.set(call, call is not stays)
            self._table.tell(call)

    def parties(self) -> list[LiveCall]:
        """The calls that are joined; none or two."""
        return [call for call in self._table.live if call.conference and not call.ended_here]

    def ended(self, call: LiveCall) -> None:
        """One party has gone: the other goes on as a plain call."""
        if not call.conference:
            return
        for party in [call, *self.parties()]:
            self._leave(party)
            if party is not call:
                self._table.tell(party)

    def _leave(self, call: LiveCall) -> None:
        if call.conference:
            call.conference = False
            self._taping.mark(call, "conference_ended")
