"""Reading cases: the queue's facts, one case in full, and which cases a number belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, bindparam, func, or_, select

from agent_desktop.domain.models import (
    Case,
    CaseDetail,
    CaseMatch,
    Contact,
    ContactRow,
    ContactState,
    Direction,
    Outcome,
    Promise,
    PromiseState,
    Relation,
    TimelineEntry,
    TimelineKind,
)
from agent_desktop.domain.numbers import SHORTEST_LOCAL, TAIL_DIGITS, tail
from agent_desktop.domain.work_order import CaseFacts
from agent_desktop.store import schema
from agent_desktop.store.database import Database
from agent_desktop.store.rows import (
    from_us,
    row_call,
    row_case,
    row_contact,
    row_note,
    row_promise,
    to_us,
)

_contacts, _cases, _notes, _calls = schema.contacts, schema.cases, schema.notes, schema.calls
_promises = schema.promises

# Statements are built once: building one costs more than running it.
_CASE = select(_cases).where(_cases.c.id == bindparam("case_id"))
_CASE_CONTACTS = select(_contacts).where(_contacts.c.case_id == bindparam("case_id"))
_CASE_NOTES = select(_notes).where(_notes.c.case_id == bindparam("case_id"))
_CASE_CALLS = select(_calls).where(_calls.c.case_id == bindparam("case_id"))
_CASE_PROMISES = select(_promises).where(_promises.c.case_id == bindparam("case_id")).order_by(_promises.c.made_at)
_BY_NUMBER = select(_contacts).where(_contacts.c.number == bindparam("number"))
_BY_TAIL = select(_contacts).where(_contacts.c.tail == bindparam("tail"))
_CASES_IN = select(_cases).where(_cases.c.id.in_(bindparam("ids", expanding=True)))
_ATTEMPTS = (
    select(_calls.c.number, func.count())
    .where(
        _calls.c.number.in_(bindparam("numbers", expanding=True)),
        _calls.c.started_at >= bindparam("since"),
        _calls.c.direction == Direction.OUTBOUND.value,
    )
    .group_by(_calls.c.number)
)
# SQLite takes the other columns of a group from the row that holds the maximum.
_LAST_NOTES = select(_notes.c.case_id, func.max(_notes.c.created_at), _notes.c.outcome).group_by(_notes.c.case_id)
_LAST_PROMISES = select(_promises, func.max(_promises.c.made_at)).group_by(_promises.c.case_id)
_NUMBERS = select(
    _contacts.c.case_id, _contacts.c.number, _contacts.c.relation, _contacts.c.state, _contacts.c.id
).where(
    _contacts.c.relation.in_([Relation.SELF.value, Relation.SELF_WORK.value]),
    _contacts.c.state.in_([ContactState.VALID.value, ContactState.UNREACHED.value]),
)


class CaseReader:
    """Every answer is one consistent view. Any thread but the Qt main thread; raises ``DeskError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self, case_ids: Iterable[str] | None = None) -> list[CaseFacts]:
        """What the order of work is decided by, for every case here, or for those of ``case_ids`` that are here."""
        ids = None if case_ids is None else list(case_ids)
        return self._database.read(lambda connection: _facts(connection, ids))

    def with_number_ending(self, digits: str) -> set[str]:
        """Ids of cases with a contact whose number ends with ``digits``."""
        query = select(_contacts.c.case_id).where(_contacts.c.number.endswith(digits, autoescape=True))
        return self._database.read(lambda connection: set(connection.scalars(query)))

    def detail(self, case_id: str, day_start: datetime) -> CaseDetail | None:
        """All of a case, or None; ``day_start`` is when today began."""
        return self._database.read(lambda connection: _detail(connection, case_id, day_start))

    def case(self, case_id: str) -> Case | None:
        def one(connection: Connection) -> Case | None:
            row = connection.execute(_CASE, {"case_id": case_id}).mappings().first()
            return row_case(row) if row else None

        return self._database.read(one)

    def match(self, number: str) -> list[CaseMatch]:
        """Cases that the number belongs to, a case once: by E.164, else by its last nine digits."""
        return self._database.read(lambda connection: _match(connection, number))

    def pop(self, number: str, day_start: datetime) -> tuple[list[CaseMatch], CaseDetail | None]:
        """``match`` and, when just one case matches, its ``detail``, in one view."""

        def both(connection: Connection) -> tuple[list[CaseMatch], CaseDetail | None]:
            matches = _match(connection, number)
            alone = len(matches) == 1
            return matches, _detail(connection, matches[0].case.id, day_start) if alone else None

        return self._database.read(both)

    def contact(self, contact_id: str) -> Contact | None:
        query = select(_contacts).where(_contacts.c.id == contact_id)

        def one(connection: Connection) -> Contact | None:
            row = connection.execute(query).mappings().first()
            return row_contact(row) if row else None

        return self._database.read(one)

    def refuses_calls(self, number: str) -> bool:
        """Somebody at this kept number must not be called.

        A number that could not be understood is refused when it may reach one of them all the same: a local number
        without its area code, or one with further digits before or behind it, which exchanges pass over.
        """
        state = ContactState.DO_NOT_CALL.value
        same = _contacts.c.number == number
        if not number.startswith("+"):
            digits = "".join(c for c in number if c.isdigit())
            if len(digits) >= TAIL_DIGITS:
                same = or_(same, and_(_contacts.c.tail != "", func.instr(digits, _contacts.c.tail) > 0))
            elif len(digits) >= SHORTEST_LOCAL:
                same = or_(same, _contacts.c.number.endswith(digits))
        query = select(func.count()).where(same, _contacts.c.state == state)
        return self._database.read(lambda connection: bool(connection.scalar(query)))


