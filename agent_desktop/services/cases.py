"""Today's work, the case at a glance, and finding cases."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from agent_desktop.domain.days import local_date
from agent_desktop.domain.models import (
    CaseDetail,
    CaseMatch,
    ContactState,
    DayFigures,
    QueueItem,
    Role,
)
from agent_desktop.domain.sync import Operation
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.listeners import Listeners
from agent_desktop.services.work_queue import WorkQueue

if TYPE_CHECKING:
    from agent_desktop.services.context import DeskContext

log = logging.getLogger(__name__)

MIN_NUMBER_SEARCH = 3
"""Digits from which on a search looks at numbers too."""


class CaseService:
    """Reads from the local store only, so it answers in milliseconds and works without the server."""

    changed: Listeners[frozenset[str]]
    """Ids of cases that have changed here or on the server."""

    def __init__(self, desk: DeskContext) -> None:
        self.changed = Listeners()
        self._desk = desk
        self._work = WorkQueue(desk.store.cases.facts)
        self.changed.join(self._work.mark)

    def queue(self, kind: str = "today", text: str = "") -> list[QueueItem]:
        """Today's work in the order to do it.

        ``kind``: ``today`` (all), ``promise_due`` or ``call_back``. ``text`` narrows by name, number (last digits) or
        case number.
        """
        if kind not in ("today", "promise_due", "call_back"):
            raise ValueError("unknown kind of queue")
        items = [item for item in self._ordered() if kind == "today" or self._is(kind, item)]
        wanted = text.strip().casefold()
        if not wanted:
            return items
        by_number = set()
        if wanted.isdigit() and len(wanted) >= MIN_NUMBER_SEARCH:
            by_number = self._desk.store.cases.with_number_ending(wanted)
        return [
            item
            for item in items
            if wanted in item.case.debtor_name.casefold()
            or wanted in item.case.number.casefold()
            or item.case.id in by_number
        ]

    def counts(self) -> dict[str, int]:
        """How many cases each kind of queue holds."""
        items = self._ordered()
        found = {"today": len(items)}
        for kind in ("promise_due", "call_back"):
            found[kind] = sum(self._is(kind, item) for item in items)
        return found

    def detail(self, case_id: str) -> CaseDetail:
        """All of a case. Raises ``DeskError(NOT_FOUND)``."""
        found = self._desk.store.cases.detail(case_id, self._desk.day_start())
        if found is None:
            raise DeskError(Problem.NOT_FOUND, "no such case here")
        return found

    def match(self, number: str) -> list[CaseMatch]:
        """Cases that the number (any form) belongs to: the local store first, else the server if it can be reached."""
        kept = self._desk.numbers.kept(number)
        found = self._desk.store.cases.match(kept)
        return found or self.match_on_server(kept)

    def match_on_server(self, number: str) -> list[CaseMatch]:
        """Cases of the whole agency that an E.164 number belongs to; none when the server cannot be asked."""
        if not number.startswith("+"):
            return []
        try:
            return self._desk.api.lookup(number)
        except DeskError as error:
            log.info("number not looked up on the server: %s", error)
            return []

    def pop(self, number: str) -> tuple[list[CaseMatch], CaseDetail | None]:
        """Cases here that a kept number belongs to; with the case in full when it is just one (screen pop)."""
        return self._desk.store.cases.pop(number, self._desk.day_start())

    def set_contact_state(self, contact_id: str, state: ContactState) -> None:
        """Mark a contact; kept locally at once and sent to the server.

        Raises ``DeskError`` with ``NOT_FOUND``, or ``FORBIDDEN`` for lifting a do-not-call, which only a lead may.
        """
        desk = self._desk
        contact = desk.store.cases.contact(contact_id)
        if contact is None:
            raise DeskError(Problem.NOT_FOUND, "no such contact here")
        if contact.state is state:
            return
        if contact.state is ContactState.DO_NOT_CALL and desk.user.role is not Role.LEAD:
            raise DeskError(Problem.FORBIDDEN, "only a lead lifts a do-not-call")
        data: dict[str, object] = {"contact_id": contact_id, "state": state.value}
        operation = Operation(str(uuid.uuid4()), "contact.state", desk.clock(), contact_id, data)
        case_id = desk.store.work.set_contact_state(contact_id, state, operation)
        desk.wake()
        self.changed.emit(frozenset({case_id}))

    def figures(self) -> DayFigures:
        """The signed-in collector's figures of today."""
        desk = self._desk
        figures = desk.store.work.figures(desk.user.id, desk.day_start())
        return replace(
            figures,
            cases_target=desk.policy.cases_target,
            talk_target_seconds=desk.policy.talk_target_seconds,
        )

    def _ordered(self) -> list[QueueItem]:
        """The whole order of work."""
        return self._work.ordered(self._desk.clock(), self._desk.today(), self._desk.zone)

    def _is(self, kind: str, item: QueueItem) -> bool:
        """Call-backs are those of today and before; one put off to another day is not work of today."""
        if item.reason != kind:
            return False
        return kind != "call_back" or (
            item.reason_at is not None and local_date(item.reason_at, self._desk.zone) <= self._desk.today()
        )
