"""The database: column types, engine, and one unit of work for each request.

SQLite runs in WAL mode with full synchronous writes (a receipt is a promise) and takes its write lock at the
start of a unit of work that writes, so that nothing read in it can be stale by the time it writes. PostgreSQL
uses row locks where that matters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, Uuid, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from collection_server.problems import Problem

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

JsonColumn = JSON().with_variant(JSONB(), "postgresql")
Id = Uuid(as_uuid=False)
"""A UUID; text in Python, the native type in PostgreSQL."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JsonColumn}  # noqa: RUF012


Step = Callable[[Session], None]


class Database:
    """Engine and units of work. Thread-safe.

    ``closers`` run, in order, at the end of each unit of work that writes and before its commit: what must be
    locked for everybody (the change and audit counters) is locked last, briefly, and always in the same order.
    ``after_commit`` runs once it is durable.
    """

    def __init__(self, url: str, closers: Sequence[Step] = (), after_commit: Sequence[Step] = ()) -> None:
        self.engine = make_engine(url)
        self._closers = tuple(closers)
        self._after_commit = tuple(after_commit)
        self._readers = sessionmaker(self.engine, expire_on_commit=False)
        writing = self.engine.execution_options(writes=True)
        self._writers = sessionmaker(writing, expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that is rolled back at its end."""
        with self._readers() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A unit of work: committed at the end, rolled back by any error but a ``Problem`` that says ``keep``."""
        with self._writers() as session:
            try:
                yield session
            except Problem as problem:
                if problem.keep:
                    self._close(session)
                raise
            self._close(session)

    def _close(self, session: Session) -> None:
        for step in self._closers:
            step(session)
        session.commit()
        for step in self._after_commit:
            step(session)

    def dispose(self) -> None:
        self.engine.dispose()


def pending(session: Session, name: str) -> list[Any]:
    """The list ``name`` that rides on this unit of work until its end."""
    found: list[Any] = session.info.setdefault(name, [])
    return found


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """A part of a unit of work that can fail by itself; what was pending in it is dropped with it."""
    before = {name: len(items) for name, items in session.info.items() if isinstance(items, list)}
    try:
        with session.begin_nested():
            yield
    except BaseException:
        for name, items in session.info.items():
            if isinstance(items, list):
                del items[before.get(name, 0) :]
        raise


def make_engine(url: str) -> Engine:
    pre_ping = not url.startswith("sqlite")
    engine = create_engine(
        url,
        json_serializer=_dump_json,
        pool_pre_ping=pre_ping,
        pool_size=16,
        max_overflow=32,
        hide_parameters=True,  # personal data must not get into a log by way of an error
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _dump_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late; ours is below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
