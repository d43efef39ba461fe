"""A collector's calls over a scripted line and the real store."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent_desktop.domain.models import CaseMatch
from agent_desktop.domain.number_places import NumberPlaces
from agent_desktop.services.call_records import CallRecords
from agent_desktop.services.call_tracker import CallTracker
from agent_desktop.services.call_views import CallView
from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.context import DeskContext
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_roster import LineRoster, SeatLine
from agent_desktop.store.store import Store
from telephony import messages
from tests.support.desk_data import ME, SHANGHAI, Clock
from tests.support.scripted_line import ScriptedLine

KEY = secrets.token_bytes(32)
LINE = SeatLine(messages.LineConfig("line-1", "1001", "1001", "pbx.example:5060"))


@dataclass
class Api:
    """The server's lookup, as far as calls ask it."""

    matches: list[CaseMatch] = field(default_factory=list)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    def lookup(self, number: str) -> list[CaseMatch]:
        self.asked.append(number)
        if self.away:
            raise DeskError(Problem.SERVER_AWAY)
        return self.matches


class Room:
    """A collector's calls; the store is empty at first. ``line-1`` unless other lines are given."""

    def __init__(
        self,
        folder: Path,
        api: Api | None = None,
        lines: list[SeatLine] | None = None,
        places: NumberPlaces | None = None,
    ) -> None:
        self.store = Store(folder / "desk.db", KEY)
        self.api = api or Api()
        self.woken = 0
        self.clock = Clock()
        if places is None:
            places = NumberPlaces()
            places.warm_up()
        self.lines = LineRoster(lines or [LINE])
        context = DeskContext(
            user=ME,
            store=self.store,
            api=self.api,  # type: ignore[arg-type]
            wake=self._wake,
            clock=self.clock,
            zone=SHANGHAI,
            lines=self.lines,
            places=places,
        )
        self.line = ScriptedLine()
        self.cases = CaseService(context)
        self.tracker = CallTracker(context, self.cases, CallRecords(context), unseen_end_s=0.1)
        self.calls = CallService(context, self.tracker)
        self.seen: list[CallView] = []
        self.calls.changed.join(self.seen.append)
        self.touched: list[frozenset[str]] = []
        self.cases.changed.join(self.touched.append)

    def _wake(self) -> None:
        self.woken += 1

    def use_line(self) -> None:
        self.calls.use_line(self.line)

    def emit(self, *events: messages.Event) -> None:
        for event in events:
            self.line.events.emit(event)

    def close(self) -> None:
        self.tracker.close()
        self.store.close()

    def records(self) -> list[dict[str, object]]:
        return [o.data for o in self.store.outbox.waiting(99) if o.kind == "call.add"]


def problem_of(call: Callable[..., object], *args: object) -> Problem:
    """What ``call`` is refused with."""
    with pytest.raises(DeskError) as caught:
        call(*args)
    return caught.value.problem
