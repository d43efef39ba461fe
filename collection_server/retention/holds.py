"""Legal holds: placing, releasing, and what they cover."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from nacl.signing import SigningKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.auth.principal import Principal
from collection_server.cases.tables import Case
from collection_server.problems import Problem, not_found
from collection_server.recordings.tables import Recording
from collection_server.retention import guard, records
from collection_server.retention.schemas import HoldIn
from collection_server.retention.tables import LegalHold


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds in force at one moment."""

    clients: frozenset[str]
    cases: frozenset[str]
    recordings: frozenset[str]

    def cover(self, recording: Recording, case: Case | None) -> bool:
        if recording.id in self.recordings:
            return True
        return case is not None and (case.client in self.clients or case.number in self.cases)


def in_force(session: Session) -> Holds:
    """Stable to the end of the unit of work when it holds the guard's lock."""
    found: dict[str, set[str]] = {"client": set(), "case": set(), "recording": set()}
    query = select(LegalHold.scope, LegalHold.key).where(LegalHold.released_at.is_(None))
    for scope, key in session.execute(query):
        found[scope].add(key)
    return Holds(*(frozenset(found[scope]) for scope in ("client", "case", "recording")))


def place(session: Session, who: Principal, wanted: HoldIn, now: datetime, key: SigningKey) -> LegalHold:
    """Raises 404 when there is nothing of that name, 410 for a recording that is gone."""
    guard.lock(session)
    _check_there(session, wanted)
    hold = LegalHold(
        id=str(uuid.uuid4()),
        scope=wanted.scope,
        key=wanted.key,
        reason=wanted.reason,
        placed_by=who.user_id,
        placed_at=now,
        released_by=None,
        released_at=None,
        release_reason="",
    )
    session.add(hold)
    _note(session, who, hold, "held", now, key)
    return hold


def release(session: Session, who: Principal, hold_id: str, reason: str, now: datetime, key: SigningKey) -> LegalHold:
    """Raises 404; 409 when it has been released before."""
    guard.lock(session)
    hold = session.get(LegalHold, hold_id)
    if hold is None:
        raise not_found("hold")
    if hold.released_at is not None:
        raise Problem(409, "conflict", "The hold has been released before.")
    hold.released_by, hold.released_at, hold.release_reason = who.user_id, now, reason
    _note(session, who, hold, "released", now, key)
    return hold


def _check_there(session: Session, wanted: HoldIn) -> None:
    if wanted.scope == "recording":
        recording = session.get(Recording, wanted.key)
        if recording is None:
            raise not_found("recording")
        if recording.destroyed_at is not None:
            raise Problem(410, "destroyed", "The recording was destroyed at the end of its retention.")
        return
    column = Case.client if wanted.scope == "client" else Case.number
    if session.scalars(select(Case.id).where(column == wanted.key).limit(1)).first() is None:
        raise not_found(wanted.scope)


def _note(session: Session, who: Principal, hold: LegalHold, kind: str, now: datetime, key: SigningKey) -> None:
    facts = {"hold_id": hold.id, "scope": hold.scope, "key": hold.key, "by": who.user_id}
    recording = session.get_one(Recording, hold.key) if hold.scope == "recording" else None
    records.append(session, kind, recording, facts, now, key)
    detail = {"scope": hold.scope, "key": hold.key}
    audit.record(session, audit.Event(audit.Actor.of(who), f"hold.{kind}", "hold", hold.id, detail))
