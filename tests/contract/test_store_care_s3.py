"""Retention, back-up and retrieval over a really running object store (OpenStack Swift's S3 API)."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collection_server import app
from collection_server.recordings.tables import Recording
from collection_server.retention.tables import RetentionRule
from collection_server.settings import Settings
from collection_server.storage import BlobMissing
from tests.contract.test_retrieval import ask, wait_for
from tests.contract.test_server_uploads import sealed, send
from tests.support.sealed import Sealed
from tests.support.server import run_cli, start_server
from tests.support.server_api import Seat, call_op
from tests.support.swift import Swift


@pytest.fixture(scope="module")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    running = Swift(tmp_path_factory.mktemp("swift")).start()
    running.make_bucket()
    yield running
    running.stop()


def record(seat: Seat, case_id: str) -> Sealed:
    recording = sealed(seat, seconds=1.0)
    recording.finalised()
    send(seat, recording)
    assert seat.operate(call_op(seat.user_id, case_id, id=recording.call_id))
    return recording


def is_there(settings: Settings, recording: Sealed) -> bool:
    server = app.make_server(settings)
    try:
        server.blobs.stat(hashlib.sha256(recording.data).hexdigest())
    except BlobMissing:
        return False
    finally:
        server.db.dispose()
    return True


def test_the_store_in_a_bucket_is_retrieved_backed_up_restored_and_destroyed(
    swift: Swift, private_data: Path, tmp_path: Path
) -> None:
    env = swift.environment(S3_DIRECT="false", S3_PREFIX="first/")
    settings = Settings(data=private_data, **swift.settings(s3_prefix="first/").model_dump(exclude_unset=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLLECTION_RETENTION_EVERY_SECONDS", "0")
        running = start_server(private_data, data_dir=private_data, env=env)
    try:
        seat, officer = Seat(running.url, "liting"), Seat(running.url, "shujv")
        case = seat.case(0)
        gone, kept = record(seat, case["id"]), record(seat, case["id"])
        job = wait_for(officer, ask(officer, cases=[case["number"]])["id"])
        package = officer.get(f"/v1/retrievals/{job['id']}/package").content
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            assert archive.read(f"{gone.recording_id}/recording.rec") == gone.data
        folder, keys, passphrase = tmp_path / "backup", tmp_path / "keys", tmp_path / "passphrase"
        passphrase.write_text("a passphrase\n", "utf-8")
        secrets = ("--keys", str(keys), "--passphrase-file", str(passphrase))
        done = run_cli("backup", str(folder), "--data", str(private_data), *secrets, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        assert "copied 2" in done.stdout

        long_ago = datetime.now(UTC) - timedelta(days=900)
        server = app.make_server(settings)
        with server.db.write() as session:
            session.get_one(Recording, gone.recording_id).stored_at = long_ago
            session.add(RetentionRule(client="", days=800, set_by=seat.user_id, set_at=long_ago))
        server.db.dispose()
        done = run_cli("retention", "run", "--data", str(private_data), env=env)
        assert "destroyed 1" in done.stdout, done.stderr
        assert not is_there(settings, gone)
        assert is_there(settings, kept)
    finally:
        running.stop()
    shutil.rmtree(private_data)

    place, other = tmp_path / "restored", swift.environment(S3_PREFIX="second/")
    done = run_cli("restore", str(folder), "--data", str(place), *secrets, env=other)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == ["recordings 2", "every recording verified"]
    restored = Settings(data=place, **swift.settings(s3_prefix="second/").model_dump(exclude_unset=True))
    assert is_there(restored, gone), "as it was when it was backed up"
    swift.kill()
    done = run_cli("backup", str(tmp_path / "other"), "--data", str(place), env=other)
    assert (done.returncode, "cannot be reached" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
