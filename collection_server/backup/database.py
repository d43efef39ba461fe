"""A consistent copy of the database, and back: SQLite's online backup, PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine, inspect, make_url, text
from sqlalchemy.orm import Session

from collection_server.db import make_engine
from collection_server.settings import Settings

FILES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}


class DatabaseFailed(Exception):
    """The database could not be copied; the text is one sentence without personal data."""


def kind_of(settings: Settings) -> str:
    return make_url(settings.sqlalchemy_url).get_backend_name()


@contextmanager
def copied(engine: Engine, path: Path) -> Iterator[Session]:
    """Write a copy to ``path``, and a session that sees exactly what is in it. Others may go on writing.

    Raises ``DatabaseFailed``.
    """
    if engine.dialect.name == "sqlite":
        with _copied_sqlite(engine, path) as session:
            yield session
    else:
        with _copied_postgresql(engine, path) as session:
            yield session


@contextmanager
def _copied_sqlite(engine: Engine, path: Path) -> Iterator[Session]:
    _create(path)
    try:
        with closing(sqlite3.connect(str(engine.url.database))) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise DatabaseFailed(f"The database could not be copied: {error}.") from error
    copy = make_engine(f"sqlite:///{path}")
    try:
        with Session(copy) as session:
            yield session
    finally:
        copy.dispose()
        with closing(sqlite3.connect(path)) as target:
            target.execute("PRAGMA journal_mode=DELETE")  # one file again, without a log beside it


@contextmanager
def _copied_postgresql(engine: Engine, path: Path) -> Iterator[Session]:
    _create(path)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        _run("pg_dump", engine.url, "--format=custom", f"--snapshot={snapshot}", f"--file={path}")
        yield Session(bind=connection)


def is_empty(settings: Settings) -> bool:
    """Whether there is no database yet to be overwritten."""
    if kind_of(settings) == "sqlite":
        return not Path(str(make_url(settings.sqlalchemy_url).database)).exists()
    engine = make_engine(settings.sqlalchemy_url)
    try:
        return not inspect(engine).get_table_names()
    finally:
        engine.dispose()


def put_back(settings: Settings, path: Path) -> None:
    """Load a copy into the empty database of ``settings``. Raises ``DatabaseFailed``."""
    url = make_url(settings.sqlalchemy_url)
    if kind_of(settings) != "sqlite":
        _run("pg_restore", url, "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(path))
        return
    target = Path(str(url.database))
    _create(target)
    shutil.copyfile(path, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _run(program: str, url: URL, *arguments: str) -> None:
    """Where and who in the environment: a password does not belong into the list of processes."""
    query = {name: value for name, value in url.query.items() if isinstance(value, str)}
    wanted = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
    }
    given = {name: str(value) for name, value in wanted.items() if value}
    place = [f"--dbname={url.database}"] if program == "pg_restore" else []
    try:
        done = subprocess.run(
            [program, "--no-password", *place, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env={**os.environ, **given},
        )
    except OSError as error:
        raise DatabaseFailed(f"{program} cannot be started: install PostgreSQL's client programs.") from error
    if done.returncode != 0:
        raise DatabaseFailed(f"{program} ended with {done.returncode}: {_first_line(done.stderr)}")


def _first_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0][:200] if lines else "it said nothing."