def _facts(connection: Connection, ids: list[str] | None) -> list[CaseFacts]:
    def among(query: Select[Any], column: Column[Any]) -> Select[Any]:
        return query if ids is None else query.where(column.in_(ids))

    numbers: dict[str, tuple[Any, ...]] = {}
    for case_id, number, relation, state, contact_id in connection.execute(among(_NUMBERS, _contacts.c.case_id)):
        order = (relation != Relation.SELF.value, state != ContactState.VALID.value, contact_id, number)
        if case_id not in numbers or order < numbers[case_id]:
            numbers[case_id] = order
    last = {
        row[0]: (from_us(row[1]), Outcome(row[2])) for row in connection.execute(among(_LAST_NOTES, _notes.c.case_id))
    }
    promise_rows = connection.execute(among(_LAST_PROMISES, _promises.c.case_id)).mappings()
    promises = {row["case_id"]: row_promise(row) for row in promise_rows}
    found = []
    for row in connection.execute(among(select(_cases), _cases.c.id)).mappings():
        case = row_case(row)
        promise = promises.get(case.id)
        at, outcome = last.get(case.id, (None, None))
        if promise and promise.state is PromiseState.KEPT:
            promise = None
        number = numbers[case.id][-1] if case.id in numbers else ""
        found.append(CaseFacts(case, number, promise, at, outcome))
    return found


def _match(connection: Connection, number: str) -> list[CaseMatch]:
    rows = connection.execute(_BY_NUMBER, {"number": number}).mappings().all()
    if not rows and (ending := tail(number)):
        rows = connection.execute(_BY_TAIL, {"tail": ending}).mappings().all()
    if not rows:
        return []
    by_case: dict[str, Contact] = {}
    for contact in sorted((row_contact(row) for row in rows), key=lambda c: (c.relation.third_party, c.id)):
        by_case.setdefault(contact.case_id, contact)
    cases = connection.execute(_CASES_IN, {"ids": list(by_case)}).mappings()
    found = [CaseMatch(row_case(row), by_case[row["id"]]) for row in cases]
    return sorted(found, key=lambda m: m.case.number)


def _detail(connection: Connection, case_id: str, day_start: datetime) -> CaseDetail | None:
    asked = {"case_id": case_id}
    row = connection.execute(_CASE, asked).mappings().first()
    if row is None:
        return None
    promise_rows = connection.execute(_CASE_PROMISES, asked).mappings().all()
    promises = {p["note_id"]: row_promise(p) for p in promise_rows}
    open_promises = [p for p in promises.values() if p.state is PromiseState.OPEN]
    notes = [row_note(n, promises.get(n["id"])) for n in connection.execute(_CASE_NOTES, asked).mappings()]
    entries = []
    for note in notes:
        entries.append(TimelineEntry(TimelineKind.NOTE, note.created_at, note=note, author_name=note.author_name))
        if note.promise:
            entries.append(_promise_entry(note.promise, note.created_at, note.author_name))
    for call_row_ in connection.execute(_CASE_CALLS, asked).mappings():
        call = row_call(call_row_)
        entries.append(TimelineEntry(TimelineKind.CALL, call.started_at, call=call))
    entries.sort(key=lambda entry: entry.at, reverse=True)
    last: dict[str, tuple[datetime, Outcome]] = {}
    for note in sorted(notes, key=lambda n: n.created_at):
        last[note.contact_id] = (note.created_at, note.outcome)
    return CaseDetail(
        case=row_case(row),
        contacts=_contact_rows(connection, case_id, day_start, last),
        timeline=tuple(entries),
        open_promise=open_promises[-1] if open_promises else None,
    )


def _promise_entry(promise: Promise, at: datetime, author: str) -> TimelineEntry:
    return TimelineEntry(TimelineKind.PROMISE, at, promise=promise, author_name=author)


def _contact_rows(
    connection: Connection, case_id: str, day_start: datetime, last: dict[str, tuple[datetime, Outcome]]
) -> tuple[ContactRow, ...]:
    order = list(Relation)
    contacts = [row_contact(r) for r in connection.execute(_CASE_CONTACTS, {"case_id": case_id}).mappings()]
    contacts.sort(key=lambda c: (c.state is ContactState.DO_NOT_CALL, order.index(c.relation), c.id))
    asked = {"numbers": [c.number for c in contacts], "since": to_us(day_start)}
    attempts = {row[0]: row[1] for row in connection.execute(_ATTEMPTS, asked)}
    rows = []
    for contact in contacts:
        at, outcome = last.get(contact.id, (None, None))
        rows.append(ContactRow(contact, attempts.get(contact.number, 0), outcome, at))
    return tuple(rows)
