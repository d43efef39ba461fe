"""Destroying what the rules say, in two steps that a crash may part.

First it is decided: a row of ``destructions`` and the recording's ``destroyed_at``, so that nobody hears it any more.
Then, in one unit of work that holds the guard, the bytes go, and the signed record and the audit entry are
written. A crash in between leaves a decision whose bytes may be gone already; the next run ends it. A hold placed
in between still saves the bytes that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.calls.tables import Call
from collection_server.cases.tables import Case
from collection_server.context import Server
from collection_server.evidence.chain import wire_time
from collection_server.evidence.tables import Alarm
from collection_server.recordings.tables import Recording, Upload
from collection_server.retention import guard, records, rules
from collection_server.retention.derived import derived_blobs
from collection_server.retention.holds import Holds, in_force
from collection_server.retention.tables import Destruction, RetentionRule
from collection_server.storage import BlobMissing, Locked

_PAGE = 200


@dataclass
class Report:
    """Ids of recordings: ``due`` by the rules (in a dry run), ``destroyed``, ``held`` (due but for a hold), ``alarmed``
    (due but for an alarm that nobody has closed), ``locked`` (the store itself still refuses), ``saved`` (a hold came
    after the decision). ``backup_runs``: nothing new was decided because of a backup.
    """

    due: list[str] = field(default_factory=list)
    destroyed: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    alarmed: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    backup_runs: bool = False

    def counts(self) -> dict[str, int]:
        names = ("due", "destroyed", "held", "alarmed", "locked", "saved")
        return {name: len(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True)
class _Candidate:
    recording: Recording
    case: Case | None
    rule: RetentionRule
    due_at: datetime


def run(server: Server, *, dry_run: bool = False) -> Report:
    """Destroy all that is due by now; a ``dry_run`` only says what would be. Any process, also several at once."""
    report = Report()
    if dry_run:
        with server.db.read() as session:
            holds = in_force(session)
            for candidate in _candidates(session, server.clock()):
                kept = _kept_by(session, candidate.recording, candidate.case, holds, report)
                (report.due if kept is None else kept).append(candidate.recording.id)
        return report
    _decide_all(server, report)
    with server.db.read() as session:
        waiting = list(session.scalars(select(Destruction.recording_id).where(Destruction.state == "destroying")))
    for recording_id in waiting:
        _end(server, recording_id, report)
    return report


def _candidates(session: Session, now: datetime) -> Iterator[_Candidate]:
    """Recordings whose time is over, whatever holds say."""
    current = rules.current(session)
    shortest = current.shortest
    if shortest is None:
        return
    query = (
        _with_cases()
        .where(Recording.destroyed_at.is_(None), Recording.stored_at <= now - timedelta(days=shortest))
        .order_by(Recording.stored_at, Recording.id)
        .execution_options(yield_per=_PAGE)
    )
    for recording, case in session.execute(query):
        if (found := _due(current, recording, case, now)) is not None:
            yield found


def _due(current: rules.Rules, recording: Recording, case: Case | None, now: datetime) -> _Candidate | None:
    rule = current.of(case.client if case is not None else None)
    if rule is None:
        return None
    due_at = rules.due_at(recording.stored_at, rule)
    return _Candidate(recording, case, rule, due_at) if due_at <= now else None


def _with_cases() -> Select[Recording, Case]:
    return (
        select(Recording, Case).outerjoin(Call, Call.id == Recording.call_id).outerjoin(Case, Case.id == Call.case_id)
    )


def _decide_all(server: Server, report: Report) -> None:
    with server.db.read() as session:
        ids = [candidate.recording.id for candidate in _candidates(session, server.clock())]
    for recording_id in ids:
        with server.db.write() as session:
            if guard.backup_runs(guard.lock(session), server.clock()):
                report.backup_runs = True
                return
            _decide(session, recording_id, in_force(session), server.clock(), report)


def _decide(session: Session, recording_id: str, holds: Holds, now: datetime, report: Report) -> None:
    """Look again, now that nothing can change, and take it out of everybody's reach."""
    recording, case = session.execute(_with_cases().where(Recording.id == recording_id)).one()
    found = _due(rules.current(session), recording, case, now)
    if found is None or recording.destroyed_at is not None:
        return
    kept = _kept_by(session, recording, case, holds, report)
    if kept is not None:
        kept.append(recording_id)
        return
    recording.destroyed_at = now
    session.add(
        Destruction(
            recording_id=recording_id,
            state="destroying",
            sha256=recording.sha256,
            client=case.client if case is not None else "",
            rule_client=found.rule.client,
            rule_days=found.rule.days,
            rule_set_by=found.rule.set_by,
            due_at=found.due_at,
            decided_at=now,
        )
    )


