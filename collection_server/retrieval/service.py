"""The life of a retrieval job: asked for, taken by a worker, built, fetched, gone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Update, func, insert, or_, select, update
from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.auth.principal import Principal
from collection_server.auth.tables import User
from collection_server.cases.tables import Case
from collection_server.problems import Problem, not_found
from collection_server.recordings import search
from collection_server.recordings.search import Conditions
from collection_server.retrieval.schemas import RetrievalIn
from collection_server.retrieval.tables import RetrievalItem, RetrievalJob

STALE = timedelta(seconds=15)
"""A worker that has not been seen for so long has died."""
ATTEMPTS = 3
OPEN_JOBS = 20
"""Of one person, queued or running."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that this worker is to build."""

    job_id: str
    worker: str
    attempt: int


def package_path(folder: Path, job: RetrievalJob) -> Path:
    return folder / f"{job.id}.{job.attempts}"


def create(session: Session, who: Principal, wanted: RetrievalIn, limit: int, now: datetime) -> RetrievalJob:
    """Choose the recordings and queue the job.

    Raises 404 (nothing fits, or no such agent), 413 (more than ``limit``), 429 (too many jobs waiting).
    """
    _check_waiting(session, who)
    found = search.matching(session, who, _conditions(session, wanted), limit + 1)
    if len(found) > limit:
        raise Problem(413, "too_large", f"These are more than {limit} recordings: narrow the conditions.")
    if not found:
        raise not_found("recording")
    job = RetrievalJob(
        id=str(uuid.uuid4()),
        created_by=who.user_id,
        created_at=now,
        reason=wanted.reason,
        conditions=wanted.model_dump(mode="json", exclude={"reason"}, exclude_defaults=True),
        unknown_cases=_unknown(session, wanted.cases),
        state="queued",
        error="",
        total=len(found),
        done=0,
        attempts=0,
        worker="",
        size=0,
        sha256="",
        sealed_key="",
    )
    session.add(job)
    session.flush()
    rows = [
        {"job_id": job.id, "position": n, "recording_id": recording_id, "state": ""}
        for n, (recording_id, _) in enumerate(found, 1)
    ]
    session.execute(insert(RetrievalItem), rows)
    _note(session, who, "retrieval.created", job, {"conditions": sorted(job.conditions), "recordings": job.total})
    return job


def _check_waiting(session: Session, who: Principal) -> None:
    waiting = select(func.count()).where(
        RetrievalJob.created_by == who.user_id, RetrievalJob.state.in_(("queued", "running"))
    )
    if (session.scalar(waiting) or 0) >= OPEN_JOBS:
        raise Problem(429, "too_many_jobs", "Wait for your other retrievals first.")


def _conditions(session: Session, wanted: RetrievalIn) -> Conditions:
    agent_id = ""
    if wanted.agent:
        agent_id = session.scalars(select(User.id).where(User.login == wanted.agent)).one_or_none() or ""
        if not agent_id:
            raise not_found("agent")
    return Conditions(
        since=wanted.since,
        until=wanted.until,
        cases=tuple(wanted.cases),
        client=wanted.client,
        agent_id=agent_id,
        number=wanted.number,
    )


def _unknown(session: Session, numbers: list[str]) -> list[str]:
    known = set(session.scalars(select(Case.number).where(Case.number.in_(numbers)))) if numbers else set()
    return sorted(set(numbers) - known)


def find(session: Session, who: Principal, job_id: str) -> RetrievalJob:
    """Raises 404, also for another person's job."""
    job = session.get(RetrievalJob, job_id)
    if job is None or job.created_by != who.user_id:
        raise not_found("retrieval")
    return job


def cancel(session: Session, who: Principal, job_id: str) -> RetrievalJob:
    """Whatever its state: nobody gets it any more."""
    job = find(session, who, job_id)
    if job.state in ("queued", "running", "done"):
        job.state, job.sealed_key, job.worker = "cancelled", "", ""
        _note(session, who, "retrieval.cancelled", job, {})
    return job


