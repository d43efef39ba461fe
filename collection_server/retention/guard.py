"""The lock that puts holds, decisions to destroy and backups in order."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.retention.tables import StoreGuard

LEASE = timedelta(minutes=5)
"""A backup that has not renewed its lease for so long has died."""


class BackupRuns(Exception):
    """Another backup is running."""


def lock(session: Session) -> StoreGuard:
    """Held until the unit of work ends; the others that take it wait."""
    return session.scalars(select(StoreGuard).with_for_update()).one()


def backup_runs(guard: StoreGuard, now: datetime) -> bool:
    return guard.backup_until is not None and guard.backup_until > now


def begin_backup(session: Session, worker: str, now: datetime) -> None:
    """Nothing is decided to be destroyed from here on. Raises ``BackupRuns``."""
    guard = lock(session)
    if backup_runs(guard, now) and guard.backup_by != worker:
        raise BackupRuns
    guard.backup_by, guard.backup_until = worker, now + LEASE


def renew_backup(session: Session, worker: str, now: datetime) -> bool:
    """Whether the lease is still this worker's; called well within ``LEASE``."""
    guard = lock(session)
    if guard.backup_by != worker:
        return False
    guard.backup_until = now + LEASE
    return True


def end_backup(session: Session, worker: str) -> None:
    guard = lock(session)
    if guard.backup_by == worker:
        guard.backup_by, guard.backup_until = "", None
