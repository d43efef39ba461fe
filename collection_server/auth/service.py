"""Signing in and out, sessions, and seats' keys."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from collection_server.auth.permissions import Role
from collection_server.auth.tables import Seat, SignInFailures, User, UserSession
from collection_server.problems import Problem

TOUCH_AFTER = timedelta(seconds=60)
FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that is alive. ``stale``: it is time to note that it is in use."""

    user: User
    seat_id: str
    token_sha256: str
    stale: bool


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_session(session: Session, token: str, now: datetime, idle_seconds: int) -> FoundSession | None:
    """The live session of a token: not ended, not idle for too long, its user not disabled."""
    digest = hash_token(token)
    query = (
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.token_sha256 == digest, UserSession.ended_at.is_(None), User.disabled_at.is_(None))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    mine, user = row
    if now - mine.seen_at > timedelta(seconds=idle_seconds):
        return None
    return FoundSession(user, mine.seat_id, digest, stale=now - mine.seen_at > TOUCH_AFTER)


def touch_session(session: Session, token_sha256: str, now: datetime) -> None:
    session.execute(update(UserSession).where(UserSession.token_sha256 == token_sha256).values(seen_at=now))


def end_session(session: Session, token_sha256: str, now: datetime) -> None:
    session.execute(update(UserSession).where(UserSession.token_sha256 == token_sha256).values(ended_at=now))


def open_session(session: Session, user: User, seat_id: str, now: datetime) -> tuple[str, list[str]]:
    """A new token for the user at the seat, and the SHA-256 of those that it replaces."""
    older = select(UserSession).where(
        UserSession.user_id == user.id, UserSession.seat_id == seat_id, UserSession.ended_at.is_(None)
    )
    ended = []
    for row in session.scalars(older):
        row.ended_at = now
        ended.append(row.token_sha256)
    token = secrets.token_urlsafe(32)
    session.add(
        UserSession(
            token_sha256=hash_token(token),
            user_id=user.id,
            seat_id=seat_id,
            created_at=now,
            seen_at=now,
            ended_at=None,
        )
    )
    return token, ended


def enrol_seat(session: Session, seat_id: str, public_key: bytes, user: User, now: datetime) -> bool:
    """Pin the seat's key at its first sign-in. True when it was new. Raises 409 ``seat_key_changed``."""
    seat = session.get(Seat, seat_id, with_for_update=True)
    if seat is None:
        session.add(Seat(id=seat_id, public_key=public_key, enrolled_at=now, enrolled_by=user.id))
        session.flush()
        return True
    if not secrets.compare_digest(seat.public_key, public_key):
        raise Problem(409, "seat_key_changed", "This seat is known with another key; ask the administrator.", keep=True)
    return False


def waiting_seconds(session: Session, login: str, now: datetime, attempts: int, wait: int) -> int:
    """How long this login has to wait before it may try again; 0 when it may."""
    row = session.get(SignInFailures, hash_token(login))
    if row is None or row.wrong < attempts:
        return 0
    left = (row.last_at + timedelta(seconds=wait) - now).total_seconds()
    return max(0, int(left) + (left > int(left)))


def count_failure(session: Session, login: str, now: datetime, attempts: int, wait: int) -> None:
    """Count a wrong attempt; after a wait that was served, or a quiet while, the count starts again."""
    # Logins that nobody has must not fill the table for ever.
    session.execute(delete(SignInFailures).where(SignInFailures.last_at < now - FORGET_AFTER))
    key = hash_token(login)
    row = session.get(SignInFailures, key, with_for_update=True)
    if row is None:
        session.add(SignInFailures(login_sha256=key, wrong=1, last_at=now))
        return
    quiet = now - row.last_at >= timedelta(seconds=wait)
    row.wrong = 1 if quiet and row.wrong >= attempts else row.wrong + 1
    row.last_at = now


def forget_failures(session: Session, login: str) -> None:
    row = session.get(SignInFailures, hash_token(login))
    if row is not None:
        session.delete(row)


def find_user(session: Session, login: str) -> User | None:
    return session.scalars(select(User).where(User.login == login, User.disabled_at.is_(None))).one_or_none()


def add_user(
    session: Session, *, login: str, name: str, role: Role, team: str, password_hash: str, now: datetime
) -> User:
    """A new account. Raises ``IntegrityError`` at the flush when the login is taken."""
    user = User(
        id=str(uuid.uuid4()),
        login=login,
        name=name,
        role=role.value,
        team=team,
        password_hash=password_hash,
        created_at=now,
        disabled_at=None,
    )
    session.add(user)
    return user
