"""Retention and retrieval on PostgreSQL, by two processes at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from collection_server import app
from collection_server.evidence import chain
from collection_server.recordings.tables import Recording
from collection_server.retention import destroy
from collection_server.retention.tables import RetentionRule
from collection_server.settings import Settings
from tests.contract.test_retrieval import ask, index_of, wait_for
from tests.contract.test_server_uploads import sealed, send
from tests.support import postgres
from tests.support.server import RunningServer, run_cli, start_server
from tests.support.server_api import Seat, call_op

pytestmark = pytest.mark.skipif(not postgres.available(), reason="needs Debian's package postgresql")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[RunningServer, RunningServer, Settings]]:
    with postgres.cluster() as url:
        data, env = tmp_path / "data", {"COLLECTION_DATABASE_URL": url}
        assert run_cli("init", "--demo", "--data", str(data), env=env).returncode == 0
        first = start_server(data, data_dir=data, env=env)
        try:
            second = start_server(data, data_dir=data, env=env)
        except BaseException:
            first.stop()
            raise
        yield first, second, Settings(data=data, database_url=url)
        first.stop()
        second.stop()


def test_two_processes_share_the_jobs_and_the_destruction(
    served: tuple[RunningServer, RunningServer, Settings],
) -> None:
    first, second, settings = served
    seat, officers = Seat(first.url, "liting"), [Seat(server.url, "shujv") for server in (first, second)]
    case, recordings = seat.case(0), []
    for _ in range(6):
        recording = sealed(seat, seconds=1.0)
        recording.finalised()
        send(seat, recording)
        seat.operate(call_op(seat.user_id, case["id"], id=recording.call_id))
        recordings.append(recording)
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(lambda n: ask(officers[n % 2], cases=[case["number"]]), range(8)))
    for number, job in enumerate(jobs):
        done = wait_for(officers[number % 2], job["id"])
        assert done["state"] == "done"
        package = officers[1 - number % 2].get(f"/v1/retrievals/{job['id']}/package")
        with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
            assert [row["result"] for row in index_of(archive)] == ["included"] * 6
    held = officers[0].post("/v1/holds", {"scope": "recording", "key": recordings[0].recording_id, "reason": "x"})
    assert held.status_code == 201

    servers = [app.make_server(settings) for _ in range(2)]
    long_ago = datetime.now(UTC) - timedelta(days=900)
    with servers[0].db.write() as session:
        for recording in session.scalars(select(Recording)):
            recording.stored_at = long_ago
        session.add(RetentionRule(client="", days=800, set_by=seat.user_id, set_at=long_ago))
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(destroy.run, servers))
    destroyed = [recording_id for report in reports for recording_id in report.destroyed]
    assert sorted(destroyed) == sorted(recording.recording_id for recording in recordings[1:]), "each once"
    with servers[0].db.read() as session:
        assert chain.verify(session, servers[0].keys.receipt.verify_key) is None
    for server in servers:
        server.db.dispose()
    seen, cursor = [], ""
    for _ in range(3):
        page = officers[0].get("/v1/retention/destructions", params={"limit": 2, "cursor": cursor}).json()
        seen += [row["recording_id"] for row in page["destructions"]]
        cursor = page["next"]
    assert (sorted(seen), cursor) == (sorted(destroyed), "")
    assert officers[0].get("/v1/retention/destructions", params={"cursor": "WyJ4IiwgInkiXQ"}).status_code == 400
