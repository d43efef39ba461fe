"""The order of today's work, kept in memory: only what has changed is read and placed again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime, tzinfo

from agent_desktop.domain.models import QueueItem
from agent_desktop.domain.work_order import CaseFacts, Placed, is_work, place

READ_ALL_FROM = 200
"""From so many changed cases on, reading all of them is quicker."""


class WorkQueue:
    """``read(ids)`` gives the facts of those cases, of all when None. Thread-safe."""

    def __init__(self, read: Callable[[Iterable[str] | None], list[CaseFacts]]) -> None:
        self._read = read
        self._reading = threading.Lock()
        self._marking = threading.Lock()
        self._dirty: set[str] | None = None
        """Ids to read again; None: all."""
        self._facts: dict[str, CaseFacts] = {}
        self._placed: dict[str, Placed] = {}
        self._day: date | None = None
        self._order: list[QueueItem] = []

    def mark(self, case_ids: Iterable[str]) -> None:
        """These cases have changed, come or gone."""
        with self._marking:
            if self._dirty is not None:
                self._dirty.update(case_ids)

    def ordered(self, now: datetime, today: date, zone: tzinfo | None) -> list[QueueItem]:
        """All of today's work, first to do first. Raises what ``read`` raises."""
        with self._reading:
            if self._refresh(now, today, zone):
                self._order = [item for _, item in sorted(self._placed.values(), key=_key)]
            return list(self._order)

    def _refresh(self, now: datetime, today: date, zone: tzinfo | None) -> bool:
        with self._marking:
            dirty, self._dirty = self._dirty, set()
        try:
            fresh = self._read_again(dirty)
        except BaseException:
            with self._marking:
                self._dirty = None
            raise
        new_day, self._day = today != self._day, today
        for case_id in list(self._facts) if new_day else fresh:
            self._place(case_id, now, zone)
        return new_day or bool(fresh)

    def _read_again(self, dirty: set[str] | None) -> set[str]:
        """Bring the facts up to date; returns the ids of the cases that must be placed again."""
        if dirty is not None and not dirty:
            return set()
        if dirty is None or len(dirty) >= READ_ALL_FROM:
            before = set(self._facts)
            self._facts = {facts.case.id: facts for facts in self._read(None)}
            return before | set(self._facts)
        found = {facts.case.id: facts for facts in self._read(dirty)}
        for case_id in dirty - set(found):
            self._facts.pop(case_id, None)
        self._facts.update(found)
        return dirty

    def _place(self, case_id: str, now: datetime, zone: tzinfo | None) -> None:
        facts = self._facts.get(case_id)
        if facts is None or not is_work(facts):
            self._placed.pop(case_id, None)
        else:
            self._placed[case_id] = place(facts, now, zone)


def _key(placed: Placed) -> tuple[int, int, int, int, str]:
    return placed[0]
