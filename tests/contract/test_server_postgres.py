"""The same server on PostgreSQL: migrations, the demo, and numbers without gaps under real concurrency."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from collection_server import migrations
from collection_server.app import make_server
from collection_server.audit.service import verify
from collection_server.evidence import chain, rounds
from collection_server.evidence.bundle import bundle_files
from collection_server.evidence.zipping import zipped
from collection_server.settings import Settings
from collection_server.tables import metadata
from recorder.verify_bundle import verify_bundle
from tests.contract.test_server_uploads import check_receipt, sealed, send
from tests.support import postgres
from tests.support.server import RunningServer, run_cli, start_server
from tests.support.server_api import Seat, contact_op, new_id, note_op, promise

pytestmark = pytest.mark.skipif(not postgres.available(), reason="needs Debian's package postgresql")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.cluster() as url:
        yield url


@pytest.fixture(scope="module")
def served(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, RunningServer]]:
    """Two processes over one database and one store, as behind a balancer."""
    data = tmp_path_factory.mktemp("pg") / "data"
    env = {"COLLECTION_DATABASE_URL": database}
    done = run_cli("init", "--demo", "--data", str(data), env=env)
    assert done.returncode == 0, done.stderr
    first = start_server(data, data_dir=data, env=env)
    try:
        second = start_server(data, data_dir=data, env=env)
    except BaseException:
        first.stop()
        raise
    yield first, second
    first.stop()
    second.stop()


Served = tuple[RunningServer, RunningServer]


def query(database: str, statement: str) -> list[Any]:
    engine = create_engine(database)
    try:
        with engine.begin() as connection:
            return list(connection.execute(text(statement)))
    finally:
        engine.dispose()


def test_the_migrations_make_what_the_tables_say(served: Served, database: str) -> None:
    engine = create_engine(database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_migrations_go_back_and_forth() -> None:
    with postgres.cluster() as url:
        engine = create_engine(url)
        migrations.upgrade(engine)
        migrations.downgrade(engine, "base")
        migrations.upgrade(engine)
        assert migrations.is_current(engine)
        engine.dispose()


def test_two_processes_number_changes_without_gaps_and_in_order(served: Served, database: str) -> None:
    seats = [Seat(server.url, login) for login in ("liting", "guowei", "hemin") for server in served]
    cases = {seat.user_id: seat.cases() for seat in seats[::2]}
    seen: list[int] = []
    reader = seats[0]
    since = reader.sync_all()[1]

    def write(index: int) -> None:
        seat = seats[index % len(seats)]
        case_id = cases[seat.user_id][index % 7]["id"]
        operations = [note_op(seat.user_id, case_id, outcome="promise", promise=promise()) for _ in range(3)]
        operations.insert(1, note_op(seat.user_id, case_id, text="x" * 5000))
        assert [r["status"] for r in seat.operate(*operations)] == ["done", "refused", "done", "done"]

    with ThreadPoolExecutor(9) as pool:
        running = [pool.submit(write, index) for index in range(40)]
        while not all(future.done() for future in running):
            changes, since = reader.sync_all(since)
            seen += [change["seq"] for change in changes]
        for future in running:
            future.result()
    changes, _ = reader.sync_all(since)
    seen += [change["seq"] for change in changes]
    numbers = [row[0] for row in query(database, "SELECT seq FROM changes ORDER BY seq")]
    assert numbers == list(range(1, len(numbers) + 1))
    # What was read while others wrote is complete: no number appeared behind one that had been passed.
    notes = query(database, "SELECT seq, scope::text FROM changes WHERE kind = 'note'")
    mine = {seq for seq, scope in notes if scope == reader.user_id and seq > min(seen)}
    missed = mine - set(seen)
    assert len(mine) > 20
    assert missed == set()
    audit = [row[0] for row in query(database, "SELECT seq FROM audit_log ORDER BY seq")]
    assert audit == list(range(1, len(audit) + 1))
    server = make_server(Settings(data=served[0].data_dir, database_url=database))
    with server.db.read() as session:
        assert verify(session) is None
    server.db.dispose()
    log = query(database, "SELECT hash, lead(prev_hash) OVER (ORDER BY seq) FROM audit_log ORDER BY seq")
    assert all(mine == following for mine, following in log[:-1])


def test_one_operation_in_two_processes_at_once_is_done_once(served: Served) -> None:
    seats = [Seat(server.url, "liting") for server in served]
    case_id = seats[0].case(20)["id"]
    for _ in range(5):
        operation = note_op(seats[0].user_id, case_id)
        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(lambda n, o=operation: seats[n % 2].operate(o)[0]["status"], range(8)))
        assert statuses == ["done"] + ["repeated"] * 7


def test_what_one_process_took_the_other_serves(served: Served) -> None:
    writer, reader, reviewer = Seat(served[0].url, "hemin"), Seat(served[1].url, "hemin"), Seat(served[1].url, "chenyu")
    recording = sealed(writer)
    recording.finalised()
    check_receipt(writer, recording, send(writer, recording))
    rows = reviewer.get("/v1/recordings", params={"limit": 50}).json()["recordings"]
    assert recording.recording_id in {row["id"] for row in rows}
    assert reviewer.get(f"/v1/recordings/{recording.recording_id}/audio").status_code == 200
    contact = reader.get(f"/v1/cases/{reader.case(3)['id']}").json()["contacts"][0]
    assert writer.operate(contact_op(contact["id"], "unreached"))[0]["status"] == "done"
    assert reader.get("/v1/lookup", params={"number": contact["number"]}).json()["matches"][0]["contact"] == contact | {
        "state": "unreached"
    }


def test_values_that_postgresql_cannot_keep_are_refused(served: Served) -> None:
    seat = Seat(served[0].url, "liting")
    case_id = seat.case(30)["id"]
    odd = note_op(seat.user_id, case_id, text="a\x00b")
    strange = note_op(seat.user_id, new_id())
    results = seat.operate(odd, strange, note_op(seat.user_id, case_id))
    assert [r["status"] for r in results] == ["refused", "refused", "done"]


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM notes", "TRUNCATE audit_log"])
def test_the_log_and_the_notes_are_append_only(served: Served, database: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        query(database, statement)


def test_a_cursor_of_a_search_works_here_too(served: Served, tmp_path: Path) -> None:
    seat, reviewer = Seat(served[0].url, "guowei"), Seat(served[1].url, "chenyu")
    for _ in range(3):
        recording = sealed(seat)
        recording.finalised()
        send(seat, recording)
    page = reviewer.get("/v1/recordings", params={"limit": 1}).json()
    following = reviewer.get("/v1/recordings", params={"limit": 1, "cursor": page["next"]}).json()
    assert page["recordings"] != following["recordings"]
    assert len(following["recordings"]) == 1


def test_two_processes_append_to_one_chain_of_evidence(served: Served, database: str, tmp_path: Path) -> None:
    seats = [Seat(server.url, "hemin") for server in served]
    seats[1] = Seat(served[1].url, "guowei")

    def store(index: int) -> str:
        seat = seats[index % 2]
        recording = sealed(seat, number=1 + index // 2)
        if index in (4, 5):
            answer = seat.post(f"/v1/recordings/{recording.recording_id}/upload", recording.void())
            assert answer.json()["receipt"]["kind"] == "voided"
        else:
            recording.finalised()
            check_receipt(seat, recording, send(seat, recording))
        return recording.recording_id

    with ThreadPoolExecutor(6) as pool:
        stored = list(pool.map(store, range(20)))
    server = make_server(Settings(data=served[0].data_dir, database_url=database, gap_grace_hours=0))
    try:
        with server.db.read() as session:
            assert chain.verify(session, server.keys.receipt.verify_key) is None
            files = bundle_files(session, server, stored)
        path = tmp_path / "bundle.zip"
        path.write_bytes(b"".join(zipped(files, server.blobs)))
        report = verify_bundle(path, bytes(server.keys.receipt.verify_key))
        assert (report.findings, report.recordings, report.entries) == ([], 18, 20)
        rounds.run(server)  # its SQL is this database's too
    finally:
        server.db.dispose()
    seqs = [row[0] for row in query(database, "SELECT seq FROM evidence_chain ORDER BY seq")]
    assert seqs == list(range(1, len(seqs) + 1))
    voids = query(database, "SELECT number FROM evidence_alarms WHERE kind = 'void'")
    assert [row[0] for row in voids] == [3, 3]