def _kept_by(
    session: Session, recording: Recording, case: Case | None, holds: Holds, report: Report
) -> list[str] | None:
    """The list of the report for what keeps a recording although it is due; None for nothing."""
    if holds.cover(recording, case):
        return report.held
    about = (Alarm.recording_id == recording.id) | (Alarm.call_id == recording.call_id)
    alarm = select(Alarm.id).where(Alarm.closed_at.is_(None), about).limit(1)
    return report.alarmed if session.scalars(alarm).first() is not None else None


def _end(server: Server, recording_id: str, report: Report) -> None:
    with server.db.write() as session:
        guard.lock(session)
        row = session.get(Destruction, recording_id, with_for_update=True)
        if row is None or row.state != "destroying":
            return  # another process was quicker
        recording, case = session.execute(_with_cases().where(Recording.id == recording_id)).one()
        if in_force(session).cover(recording, case) and _is_there(server, row.sha256):
            _save(session, recording, row)
            report.saved.append(recording_id)
            return
        shared = _is_shared(session, recording)
        try:
            if not shared:
                for sha256, _ in derived_blobs(session, recording_id).get(recording_id, ()):
                    server.blobs.delete(sha256)
                server.blobs.delete(row.sha256)
        except Locked as lock:
            row.locked_until = lock.until
            report.locked.append(recording_id)
            return
        _record(session, server, recording, row, shared)
        report.destroyed.append(recording_id)


def _is_there(server: Server, sha256: str) -> bool:
    try:
        server.blobs.stat(sha256)
    except BlobMissing:
        return False
    return True


def _is_shared(session: Session, recording: Recording) -> bool:
    """Whether the same bytes are another recording's too, which still has a right to them."""
    other = select(Recording.id).where(
        Recording.sha256 == recording.sha256, Recording.id != recording.id, Recording.destroyed_at.is_(None)
    )
    coming = select(Upload.id).where(Upload.sha256 == recording.sha256)
    return session.scalars(other).first() is not None or session.scalars(coming).first() is not None


def _save(session: Session, recording: Recording, row: Destruction) -> None:
    recording.destroyed_at = None
    session.delete(row)
    audit.record(session, audit.Event(audit.Actor(), "recording.saved", "recording", recording.id))


def _record(session: Session, server: Server, recording: Recording, row: Destruction, shared: bool) -> None:
    now = server.clock()
    row.state, row.destroyed_at, row.locked_until = "destroyed", now, None
    recording.destroyed_at = now
    rule = {"client": row.rule_client, "days": row.rule_days, "set_by": row.rule_set_by}
    body = {
        "sha256": recording.sha256,
        "size": recording.size,
        "client": row.client,
        "rule": rule,
        "due_at": wire_time(row.due_at),
        "decided_at": wire_time(row.decided_at),
        "bytes": "kept_for_another_recording" if shared else "deleted",
    }
    row.record = records.append(session, "destroyed", recording, body, now, server.keys.receipt)
    detail = {"sha256": recording.sha256, "number": recording.number, "rule": rule}
    audit.record(session, audit.Event(audit.Actor(), "recording.destroyed", "recording", recording.id, detail))