def note_download(session: Session, who: Principal, job: RetrievalJob, start: int, end: int, now: datetime) -> None:
    """Before a byte leaves; each recording is noted as exported once."""
    if job.exported_at is None:
        job.exported_at = now
        included = select(RetrievalItem.recording_id).where(
            RetrievalItem.job_id == job.id, RetrievalItem.state.in_(("included", "damaged"))
        )
        for recording_id in session.scalars(included.order_by(RetrievalItem.position)):
            event = audit.Event(
                audit.Actor.of(who), "recording.exported", "recording", recording_id, {"retrieval": job.id}
            )
            audit.record(session, event)
    _note(session, who, "retrieval.downloaded", job, {"bytes": [start, end]})


def _note(session: Session, who: Principal, action: str, job: RetrievalJob, detail: dict[str, object]) -> None:
    audit.record(session, audit.Event(audit.Actor.of(who), action, "retrieval", job.id, dict(detail)))


# --- for workers ---


def take(session: Session, worker: str, now: datetime) -> Taken | None:
    """The oldest job that nobody works on. One that too many workers died at is given up."""
    dead = (RetrievalJob.state == "running") & (RetrievalJob.seen_at < now - STALE)
    query = (
        select(RetrievalJob)
        .where(or_(RetrievalJob.state == "queued", dead))
        .order_by(RetrievalJob.created_at, RetrievalJob.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = session.scalars(query).one_or_none()
    if job is None:
        return None
    if job.attempts >= ATTEMPTS:
        job.state, job.error, job.finished_at = "failed", "gave_up", now
        return None
    job.state, job.worker, job.seen_at, job.done = "running", worker, now, 0
    job.attempts += 1
    return Taken(job.id, worker, job.attempts)


def has_work(session: Session, now: datetime) -> bool:
    """Whether ``take`` would find something; costs a reader's transaction only."""
    dead = (RetrievalJob.state == "running") & (RetrievalJob.seen_at < now - STALE)
    query = select(RetrievalJob.id).where(or_(RetrievalJob.state == "queued", dead)).limit(1)
    return session.scalars(query).first() is not None


def seen(session: Session, taken: Taken, done: int, now: datetime) -> bool:
    """Say how far it is; False when the job is no longer this worker's."""
    mine = _mine(taken).values(done=done, seen_at=now)
    return _changed(session, mine)


def finish(
    session: Session, taken: Taken, size: int, sha256: str, sealed_key: str, now: datetime, keep: timedelta
) -> bool:
    """False when the job is no longer this worker's."""
    ended = {"state": "done", "done": RetrievalJob.total, "finished_at": now, "expires_at": now + keep}
    return _changed(session, _mine(taken).values(**ended, size=size, sha256=sha256, sealed_key=sealed_key))


def fail(session: Session, taken: Taken, error: str, now: datetime) -> None:
    session.execute(_mine(taken).values(state="failed", error=error, finished_at=now))


def give_back(session: Session, taken: Taken) -> None:
    """The server is stopping: another worker, or the next start, begins anew."""
    session.execute(_mine(taken).values(state="queued", worker="", attempts=RetrievalJob.attempts - 1))


def expire(session: Session, now: datetime) -> None:
    over = update(RetrievalJob).where(RetrievalJob.state == "done", RetrievalJob.expires_at < now)
    session.execute(over.values(state="expired", sealed_key="").execution_options(synchronize_session=False))


def has_expired(session: Session, now: datetime) -> bool:
    query = select(RetrievalJob.id).where(RetrievalJob.state == "done", RetrievalJob.expires_at < now).limit(1)
    return session.scalars(query).first() is not None


def wanted_packages(session: Session) -> set[str]:
    """Names of the files that belong to a job that is being built or can be fetched."""
    query = select(RetrievalJob).where(RetrievalJob.state.in_(("running", "done")))
    return {package_path(Path(), job).name for job in session.scalars(query)}


def _mine(taken: Taken) -> Update:
    mine = update(RetrievalJob).where(
        RetrievalJob.id == taken.job_id, RetrievalJob.worker == taken.worker, RetrievalJob.state == "running"
    )
    return mine.execution_options(synchronize_session=False)


def _changed(session: Session, statement: Update) -> bool:
    return session.execute(statement.returning(RetrievalJob.id)).first() is not None
