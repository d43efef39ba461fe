"""The encrypted file: its key, damage, migrations, and that what was said to be saved is."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.store import schema
from agent_desktop.store.database import Database, key_check_path
from agent_desktop.store.store import Store, rebuild_damaged
from tests.support.desk_data import make_case, make_contact, make_note, note_operation, page, upsert

KEY = secrets.token_bytes(32)


def _filled(path: Path, notes: int = 3) -> Store:
    store = Store(path, KEY)
    case = make_case(debtor_name="独一无二的名字")
    store.changes.apply(page(upsert(case), upsert(make_contact(case))))
    for _ in range(notes):
        note = make_note(case)
        store.work.add_note(note, note_operation(note))
    return store


def test_nothing_readable_is_on_the_disk(tmp_path: Path) -> None:
    store = _filled(tmp_path / "desk.db")
    on_disk = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    store.close()
    on_disk += b"".join(p.read_bytes() for p in tmp_path.iterdir())
    for secret in (b"SQLite format 3", "独一无二的名字".encode(), b"13800006021", KEY, KEY.hex().encode()):
        assert secret not in on_disk


def test_a_wrong_key_is_locked_out(tmp_path: Path) -> None:
    _filled(tmp_path / "desk.db").close()
    with pytest.raises(DeskError) as caught:
        Store(tmp_path / "desk.db", secrets.token_bytes(32))
    assert caught.value.problem is Problem.STORE_LOCKED
    Store(tmp_path / "desk.db", KEY).close()


def _spoil(path: Path, at: int, count: int = 64) -> None:
    data = bytearray(path.read_bytes())
    data[at : at + count] = secrets.token_bytes(count)
    path.write_bytes(data)


def test_a_damaged_file_is_told_from_a_wrong_key(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    _filled(path).close()
    _spoil(path, 100)
    with pytest.raises(DeskError) as caught:
        Store(path, KEY)
    assert caught.value.problem is Problem.STORE_DAMAGED


def test_damage_found_while_reading_is_said_too(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    _filled(path).close()
    for at in range(4096 + 100, path.stat().st_size, 4096):
        _spoil(path, at)
    with pytest.raises(DeskError) as caught:
        store = Store(path, KEY)
        try:
            store.cases.facts()
        finally:
            store.close()
    assert caught.value.problem is Problem.STORE_DAMAGED
    assert "13800006021" not in str(caught.value)


def test_rebuilding_saves_the_outbox_when_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    store = _filled(path, notes=5)
    waiting = store.outbox.waiting(50)
    root = store.database.read(
        lambda c: c.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'cases'").scalar_one()
    )
    store.close()
    _spoil(path, (root - 1) * 4096 + 100)
    rebuilt, saved = rebuild_damaged(path, KEY)
    try:
        assert saved == 5
        assert rebuilt.outbox.waiting(50) == waiting
        assert rebuilt.cases.facts() == []
        assert rebuilt.changes.cursor() == 0
    finally:
        rebuilt.close()
    assert (tmp_path / "desk.db.damaged-1").exists()


def test_rebuilding_works_when_nothing_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    for n in (1, 2):
        _filled(path).close()
        _spoil(path, 0, 4096)
        rebuilt, saved = rebuild_damaged(path, KEY)
        assert (saved, rebuilt.outbox.counts().waiting) == (0, 0)
        rebuilt.close()
        assert (tmp_path / f"desk.db.damaged-{n}").exists()
        path.unlink()


def test_a_new_schema_drops_what_the_server_has_and_keeps_what_only_we_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "desk.db"
    store = _filled(path)
    waiting = store.outbox.waiting(50)
    store.close()
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    store = Store(path, KEY)
    assert store.outbox.waiting(50) == waiting
    assert (store.cases.facts(), store.changes.cursor()) == ([], 0)
    store.close()
    monkeypatch.undo()
    with pytest.raises(DeskError) as caught:
        Store(path, KEY)
    assert caught.value.problem is Problem.STORE_DAMAGED


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    store = _filled(tmp_path / "desk.db", notes=0)

    def half(connection: object) -> None:
        connection.execute(schema.meta.insert(), {"key": "a", "value": "b"})  # type: ignore[attr-defined]
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        store.database.write(half)
    assert store.database.read(lambda c: c.execute(schema.meta.select()).all()) == []
    store.close()


def test_reading_goes_on_while_a_long_write_is_under_way(tmp_path: Path) -> None:
    store = _filled(tmp_path / "desk.db")
    entered, release = threading.Event(), threading.Event()

    def slow(connection: object) -> None:
        connection.execute(schema.meta.insert(), {"key": "a", "value": "b"})  # type: ignore[attr-defined]
        entered.set()
        assert release.wait(10)

    done = store.database.submit(slow)
    assert entered.wait(10)
    assert len(store.cases.facts()) == 1
    assert store.database.read(lambda c: c.execute(schema.meta.select()).all()) == []
    release.set()
    done.result(10)
    store.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "desk.db", KEY)
    database.close()
    database.close()
    with pytest.raises(DeskError):
        database.write(lambda c: None)


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    store = _filled(tmp_path / "desk.db")

    def fill(connection: object) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()  # type: ignore[attr-defined]
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]
        for n in range(2000):
            connection.execute(schema.meta.insert(), {"key": str(n), "value": "x" * 500})  # type: ignore[attr-defined]

    with pytest.raises(DeskError) as caught:
        store.database.write(fill)
    assert caught.value.problem is Problem.DISK_FULL
    store.close()


CHILD = """
import sys
from pathlib import Path
from agent_desktop.store.store import Store
from tests.support.desk_data import make_case, make_note, note_operation
store = Store(Path(sys.argv[1]), bytes.fromhex(sys.stdin.readline()))
while True:
    note = make_note(make_case())
    store.work.add_note(note, note_operation(note))
    print(note.id, flush=True)
"""


def test_kill_9_loses_no_note_that_was_said_to_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdin
    assert child.stdout
    with child.stdin, child.stdout:
        child.stdin.write(KEY.hex() + "\n")
        child.stdin.flush()
        said = [child.stdout.readline().strip() for _ in range(20)]
        time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        said += [line.strip() for line in child.stdout if line.endswith("\n")]
    child.wait()
    store = Store(path, KEY)
    kept = [operation.id for operation in store.outbox.waiting(100_000)]
    store.close()
    assert kept[: len(said)] == said
    assert len(kept) <= len(said) + 1


def test_the_key_mark_tells_nothing_of_the_key(tmp_path: Path) -> None:
    Database(tmp_path / "desk.db", KEY).close()
    mark = key_check_path(tmp_path / "desk.db").read_bytes()
    assert len(mark) == 16
    assert mark not in KEY
