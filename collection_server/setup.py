"""Making a data directory: database, keys, first accounts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from collection_server import migrations
from collection_server.app import make_server
from collection_server.audit import service as audit
from collection_server.auth import service as accounts
from collection_server.auth.passwords import Passwords
from collection_server.auth.permissions import Role
from collection_server.context import Server
from collection_server.db import make_engine
from collection_server.keys import make_keys
from collection_server.settings import Settings


class AlreadySetUp(Exception):
    """There is something at the place; it is left as it is."""


def initialise(settings: Settings, fill: Callable[[Session, Server], None]) -> None:
    """Make keys and database, then ``fill`` it in one unit of work. Raises ``AlreadySetUp``."""
    if (settings.data / "keys").exists() or (settings.data / "collection.db").exists():
        raise AlreadySetUp(f"{settings.data} has been set up before; nothing was changed.")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_keys(settings.data / "keys")
    upgrade(settings)
    server = make_server(settings)
    try:
        with server.db.write() as session:
            fill(session, server)
    finally:
        server.db.dispose()


def upgrade(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    engine = make_engine(settings.sqlalchemy_url)
    try:
        migrations.upgrade(engine)
    finally:
        engine.dispose()


def is_ready(settings: Settings) -> bool:
    """Whether the database exists and has the newest schema."""
    if not settings.database_url and not (settings.data / "collection.db").exists():
        return False
    engine = make_engine(settings.sqlalchemy_url)
    try:
        return migrations.is_current(engine)
    finally:
        engine.dispose()


def add_account(
    session: Session, passwords: Passwords, now: datetime, *, login: str, name: str, role: Role, team: str
) -> str:
    """A new account; returns its password, which is told once."""
    password = secrets.token_urlsafe(12)
    user = accounts.add_user(
        session, login=login, name=name, role=role, team=team, password_hash=passwords.hash(password), now=now
    )
    event = audit.Event(audit.Actor(), "user.added", "user", user.id, {"role": role.value})
    audit.record(session, event)
    return password
