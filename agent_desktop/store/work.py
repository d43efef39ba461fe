"""What the collector does: notes, calls, contact states, drafts; each with its operation in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select, update
from sqlalchemy.dialects.sqlite import Insert, insert

from agent_desktop.domain.models import Call, ContactState, DayFigures, Direction, Draft, Money, Note
from agent_desktop.domain.sync import OpenCall, Operation
from agent_desktop.store import schema
from agent_desktop.store.database import Database
from agent_desktop.store.rows import (
    call_row,
    draft_row,
    note_row,
    open_call_row,
    operation_row,
    promise_row,
    row_call,
    row_draft,
    row_open_call,
    to_us,
)

_INSERT_TALLY = insert(schema.tally).on_conflict_do_nothing()


class WorkStore:
    """Raises ``DeskError``; what a method wrote is on disk when it returns. Any thread but the Qt main thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_note(self, note: Note, operation: Operation) -> None:
        """Keep the note, its promise, the case's next follow-up and the operation; drop the case's draft."""

        def work(connection: Connection) -> None:
            _write_note_of_held_case(connection, note)
            changed: dict[str, Any] = {}
            if note.next_follow_up_at is not None:
                changed["next_follow_up_at"] = to_us(note.next_follow_up_at)
            if note.outcome.reached:
                changed["last_contact_at"] = to_us(note.created_at)
            cases = schema.cases
            if changed:
                connection.execute(update(cases).where(cases.c.id == note.case_id).values(**changed))
            connection.execute(schema.drafts.delete().where(schema.drafts.c.case_id == note.case_id))
            _queue(connection, operation)

        self._database.write(work)

    def add_call(self, call: Call, operation: Operation) -> bool:
        """Keep a call's record and its operation; the call is no longer open. False when it had a record already."""

        def work(connection: Connection) -> bool:
            connection.execute(schema.open_calls.delete().where(schema.open_calls.c.call_id == call.id))
            if _has_record(connection, call.id):
                return False
            write_calls(connection, [call])
            _queue(connection, operation)
            return True

        return self._database.write(work)

    def has_call(self, call_id: str) -> bool:
        """The call has its record here."""
        return self._database.read(lambda connection: _has_record(connection, call_id))

    def last_outbound(self, agent_id: str) -> Call | None:
        """The last call that this person made and whose record is here."""
        calls = schema.calls
        query = select(calls).where(calls.c.agent_id == agent_id, calls.c.direction == Direction.OUTBOUND.value)
        query = query.order_by(calls.c.started_at.desc()).limit(1)

        def one(connection: Connection) -> Call | None:
            row = connection.execute(query).mappings().first()
            return row_call(row) if row else None

        return self._database.read(one)

    def set_contact_state(self, contact_id: str, state: ContactState, operation: Operation) -> str:
        """Mark a contact; returns its case's id, empty when there is no such contact here."""
        contacts = schema.contacts

        def work(connection: Connection) -> str:
            case_id = connection.scalar(select(contacts.c.case_id).where(contacts.c.id == contact_id))
            if case_id is None:
                return ""
            connection.execute(update(contacts).where(contacts.c.id == contact_id).values(state=state.value))
            _queue(connection, operation)
            return str(case_id)

        return self._database.write(work)

    def keep_draft(self, draft: Draft) -> None:
        row = draft_row(draft)
        statement = insert(schema.drafts).values(row)
        statement = statement.on_conflict_do_update(index_elements=["case_id"], set_={"data": row["data"]})
        self._database.write(lambda connection: connection.execute(statement))

    def draft(self, case_id: str) -> Draft | None:
        query = select(schema.drafts).where(schema.drafts.c.case_id == case_id)

        def one(connection: Connection) -> Draft | None:
            row = connection.execute(query).mappings().first()
            return row_draft(row) if row else None

        return self._database.read(one)

    def keep_open_call(self, call: OpenCall) -> None:
        """Remember what a call is about until its record is written; nothing when it is written already."""
        row = open_call_row(call)
        statement = insert(schema.open_calls).values(row)
        statement = statement.on_conflict_do_update(index_elements=["call_id"], set_={"data": row["data"]})

        def work(connection: Connection) -> None:
            if not _has_record(connection, call.call_id):
                connection.execute(statement)

        self._database.write(work)

    def drop_open_call(self, call_id: str) -> None:
        """The call was never made."""
        statement = schema.open_calls.delete().where(schema.open_calls.c.call_id == call_id)
        self._database.write(lambda connection: connection.execute(statement))

    def open_calls(self) -> dict[str, OpenCall]:
        """Calls without a record, by id."""

        def all_(connection: Connection) -> dict[str, OpenCall]:
            rows = connection.execute(select(schema.open_calls)).mappings()
            return {row["call_id"]: row_open_call(row) for row in rows}

        return self._database.read(all_)

    def figures(self, agent_id: str, since: datetime, currency: str = "CNY") -> DayFigures:
        """The agent's figures from ``since`` on."""
        tally = schema.tally
        query = select(
            func.count(tally.c.case_id.distinct()).filter(tally.c.talk_ms.is_(None)),
            func.coalesce(func.sum(tally.c.talk_ms), 0),
            func.count(tally.c.promised),
            func.coalesce(func.sum(tally.c.promised), 0),
        ).where(tally.c.agent_id == agent_id, tally.c.at >= to_us(since))

        def sums(connection: Connection) -> DayFigures:
            cases, talk_ms, promises, promised = connection.execute(query).one()
            return DayFigures(cases, talk_ms // 1000, promises, Money(promised, currency))

        return self._database.read(sums)


def _write_note_of_held_case(connection: Connection, note: Note) -> None:
    """A note on somebody else's case goes to the server; here it only counts."""
    cases = schema.cases
    if connection.scalar(select(cases.c.id).where(cases.c.id == note.case_id)) is not None:
        write_notes(connection, [note])
    else:
        _tally(connection, [_note_tally(note)])


def _has_record(connection: Connection, call_id: str) -> bool:
    calls = schema.calls
    return connection.scalar(select(calls.c.id).where(calls.c.id == call_id)) is not None


def write_notes(connection: Connection, notes: Sequence[Note]) -> None:
    """Insert or replace notes and their promises within a transaction."""
    upsert(connection, schema.notes, [note_row(note) for note in notes])
    promised = [promise_row(note.promise, note.created_at) for note in notes if note.promise]
    upsert(connection, schema.promises, promised)
    _tally(connection, [_note_tally(note) for note in notes])


def _note_tally(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "at": to_us(note.created_at),
        "agent_id": note.author_id,
        "case_id": note.case_id,
        "talk_ms": None,
        "promised": note.promise.amount.minor if note.promise else None,
    }


def write_calls(connection: Connection, calls: Sequence[Call]) -> None:
    """Insert or replace calls' records within a transaction."""
    upsert(connection, schema.calls, [call_row(call) for call in calls])
    _tally(
        connection,
        [
            {
                "id": call.id,
                "at": to_us(call.started_at),
                "agent_id": call.agent_id,
                "case_id": call.case_id,
                "talk_ms": max(0, call.talk_ms),
                "promised": None,
            }
            for call in calls
        ],
    )


def _tally(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(_INSERT_TALLY, rows)


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, replacing those with the same id."""
    if rows:
        connection.execute(_UPSERTS[table.name], rows)


def _upsert_of(table: Table) -> Insert:
    statement = insert(table)
    others = {c.name: statement.excluded[c.name] for c in table.c if c.name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=others)


_UPSERTS = {
    table.name: _upsert_of(table)
    for table in (schema.cases, schema.contacts, schema.notes, schema.promises, schema.calls)
}


def _queue(connection: Connection, operation: Operation) -> None:
    connection.execute(insert(schema.outbox).on_conflict_do_nothing(), operation_row(operation))
