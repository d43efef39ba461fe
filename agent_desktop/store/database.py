"""One SQLCipher file: opening it with its key, one thread that writes, pooled connections that read."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from agent_desktop.services.errors import DeskError, Problem

T = TypeVar("T")
log = logging.getLogger(__name__)

KEY_BYTES = 32
READERS = 4
SQLITE_CORRUPT, SQLITE_FULL, SQLITE_NOTADB, SQLITE_IOERR = 11, 13, 26, 10


class Database:
    """An open store file. ``read`` runs in the caller's thread, ``write`` on the one writing thread.

    A screen pop must not wait behind a page of changes being written: WAL lets readers go on, and they need no hop to
    another thread. Neither may be called from the Qt main thread.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        """Open or create the file. Raises ``DeskError`` with ``STORE_LOCKED``, ``STORE_DAMAGED`` or ``DISK_FULL``."""
        if len(key) != KEY_BYTES:
            raise ValueError("the key must have 32 bytes")
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._check_key(key)
        self._engine = _engine(path, key)
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._closing = threading.Lock()
        self._closed = False
        try:
            self.write(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM sqlite_master"))
        except BaseException:
            self.close()
            raise

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a consistent view of the file. Raises ``DeskError``."""
        with _errors(), self._engine.connect() as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction: all of it is on disk when this returns, or none. Raises ``DeskError``."""
        return self.submit(work).result()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """As ``write``, without waiting."""
        try:
            return self._writer.submit(self._transact, work)
        except RuntimeError as error:
            raise DeskError(Problem.STORE_LOCKED, "the store is closed") from error

    def close(self) -> None:
        """Finish what was submitted, fold the log into the file and close it. May be called twice."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._writer.shutdown(wait=True)
        with contextlib.suppress(SQLAlchemyError, sqlcipher.Error):
            self._fold_log()
        self._engine.dispose()

    def _fold_log(self) -> None:
        """Move the write-ahead log into the file: what was deleted is then gone from both."""
        raw = self._engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with _errors(), self._engine.connect().execution_options(desk_writes=True) as connection:
            result = work(connection)
            connection.commit()
            return result

    def _check_key(self, key: bytes) -> None:
        """SQLCipher says the same of a wrong key and of a damaged file; this file beside it tells them apart."""
        beside = key_check_path(self.path)
        mark = _key_mark(key)
        if not self.path.exists() or self.path.stat().st_size == 0:
            beside.write_bytes(mark)
        elif beside.exists() and not hmac.compare_digest(beside.read_bytes(), mark):
            raise DeskError(Problem.STORE_LOCKED, "the key is not this store's")


def key_check_path(path: Path) -> Path:
    """Where the mark of a store's key is kept; it tells nothing of the key."""
    return path.with_name(path.name + ".keymark")


def _key_mark(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=16, person=b"desk store key").digest()


def _engine(path: Path, key: bytes) -> Engine:
    def connect() -> Any:
        connection = sqlcipher.connect(str(path), timeout=10.0, isolation_level=None, check_same_thread=False)
        try:
            # First of all: else a wrong key or a bad page is told to standard error too.
            connection.execute("PRAGMA cipher_log_level = NONE")
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL: a note that was said to be saved survives a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite+pysqlite://", module=sqlcipher, creator=connect, poolclass=QueuePool, pool_size=READERS + 1
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """isolation_level=None leaves transactions to us: one that writes takes the lock at once, not in its middle."""
    writes = connection.get_execution_options().get("desk_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Turn the driver's errors into ours. Texts of statements and their values are dropped: they are personal data."""
    try:
        yield
    except DBAPIError as error:
        raise desk_error(error.orig) from None
    except sqlcipher.Error as error:
        raise desk_error(error) from None


def desk_error(error: BaseException | None) -> DeskError:
    """The ``DeskError`` for a driver's error."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    text = str(error)
    if code in (SQLITE_CORRUPT, SQLITE_NOTADB) or "malformed" in text or "not a database" in text:
        return DeskError(Problem.STORE_DAMAGED, "the store's file cannot be read")
    if code == SQLITE_FULL or "is full" in text:
        return DeskError(Problem.DISK_FULL, "no space for the store")
    if code == SQLITE_IOERR or "disk I/O" in text:
        return DeskError(Problem.STORE_DAMAGED, "the store's disk failed")
    return DeskError(Problem.UNEXPECTED, f"store: {type(error).__name__}")
