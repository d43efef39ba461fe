"""The seat's store of one user: opened, brought up to date, or rebuilt when damaged."""

from __future__ import annotations

import contextlib
import logging
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.sqlite import insert

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.store import schema
from agent_desktop.store.cases import CaseReader
from agent_desktop.store.database import Database, key_check_path
from agent_desktop.store.sync_state import ChangeStore, OutboxStore
from agent_desktop.store.work import WorkStore

log = logging.getLogger(__name__)


class Store:
    """Cases, the collector's work, the outbox and the server's changes in one encrypted file.

    Opening raises ``DeskError``: ``STORE_LOCKED`` for a key that is not this file's, ``STORE_DAMAGED`` for a file that
    cannot be read (see ``rebuild_damaged``) or that a newer version made, ``DISK_FULL``. Any thread but
    the Qt main thread.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self.database = Database(path, key)
        try:
            self.database.write(_bring_up_to_date)
        except BaseException:
            self.database.close()
            raise
        self.cases = CaseReader(self.database)
        self.work = WorkStore(self.database)
        self.outbox = OutboxStore(self.database)
        self.changes = ChangeStore(self.database)

    def close(self) -> None:
        """Finish what is being written and close the file. May be called twice."""
        self.database.close()


def rebuild_damaged(path: Path, key: bytes) -> tuple[Store, int]:
    """Put a damaged file aside and start a new one with whatever of the outbox and the drafts could still be read.

    Returns the new store and the number of operations that were saved. The damaged file stays beside it, still
    encrypted, for whoever has to look into it. Raises ``DeskError``.
    """
    saved = _salvage(path, key)
    aside = next(p for n in range(1, 1000) if not (p := path.with_name(f"{path.name}.damaged-{n}")).exists())
    path.rename(aside)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    key_check_path(path).unlink(missing_ok=True)
    store = Store(path, key)

    def restore(connection: Connection) -> None:
        for table, rows in saved:
            if rows:
                connection.execute(insert(table).on_conflict_do_nothing(), rows)

    store.database.write(restore)
    operations = len(saved[0][1])
    log.warning("store was damaged and put aside; %d operations saved", operations)
    return store, operations


def _bring_up_to_date(connection: Connection) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > schema.SCHEMA_VERSION:
        raise DeskError(Problem.STORE_DAMAGED, f"made by a newer version ({version})")
    if version < schema.SCHEMA_VERSION:
        schema.cached.drop_all(connection)
        schema.cached.create_all(connection)
        schema.kept.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")


def _salvage(path: Path, key: bytes) -> list[tuple[Table, list[dict[str, Any]]]]:
    saved: list[tuple[Table, list[dict[str, Any]]]] = [
        (table, []) for table in (schema.outbox, schema.drafts, schema.open_calls)
    ]
    with contextlib.suppress(DeskError):
        database = Database(path, key)
        try:
            for table, rows in saved:
                with contextlib.suppress(DeskError):
                    rows.extend(database.read(partial(_rows, table)))
        finally:
            database.close()
    return saved


def _rows(table: Table, connection: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]
