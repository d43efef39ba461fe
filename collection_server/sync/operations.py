"""Taking a seat's operations: each by itself, each at most once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError
from sqlalchemy.orm import Session

from collection_server.auth.permissions import Role
from collection_server.auth.principal import Principal
from collection_server.calls import service as calls
from collection_server.calls.schemas import CallIn
from collection_server.calls.tables import Call
from collection_server.canonical import NotCanonical, canonical_json, sha256_hex
from collection_server.cases import service as cases
from collection_server.cases.schemas import ContactStateIn
from collection_server.cases.tables import Case, Contact
from collection_server.db import savepoint
from collection_server.notes import service as notes
from collection_server.notes.schemas import NoteIn
from collection_server.notes.tables import Note
from collection_server.sync import changes
from collection_server.sync.schemas import OperationIn, ResultOut
from collection_server.sync.tables import Operation

B = TypeVar("B", bound=BaseModel)


class Refused(Exception):
    """The operation cannot be done. ``tell`` names a contact whose true state the seat is to be told again."""

    def __init__(self, code: str, detail: str, tell: Contact | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.tell = tell


def apply_batch(session: Session, who: Principal, operations: Sequence[OperationIn], now: datetime) -> list[ResultOut]:
    """Apply operations in their order, each in a savepoint."""
    held = _warm(session, operations)  # first: its locks make a repeat in another process wait for the original
    known = _known(session, operations)
    results = [_apply_one(session, who, operation, known, now) for operation in operations]
    del held  # until here: the session itself holds its rows weakly
    return results


def _apply_one(
    session: Session, who: Principal, operation: OperationIn, known: dict[str, Operation], now: datetime
) -> ResultOut:
    digest = _digest(operation)
    if digest is None:
        return _refusal(operation, "bad_request", "data: not representable as JSON")
    if operation.id in known:
        return _repeat(operation, known[operation.id], who, digest)
    row = Operation(
        id=operation.id,
        user_id=who.user_id,
        kind=operation.kind,
        content_sha256=digest,
        code="",
        received_at=now,
    )
    try:
        with savepoint(session):
            row.code = _HANDLERS[operation.kind](session, who, operation, now)
            session.add(row)
    except Refused as refused:
        if refused.code == "id_reused":
            return _after_race(session, who, operation, digest)
        if refused.tell is not None:
            changes.record(session, "contact", refused.tell.id, who.user_id)
        return _refusal(operation, refused.code, refused.detail)
    except IntegrityError:
        return _after_race(session, who, operation, digest)
    except (OperationalError, InterfaceError, InternalError):
        raise
    except DBAPIError:
        return _refusal(operation, "bad_request", "data: a value that cannot be kept")
    known[operation.id] = row
    return ResultOut(id=operation.id, status="done", code=row.code, detail="")


def _after_race(session: Session, who: Principal, operation: OperationIn, digest: str) -> ResultOut:
    """The object exists: by this very operation when another connection was faster (PostgreSQL), else by another."""
    row = session.get(Operation, operation.id)
    if row is not None:
        return _repeat(operation, row, who, digest)
    return _refusal(operation, "id_reused", "An object with this id exists.")


def _repeat(operation: OperationIn, row: Operation, who: Principal, digest: str) -> ResultOut:
    if row.user_id == who.user_id and row.content_sha256 == digest:
        return ResultOut(id=operation.id, status="repeated", code=row.code, detail="")
    return _refusal(operation, "id_reused", "The same id came before with other content.")


def _refusal(operation: OperationIn, code: str, detail: str) -> ResultOut:
    return ResultOut(id=operation.id, status="refused", code=code, detail=detail)


def _digest(operation: OperationIn) -> str | None:
    content = {"kind": operation.kind, "at": operation.at.isoformat(), "data": operation.data}
    try:
        return sha256_hex(canonical_json(content))
    except NotCanonical:
        return None


def _known(session: Session, operations: Sequence[OperationIn]) -> dict[str, Operation]:
    query = select(Operation).where(Operation.id.in_({o.id for o in operations}))
    return {row.id: row for row in session.scalars(query)}


def _warm(session: Session, operations: Sequence[OperationIn]) -> list[Case]:
    """Fetch the batch's cases at once, locked in one order so that two batches cannot wait for each other."""
    ids = {case_id for o in operations if (case_id := _uuid_or_none(o.data.get("case_id")))}
    query = select(Case).where(Case.id.in_(ids)).order_by(Case.id).with_for_update()
    return list(session.scalars(query)) if ids else []


