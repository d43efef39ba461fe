"""Alarms for QA: numbers that are missing, void or broken, and calls without a recording."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import ColumnElement, Subquery, exists, func, select, union_all
from sqlalchemy.orm import Session

from collection_server.auth.tables import User
from collection_server.calls.tables import Call
from collection_server.evidence.chain import Subject
from collection_server.evidence.tables import Alarm, ChainEntry, EvidenceHead
from collection_server.recordings.tables import Recording, Upload

KINDS = ("gap", "void", "no_recording", "failed")
LOOK_BACK = timedelta(days=14)
"""Calls that were reported longer ago have been looked at."""
MOST_AT_ONCE = 200
"""Alarms that one look raises for a seat: a seat that counts wildly must not fill the table."""


def raise_alarm(session: Session, kind: str, subject: Subject, now: datetime, call_id: str = "") -> bool:
    """One alarm for each subject, however often it is seen; False when it was known."""
    named = "" if kind == "gap" else subject.recording_id or call_id
    known = select(Alarm.id).where(
        Alarm.kind == kind, Alarm.seat_id == subject.seat_id, Alarm.number == subject.number, Alarm.subject == named
    )
    if session.scalars(known).first() is not None:
        return False
    session.add(
        Alarm(
            id=str(uuid.uuid4()),
            kind=kind,
            seat_id=subject.seat_id,
            number=subject.number,
            subject=named,
            recording_id=subject.recording_id or None,
            call_id=call_id or None,
            found_at=now,
        )
    )
    session.flush()
    return True


def arrived(session: Session, subject: Subject, call_id: str, now: datetime) -> None:
    """The number is here, late: nobody has to look for it any more."""
    about_number = (Alarm.kind == "gap") & (Alarm.seat_id == subject.seat_id) & (Alarm.number == subject.number)
    about_call = (Alarm.kind == "no_recording") & (Alarm.call_id == call_id) if call_id else None
    wanted: ColumnElement[bool] = about_number if about_call is None else about_number | about_call
    for alarm in session.scalars(select(Alarm).where(Alarm.closed_at.is_(None), wanted)):
        alarm.closed_at, alarm.remark = now, "arrived"


def look(session: Session, now: datetime, grace: timedelta, recorded: ColumnElement[bool]) -> int:
    """Find what is missing by now; how many alarms are new.

    A number is missing when a higher one of the seat has been here for longer than ``grace``. So
    is the recording of a call that was talked, ``grace`` after it was reported, where ``recorded`` (a condition on
    ``Call`` and its agent's ``User``) holds.
    """
    head = session.scalars(select(EvidenceHead).with_for_update()).one()  # two servers do not look at once
    found = 0
    for seat_id in _seats_with_gaps(session):
        for number in _missing(session, seat_id, now - grace):
            found += raise_alarm(session, "gap", Subject(seat_id=seat_id, number=number), now)
    for call in _calls_without(session, head.since, now - grace, recorded):
        found += raise_alarm(session, "no_recording", Subject(), now, call_id=call.id)
    return found


def _accounted() -> Subquery:
    """Each number that the store can account for, and since when."""
    voided = select(ChainEntry.seat_id, ChainEntry.number, ChainEntry.at).where(ChainEntry.kind == "voided")
    stored = select(Recording.seat_id, Recording.number, Recording.stored_at.label("at"))
    return union_all(stored, voided).subquery("accounted")


def _seats_with_gaps(session: Session) -> list[str]:
    known = _accounted().c
    query = select(known.seat_id).group_by(known.seat_id).having(func.count() < func.max(known.number))
    return list(session.scalars(query.order_by(known.seat_id)))


def _missing(session: Session, seat_id: str, before: datetime) -> list[int]:
    """Numbers of the seat below one that has been here since ``before``, and that are not on their way."""
    known = _accounted().c
    rows = (
        select(
            known.number,
            func.lag(known.number, 1, 0).over(order_by=known.number).label("last"),
            func.min(known.at).over(order_by=known.number.desc()).label("since"),
        )
        .where(known.seat_id == seat_id)
        .subquery()
    )
    query = select(rows.c.last, rows.c.number).where(rows.c.number > rows.c.last + 1, rows.c.since <= before)
    coming = set(session.scalars(select(Upload.number).where(Upload.seat_id == seat_id)))
    found: list[int] = []
    for last, number in session.execute(query.order_by(rows.c.number)):
        missing = (n for n in range(last + 1, number) if n not in coming)
        found += islice(missing, MOST_AT_ONCE - len(found))
    return found


def _calls_without(session: Session, since: datetime, before: datetime, recorded: ColumnElement[bool]) -> list[Call]:
    known = (
        exists().where(Recording.call_id == Call.id),
        exists().where(Upload.recording_id == Call.recording_id),
        exists().where(ChainEntry.recording_id == Call.recording_id, ChainEntry.kind == "voided"),
        exists().where(Alarm.kind == "no_recording", Alarm.call_id == Call.id),
    )
    query = (
        select(Call)
        .join(User, User.id == Call.agent_id)
        .where(recorded)
        .where(Call.talk_ms > 0, Call.received_at > max(since, before - LOOK_BACK), Call.received_at <= before)
        .where(*(~one for one in known))
        .order_by(Call.received_at)
        .limit(MOST_AT_ONCE)
    )
    return list(session.scalars(query))
