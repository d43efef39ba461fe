"""Reading the change sequence: a page of what one user may hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.auth.principal import Principal
from collection_server.calls import service as calls
from collection_server.calls.tables import Call
from collection_server.cases import service as cases
from collection_server.cases.tables import Case, Contact
from collection_server.notes import service as notes
from collection_server.notes.tables import Note
from collection_server.problems import Problem
from collection_server.sync import changes
from collection_server.sync.schemas import ChangeData, ChangeOut, SyncOut
from collection_server.sync.tables import Change

_KINDS = ("case", "contact", "note", "call")
T = TypeVar("T", Case, Contact, Note, Call)


def read_page(session: Session, who: Principal, since: int, limit: int) -> SyncOut:
    """Changes after ``since``, at most ``limit``. Raises 409 ``sync_ahead``."""
    head = changes.head(session)
    if since > head or changes.was_never_given(session, since):
        raise Problem(409, "sync_ahead", "This server is behind that number; start again from 0.")
    query = select(Change).where(Change.scope == who.user_id, Change.seq > since, Change.seq <= head)
    rows = list(session.scalars(query.order_by(Change.seq).limit(limit + 1)))
    page = rows[:limit]
    more = len(rows) > limit
    objects = _Objects(session, who.user_id, page)
    out = [change for row in _without_repeats(page) if (change := objects.change(row)) is not None]
    return SyncOut(changes=out, next=page[-1].seq if more else head, more=more)


def _without_repeats(page: list[Change]) -> Iterator[Change]:
    """Each object once, where it first stands, so that a case stays before what belongs to it."""
    seen: set[tuple[str, str]] = set()
    for change in page:
        key = (change.kind, change.object_id)
        if change.op == "delete":
            seen.clear()  # what comes after a delete has to be told again
        elif key in seen:
            continue
        else:
            seen.add(key)
        yield change


class _Objects:
    """The objects that a page of changes names, as they are now, as far as the user may hold them."""

    def __init__(self, session: Session, user_id: str, page: list[Change]) -> None:
        self._session = session
        self._user_id = user_id
        self._data: dict[tuple[str, str], ChangeData] = {}
        wanted = {kind: {c.object_id for c in page if c.kind == kind and c.op == "upsert"} for kind in _KINDS}
        self._load_cases(wanted["case"])
        self._load_contacts(wanted["contact"])
        self._load_notes(wanted["note"])
        self._load_calls(wanted["call"])

    def change(self, row: Change) -> ChangeOut | None:
        """None for an object that has gone to somebody else; its case's ``delete`` follows or came."""
        if row.op == "delete":
            return ChangeOut(seq=row.seq, kind="case", id=row.object_id, op="delete", data=None)
        data = self._data.get((row.kind, row.object_id))
        if data is None:
            return None
        return ChangeOut.model_construct(seq=row.seq, kind=row.kind, id=row.object_id, op="upsert", data=data)

    def _load_cases(self, ids: set[str]) -> None:
        found = [case for case in self._fetch(Case, ids) if case.owner_id == self._user_id]
        for out in cases.cases_out(self._session, found):
            self._data["case", out.id] = out

    def _load_contacts(self, ids: set[str]) -> None:
        found = self._fetch(Contact, ids)
        held = self._held({contact.case_id for contact in found})
        for contact in found:
            if contact.case_id in held:
                self._data["contact", contact.id] = cases.contact_out(contact)

    def _load_notes(self, ids: set[str]) -> None:
        found = self._fetch(Note, ids)
        held = self._held({note.case_id for note in found})
        for out in notes.notes_out(self._session, [note for note in found if note.case_id in held]):
            self._data["note", out.id] = out

    def _load_calls(self, ids: set[str]) -> None:
        found = self._fetch(Call, ids)
        held = self._held({call.case_id for call in found if call.case_id})
        for call in found:
            mine = call.case_id in held if call.case_id else call.agent_id == self._user_id
            if mine:
                self._data["call", call.id] = calls.call_out(call)

    def _held(self, case_ids: set[str]) -> set[str]:
        query = select(Case.id).where(Case.id.in_(case_ids), Case.owner_id == self._user_id)
        return set(self._session.scalars(query))

    def _fetch(self, table: type[T], ids: set[str]) -> list[T]:
        return list(self._session.scalars(select(table).where(table.id.in_(ids)))) if ids else []