def _uuid_or_none(value: object) -> str | None:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _parse(model: type[B], data: dict[str, Any]) -> B:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("data", *first["loc"]))[:80]
        raise Refused("bad_request", f"{where}: {first['type']}") from error


def _case_to_write(session: Session, who: Principal, case_id: str) -> tuple[Case, bool]:
    """The case, and whether it is somebody else's by now."""
    case = session.get(Case, case_id)
    if case is None:
        raise Refused("not_found", "data.case_id: there is no such case")
    access = cases.write_access(session, who, case)
    if access is None:
        raise Refused("forbidden", "data.case_id: this case was never given to you")
    return case, access == "not_owner"


def _check_contact(session: Session, case: Case | None, contact_id: str) -> None:
    if not contact_id:
        return
    contact = session.get(Contact, contact_id)
    if contact is None or case is None or contact.case_id != case.id:
        raise Refused("bad_request", "data.contact_id: not a contact of this case")


def _add_note(session: Session, who: Principal, operation: OperationIn, now: datetime) -> str:
    note = _parse(NoteIn, operation.data)
    if note.author_id != who.user_id:
        raise Refused("wrong_author", "data.author_id: not the signed-in user")
    case, not_owner = _case_to_write(session, who, note.case_id)
    _check_contact(session, case, note.contact_id)
    if note.promise is not None and note.promise.amount.currency != case.currency:
        raise Refused("bad_request", "data.promise.amount.currency: not the case's currency")
    if session.get(Note, note.id) is not None:
        raise Refused("id_reused", "data.id: a note with this id exists")
    notes.add_note(session, case, note, now, not_owner=not_owner)
    return "not_owner" if not_owner else ""


def _add_call(session: Session, who: Principal, operation: OperationIn, now: datetime) -> str:
    call = _parse(CallIn, operation.data)
    if call.agent_id != who.user_id:
        raise Refused("wrong_author", "data.agent_id: not the signed-in user")
    case, not_owner = _case_to_write(session, who, call.case_id) if call.case_id else (None, False)
    _check_contact(session, case, call.contact_id)
    if session.get(Call, call.id) is not None:
        raise Refused("id_reused", "data.id: a call with this id exists")
    calls.add_call(session, case, call, now, not_owner=not_owner)
    return "not_owner" if not_owner else ""


def _set_contact_state(session: Session, who: Principal, operation: OperationIn, now: datetime) -> str:
    wanted = _parse(ContactStateIn, operation.data)
    contact = session.get(Contact, wanted.contact_id)
    if contact is None:
        raise Refused("not_found", "data.contact_id: there is no such contact")
    case, not_owner = _case_to_write(session, who, contact.case_id)
    if not_owner:
        raise Refused("forbidden", "data.contact_id: the case is somebody else's now")
    at = min(operation.at, now)  # a seat whose clock is ahead must not win over later edits
    if contact.state_at is not None and contact.state_by != who.user_id and contact.state_at > at:
        raise Refused("conflict", "Somebody else changed this contact later.", contact)
    if contact.state == "do_not_call" and wanted.state != "do_not_call" and who.role is not Role.LEAD:
        raise Refused("do_not_call", "Only a lead lifts a do-not-call.", contact)
    contact.state, contact.state_at, contact.state_by = wanted.state.value, at, who.user_id
    changes.record(session, "contact", contact.id, case.owner_id)
    return ""


_Handler = Callable[[Session, Principal, OperationIn, datetime], str]
_HANDLERS: dict[str, _Handler] = {"note.add": _add_note, "call.add": _add_call, "contact.state": _set_contact_state}
