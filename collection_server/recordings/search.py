"""Finding recordings by what is known of their calls, cases, agents and notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from collection_server.audit.tables import AuditEntry
from collection_server.auth.permissions import Role
from collection_server.auth.principal import Principal
from collection_server.auth.tables import User
from collection_server.calls.tables import Call
from collection_server.cases.tables import Case
from collection_server.notes.schemas import Outcome
from collection_server.notes.tables import Note, Promise
from collection_server.problems import not_found
from collection_server.recordings.schemas import AccessOut, RecordingRow
from collection_server.recordings.tables import Recording
from collection_server.schemas import Money

ACCESSES = {"recording.replayed": "replayed", "recording.exported": "exported"}


@dataclass(frozen=True, slots=True)
class Conditions:
    """All optional, joined by and. ``text``: agent, case number, debtor's name or last digits of a number.

    ``cases``: numbers of cases, any of them. ``number``: a whole one in E.164, or the last digits of one.
    """

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    outcome: Outcome | None = None
    min_seconds: float = 0.0
    cases: tuple[str, ...] = ()
    client: str = ""
    agent_id: str = ""
    number: str = ""

    def given(self) -> list[str]:
        """The names of those that are set, for the audit log."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return sorted(name for name, value in values.items() if value)


def search(
    session: Session, who: Principal, wanted: Conditions, limit: int, before: tuple[datetime, str] | None
) -> list[RecordingRow]:
    """A page, newest first; ``before`` is the start and id of the last row of the page before."""
    query = _joined().where(visible_to(who), Recording.destroyed_at.is_(None), *_conditions(wanted))
    if before is not None:
        query = query.where(tuple_(Recording.started_at, Recording.id) < before)
    query = query.order_by(Recording.started_at.desc(), Recording.id.desc()).limit(limit)
    return [_row(*row) for row in session.execute(query)]


def visible_to(who: Principal) -> ColumnElement[bool]:
    """A lead's are those of the team's calls."""
    return User.team == who.team if who.role is Role.LEAD else true()


def matching(session: Session, who: Principal, wanted: Conditions, limit: int) -> list[tuple[str, bool]]:
    """Ids, oldest first, of at most ``limit`` recordings, and whether each has been destroyed."""
    query = _joined().where(visible_to(who), *_conditions(wanted)).order_by(Recording.started_at, Recording.id)
    found = session.execute(query.with_only_columns(Recording.id, Recording.destroyed_at).limit(limit))
    return [(recording_id, destroyed_at is not None) for recording_id, destroyed_at in found]


def find_recording(session: Session, who: Principal, recording_id: str) -> Recording:
    """Raises 404, also for a recording that is not to be heard."""
    query = (
        select(Recording)
        .outerjoin(Call, Call.id == Recording.call_id)
        .outerjoin(User, User.id == Call.agent_id)
        .where(Recording.id == recording_id, visible_to(who))
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise not_found("recording")
    return found


def accesses(session: Session, recording_id: str) -> list[AccessOut]:
    """Who replayed or exported it, from the audit log, newest first."""
    query = (
        select(User.name, AuditEntry.action, AuditEntry.at)
        .join(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.object_kind == "recording", AuditEntry.object_id == recording_id)
        .where(AuditEntry.action.in_(ACCESSES))
        .order_by(AuditEntry.seq.desc())
        .limit(1000)
    )
    rows = session.execute(query)
    return [AccessOut.model_validate({"who": who, "what": ACCESSES[action], "at": at}) for who, action, at in rows]


def mask_number(number: str) -> str:
    """138****6021: the first three and the last four digits of the number as it is dialled at home."""
    digits = number.removeprefix("+86").removeprefix("+")
    if not any(letter.isdigit() for letter in digits):
        return digits  # "anonymous" and the like
    if len(digits) < 8:
        return "*" * max(0, len(digits) - 2) + digits[-2:]
    return f"{digits[:3]}****{digits[-4:]}"


def _latest_note() -> Any:
    """The id of the newest note of the row's call."""
    other = aliased(Note)
    return (
        select(other.id)
        .where(other.call_id == Recording.call_id)
        .order_by(other.created_at.desc(), other.id.desc())
        .limit(1)
        .correlate(Recording)
        .scalar_subquery()
    )


def _joined() -> Select[Recording, Call, Case, User, Note, Promise]:
    return (
        select(Recording, Call, Case, User, Note, Promise)
        .select_from(Recording)
        .outerjoin(Call, Call.id == Recording.call_id)
        .outerjoin(Case, Case.id == Call.case_id)
        .outerjoin(User, User.id == Call.agent_id)
        .outerjoin(Note, Note.id == _latest_note())
        .outerjoin(Promise, Promise.note_id == Note.id)
    )


def _conditions(wanted: Conditions) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(Recording.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(Recording.started_at < wanted.until)
    if wanted.outcome is not None:
        found.append(Note.outcome == wanted.outcome.value)
    if wanted.min_seconds > 0:
        found.append(Recording.samples >= Recording.rate * wanted.min_seconds)
    if wanted.cases:
        found.append(Case.number.in_(wanted.cases))
    if wanted.client:
        found.append(Case.client == wanted.client)
    if wanted.agent_id:
        found.append(Call.agent_id == wanted.agent_id)
    if wanted.number:
        whole = wanted.number.startswith("+")
        found.append(Call.number == wanted.number if whole else Call.number.endswith(wanted.number, autoescape=True))
    found += [_word(word) for word in wanted.text.split()]
    return found


def _word(word: str) -> ColumnElement[bool]:
    """One word of the text: every word has to fit something."""
    somewhere = [
        User.name.contains(word, autoescape=True),
        func.lower(User.login) == word.lower(),
        Case.number.icontains(word, autoescape=True),
        Case.debtor_name.contains(word, autoescape=True),
    ]
    if word.isascii() and word.isdigit() and len(word) >= 3:
        somewhere.append(and_(Call.number.is_not(None), Call.number.endswith(word, autoescape=True)))
    return or_(*somewhere)


def _row(
    recording: Recording,
    call: Call | None,
    case: Case | None,
    agent: User | None,
    note: Note | None,
    promise: Promise | None,
) -> RecordingRow:
    return RecordingRow.model_validate(
        {
            "id": recording.id,
            "call_id": recording.call_id,
            "number": recording.number,
            "case_id": case.id if case else "",
            "case_number": case.number if case else "",
            "debtor_name": case.debtor_name if case else "",
            "number_masked": mask_number(call.number) if call else "",
            "agent_id": agent.id if agent else "",
            "agent_name": agent.name if agent else "",
            "direction": call.direction if call else recording.direction,
            "started_at": recording.started_at,
            "seconds": round(recording.samples / recording.rate, 3) if recording.rate else 0.0,
            "outcome": note.outcome if note else None,
            "promised": Money(minor=promise.amount, currency=promise.currency) if promise else None,
            "state": recording.state,
        }
    )
