"""Adding and reading notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.auth.tables import User
from collection_server.cases.tables import Case
from collection_server.notes.schemas import NoteIn, NoteOut, Outcome, PromiseOut
from collection_server.notes.tables import Note, Promise
from collection_server.schemas import Money
from collection_server.sync import changes

_REACHED = frozenset(Outcome) - {Outcome.NO_ANSWER, Outcome.DEAD_NUMBER}


def add_note(session: Session, case: Case, note: NoteIn, now: datetime, *, not_owner: bool) -> Note:
    """Keep a note and its promise, bring the case's dates up to date, and tell the case's owner."""
    row = Note(
        id=note.id,
        case_id=case.id,
        call_id=note.call_id or None,
        contact_id=note.contact_id or None,
        author_id=note.author_id,
        created_at=note.created_at,
        received_at=now,
        outcome=note.outcome.value,
        text=note.text,
        next_follow_up_at=note.next_follow_up_at,
        not_owner=not_owner,
        promise=None,
    )
    if note.promise is not None:
        row.promise = Promise(
            id=note.promise.id,
            case_id=case.id,
            amount=note.promise.amount.minor,
            currency=note.promise.amount.currency,
            due=note.promise.due,
            state=note.promise.state,
        )
    session.add(row)
    _follow(case, note, not_owner)
    changes.record(session, "case", case.id, case.owner_id)
    changes.record(session, "note", note.id, case.owner_id)
    return row


def _follow(case: Case, note: NoteIn, not_owner: bool) -> None:
    if note.outcome in _REACHED and (case.last_contact_at is None or case.last_contact_at < note.created_at):
        case.last_contact_at = note.created_at
    # A note that comes late from the former owner must not undo the new owner's plan.
    if note.next_follow_up_at is not None and not not_owner:
        case.next_follow_up_at = note.next_follow_up_at


def of_case(session: Session, case_id: str) -> list[Note]:
    return list(session.scalars(select(Note).where(Note.case_id == case_id).order_by(Note.created_at.desc())))


def notes_out(session: Session, notes: Sequence[Note]) -> list[NoteOut]:
    """Notes with their authors' names, by one query for all of them."""
    names = user_names(session, {note.author_id for note in notes})
    return [_note_out(note, names[note.author_id]) for note in notes]


def user_names(session: Session, user_ids: Iterable[str]) -> dict[str, str]:
    query = select(User.id, User.name).where(User.id.in_(set(user_ids)))
    return dict(session.execute(query).all())


def _note_out(note: Note, author_name: str) -> NoteOut:
    promise = (
        None
        if note.promise is None
        else PromiseOut.model_validate(
            {
                "id": note.promise.id,
                "amount": Money(minor=note.promise.amount, currency=note.promise.currency),
                "due": note.promise.due,
                "state": note.promise.state,
            }
        )
    )
    return NoteOut(
        id=note.id,
        case_id=note.case_id,
        call_id=note.call_id or "",
        contact_id=note.contact_id or "",
        author_id=note.author_id,
        author_name=author_name,
        created_at=note.created_at,
        outcome=Outcome(note.outcome),
        text=note.text,
        next_follow_up_at=note.next_follow_up_at,
        promise=promise,
    )
