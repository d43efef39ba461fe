"""The store's side of synchronising: the outbox, and the server's changes with their cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from agent_desktop.domain.models import Call, Case, Contact, ContactState, Note
from agent_desktop.domain.sync import Change, ChangePage, Operation, OperationResult, OutboxCounts
from agent_desktop.store import schema
from agent_desktop.store.database import Database
from agent_desktop.store.rows import case_row, contact_row, row_operation
from agent_desktop.store.work import upsert, write_calls, write_notes

_CASE_TABLES = (schema.contacts, schema.notes, schema.promises, schema.calls, schema.drafts)


class OutboxStore:
    """Operations in the order they were made. Raises ``DeskError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int) -> list[Operation]:
        """The oldest operations that the server has not taken."""
        outbox = schema.outbox
        query = select(outbox).where(outbox.c.state == "waiting").order_by(outbox.c.position).limit(limit)
        return self._database.read(
            lambda connection: [row_operation(row) for row in connection.execute(query).mappings()]
        )

    def settle(self, results: Iterable[OperationResult]) -> None:
        """Drop what the server has taken; keep, and mark, what it refused for good."""
        taken = [r.id for r in results if r.status in ("done", "repeated")]
        refused = [{"which": r.id, "why": r.code} for r in results if r.status == "refused"]
        outbox = schema.outbox
        mark = update(outbox).where(outbox.c.id == bindparam("which"))
        mark = mark.values(state="refused", code=bindparam("why"))

        def work(connection: Connection) -> None:
            connection.execute(outbox.delete().where(outbox.c.id.in_(taken)))
            if refused:
                connection.execute(mark, refused)

        self._database.write(work)

    def counts(self) -> OutboxCounts:
        outbox = schema.outbox
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)

        def count(connection: Connection) -> OutboxCounts:
            by_state = {row[0]: row[1] for row in connection.execute(query)}
            return OutboxCounts(by_state.get("waiting", 0), by_state.get("refused", 0))

        return self._database.read(count)


class ChangeStore:
    """What the server sent. Raises ``DeskError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self) -> int:
        """The sequence number up to which changes are here; 0 at first."""
        query = select(schema.cursor.c.next)
        return self._database.read(lambda connection: connection.scalar(query) or 0)

    def restart(self) -> None:
        """Forget what the server sent, to fetch it all again. Outbox and drafts stay."""

        def work(connection: Connection) -> None:
            for table in schema.cached.sorted_tables:
                if table is not schema.tally:
                    connection.execute(table.delete())

        self._database.write(work)

    def apply(self, page: ChangePage) -> frozenset[str]:
        """Write a page and its cursor in one transaction; returns the ids of the cases it touched."""
        return self._database.write(lambda connection: _apply(connection, page))


def _apply(connection: Connection, page: ChangePage) -> frozenset[str]:
    pending = _pending(connection)
    touched: set[str] = set()
    # Only the last word on a thing counts; the order of kinds does not matter to the tables.
    last: dict[tuple[str, str], Change] = {(c.kind, c.id): c for c in page.changes}
    cases, contacts = [], []
    notes: list[Note] = []
    calls: list[Call] = []
    gone = {c.id: c.seq for c in last.values() if c.kind == "case" and c.item is None}
    for change in sorted(last.values(), key=lambda c: c.seq):
        item = change.item
        if item is None:
            touched |= _delete(connection, change)
            continue
        if not isinstance(item, Case) and change.seq < gone.get(item.case_id, 0):
            continue
        touched.add(item.id if isinstance(item, Case) else item.case_id)
        if isinstance(item, Case):
            cases.append(_merged_case(connection, item, pending))
        elif isinstance(item, Contact):
            contacts.append(_merged_contact(connection, item, pending))
        elif isinstance(item, Note):
            notes.append(item)
        else:
            calls.append(item)
    upsert(connection, schema.cases, cases)
    upsert(connection, schema.contacts, contacts)
    write_notes(connection, notes)
    write_calls(connection, calls)
    statement = insert(schema.cursor).values(id=1, next=page.next)
    statement = statement.on_conflict_do_update(index_elements=["id"], set_={"next": page.next})
    connection.execute(statement)
    return frozenset(touched - {""})


def _pending(connection: Connection) -> set[str]:
    """Cases and contacts with an operation that the server has not taken: what we did to them is newer."""
    outbox = schema.outbox
    return set(connection.scalars(select(outbox.c.subject).where(outbox.c.state == "waiting")))


def _merged_case(connection: Connection, case: Case, pending: set[str]) -> dict[str, Any]:
    row = case_row(case)
    if case.id in pending:
        cases = schema.cases
        query = select(cases.c.next_follow_up_at, cases.c.last_contact_at).where(cases.c.id == case.id)
        mine = connection.execute(query).mappings().first()
        row.update(mine or {})
    return row


def _merged_contact(connection: Connection, contact: Contact, pending: set[str]) -> dict[str, Any]:
    row = contact_row(contact)
    if contact.id in pending and contact.state is not ContactState.DO_NOT_CALL:
        contacts = schema.contacts
        mine = connection.scalar(select(contacts.c.state).where(contacts.c.id == contact.id))
        row["state"] = mine or row["state"]
    return row


def _delete(connection: Connection, change: Change) -> set[str]:
    if change.kind == "case":
        for table in _CASE_TABLES:
            connection.execute(table.delete().where(table.c.case_id == change.id))
        connection.execute(schema.cases.delete().where(schema.cases.c.id == change.id))
        return {change.id}
    table = {"contact": schema.contacts, "note": schema.notes, "call": schema.calls}[change.kind]
    case_id = connection.scalar(select(table.c.case_id).where(table.c.id == change.id))
    connection.execute(table.delete().where(table.c.id == change.id))
    if change.kind == "note":
        connection.execute(schema.promises.delete().where(schema.promises.c.note_id == change.id))
    return {str(case_id)} if case_id else set()
