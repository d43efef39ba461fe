"""Batch retrieval: one package with an index, in the background, for those allowed, and known afterwards."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import soundfile

from collection_server import app
from collection_server.context import Server
from collection_server.recordings.tables import Recording
from collection_server.retention import destroy
from collection_server.retention.tables import RetentionRule
from collection_server.retrieval.tables import RetrievalJob
from collection_server.settings import Settings
from recorder.verify_bundle import verify_bundle
from tests.contract.test_server_audit import entries_of
from tests.contract.test_server_uploads import sealed, send
from tests.support.sealed import Sealed
from tests.support.server import RunningServer, add_user, start_server
from tests.support.server_api import Seat, call_op, iso

MANY = 50
Json = dict[str, Any]


@dataclass
class Place:
    """A server with data of its own: recordings of one case, oldest first, and those who ask for them."""

    running: RunningServer
    seat: Seat
    officer: Seat
    case: Json
    recordings: list[Sealed] = field(default_factory=list)

    def record(self, case: Json | None = None, number: str = "+8613901234567", **changes: Any) -> Sealed:
        recording = sealed(self.seat, seconds=1.0, **changes)
        recording.finalised()
        send(self.seat, recording)
        case_id = case["id"] if case else ""
        assert self.seat.operate(call_op(self.seat.user_id, case_id, id=recording.call_id, number=number))
        return recording

    def blob(self, recording: Sealed) -> Path:
        sha256 = hashlib.sha256(recording.data).hexdigest()
        return self.running.data_dir / "recordings" / "blobs" / sha256[:2] / sha256

    def files(self) -> list[Path]:
        return sorted((self.running.data_dir / "retrieval").iterdir())


def serve(folder: Path, demo_data: Path, **env: str) -> Place:
    where = Path(shutil.copytree(demo_data, folder / "data"))
    running = start_server(where, data_dir=where, env=env)
    seat = Seat(running.url, "liting")
    return Place(running, seat, Seat(running.url, "shujv"), seat.case(0))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, demo_data: Path) -> Iterator[Place]:
    made = serve(tmp_path_factory.mktemp("retrieval"), demo_data)
    start = datetime.now(UTC) - timedelta(days=30)
    made.recordings = [made.record(made.case, started_at=iso(start + timedelta(minutes=n))) for n in range(MANY)]
    yield made
    made.running.stop()


@pytest.fixture
def alone(tmp_path: Path, demo_data: Path) -> Iterator[Place]:
    """As ``place``, for tests that break things."""
    made = serve(tmp_path, demo_data)
    made.recordings = [made.record(made.case) for _ in range(3)]
    yield made
    made.running.stop()


def ask(officer: Seat, **conditions: Any) -> Json:
    answer = officer.post("/v1/retrievals", {"reason": "监管调取 2026-8", **conditions})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def wait_for(officer: Seat, job_id: str, seconds: float = 60.0, *states: str) -> Json:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = officer.get(f"/v1/retrievals/{job_id}").json()
        if job["state"] in (states or ("done", "failed")):
            return dict(job)
        time.sleep(0.05)
    raise AssertionError(f"still {job['state']}")


def fetch(officer: Seat, job: Json) -> zipfile.ZipFile:
    answer = officer.get(f"/v1/retrievals/{job['id']}/package")
    assert answer.status_code == 200, answer.text
    assert hashlib.sha256(answer.content).hexdigest() == job["sha256"]
    assert len(answer.content) == job["size"]
    return zipfile.ZipFile(io.BytesIO(answer.content))


def index_of(package: zipfile.ZipFile) -> list[Json]:
    return list(json.loads(package.read("index.json"))["recordings"])


def opened(place: Place) -> Server:
    return app.make_server(Settings(data=place.running.data_dir))


def test_fifty_recordings_come_as_one_package_with_a_complete_index(place: Place) -> None:
    job = ask(place.officer, cases=[place.case["number"], "NO-SUCH-CASE"], client=place.case["client"])
    assert (job["total"], job["unknown_cases"]) == (MANY, ["NO-SUCH-CASE"])
    job = wait_for(place.officer, job["id"])
    assert (job["state"], job["done"], job["error"]) == ("done", MANY, "")
    with fetch(place.officer, job) as package:
        assert package.testzip() is None
        told = json.loads(package.read("index.json"))
        assert (told["id"], told["reason"], told["asked_by"]["login"]) == (job["id"], "监管调取 2026-8", "shujv")
        rows = told["recordings"]
        assert [row["recording_id"] for row in rows] == [r.recording_id for r in place.recordings], "oldest first"
        for row, recording in zip(rows, place.recordings, strict=True):
            assert (row["result"], row["number"], row["agent_login"]) == ("included", recording.number, "liting")
            assert (row["case_number"], row["client"]) == (place.case["number"], place.case["client"])
            assert package.read(row["sealed_file"]) == recording.data
            pcm, rate = soundfile.read(io.BytesIO(package.read(row["audio_file"])))
            assert (rate, pcm.shape) == (8000, (8000, 2))
        names = set(package.namelist())
        for recording in place.recordings:
            assert {f"{recording.recording_id}/{name}" for name in ("manifest.json", "receipt.json")} <= names
        table = list(csv.DictReader(io.StringIO(package.read("index.csv").decode("utf-8-sig"))))
    assert package.filename is None
    assert [row["recording_id"] for row in table] == [row["recording_id"] for row in rows]
    assert {row["far_number"] for row in table} == {"'+8613901234567"}, "no cell is a formula"


def test_the_package_is_a_bundle_that_the_recorder_verifies_offline(place: Place, tmp_path: Path) -> None:
    job = wait_for(place.officer, ask(place.officer, cases=[place.case["number"]])["id"])
    path = tmp_path / "package.zip"
    path.write_bytes(place.officer.get(f"/v1/retrievals/{job['id']}/package").content)
    pinned = base64.b64decode(place.seat.session["keys"]["receipt"])
    report = verify_bundle(path, pinned, {place.seat.seat_id: bytes(place.seat.key.verify_key)})
    assert (report.findings, report.recordings) == ([], MANY)
    sealed_file = f"{place.recordings[3].recording_id}/recording.rec"
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(tmp_path / "changed.zip", "w") as bad:
        for name in good.namelist():
            data = good.read(name)
            bad.writestr(name, data[:-9] + bytes(9) if name == sealed_file else data)
    assert {finding.code for finding in verify_bundle(tmp_path / "changed.zip", pinned).findings} == {"content"}


def test_a_package_is_sealed_on_the_servers_disk(place: Place) -> None:
    job = wait_for(place.officer, ask(place.officer, cases=[place.case["number"]])["id"])
    path = place.running.data_dir / "retrieval" / f"{job['id']}.1"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    raw = path.read_bytes()
    for clear in (b"PK\x03\x04", b"index.json", b"OggS", b"ADREC", place.case["number"].encode(), b"manifest"):
        assert clear not in raw
    server = opened(place)
    with server.db.read() as session:
        sealed_key = session.get_one(RetrievalJob, job["id"]).sealed_key
    server.db.dispose()
    assert len(sealed_key) == 108, "32 bytes and a sealed box, in base64"


def test_a_download_that_was_cut_goes_on_and_is_the_same(place: Place) -> None:
    job = wait_for(place.officer, ask(place.officer, cases=[place.case["number"]])["id"])
    url = f"{place.running.url}/v1/retrievals/{job['id']}/package"
    headers = {"Authorization": f"Bearer {place.officer.token}"}
    digest, got = hashlib.sha256(), 0
    with requests.get(url, headers=headers, stream=True, timeout=20) as answer:
        etag = answer.headers["ETag"]
        for chunk in answer.iter_content(10_000):
            digest.update(chunk)
            got += len(chunk)
            if got > 70_000:
                break  # and the connection is closed in the middle
    assert 0 < got < job["size"]
    while got < job["size"]:
        wanted = {**headers, "Range": f"bytes={got}-{got + 99_999}", "If-Range": etag}
        answer = requests.get(url, headers=wanted, timeout=20)
        assert (answer.status_code, answer.headers["ETag"]) == (206, etag)
        assert answer.headers["Content-Range"] == f"bytes {got}-{got + len(answer.content) - 1}/{job['size']}"
        digest.update(answer.content)
        got += len(answer.content)
    assert digest.hexdigest() == job["sha256"] == etag.strip('"')
    other = requests.get(url, headers={**headers, "Range": "bytes=5-9", "If-Range": '"other"'}, timeout=20)
    assert (other.status_code, len(other.content)) == (200, job["size"])
    behind = requests.get(url, headers={**headers, "Range": f"bytes={job['size']}-"}, timeout=20)
    assert (behind.status_code, behind.json()["code"]) == (416, "bad_range")


def test_each_recording_is_in_the_log_once_and_each_download(place: Place) -> None:
    officer = Seat(place.running.url, "shujv")
    job = wait_for(officer, ask(officer, cases=[place.case["number"]])["id"])
    fetch(officer, job).close()
    officer.get(f"/v1/retrievals/{job['id']}/package", headers={"Range": "bytes=0-9"})
    entries = [
        e for e in entries_of(Seat(place.running.url, "admin"), officer.user_id) if e["seat_id"] == officer.seat_id
    ]
    exported = [e["object_id"] for e in entries if e["action"] == "recording.exported"]
    assert exported == [r.recording_id for r in place.recordings]
    downloads = [e["detail"]["bytes"] for e in entries if e["action"] == "retrieval.downloaded"]
    assert downloads == [[0, job["size"]], [0, 10]]
    [created] = [e for e in entries if e["action"] == "retrieval.created"]
    assert created["detail"] == {"conditions": ["cases"], "recordings": MANY}
    assert place.case["number"] not in json.dumps(entries)
    accesses = Seat(place.running.url, "chenyu").get(f"/v1/recordings/{exported[0]}/accesses").json()["accesses"]
    assert accesses[0]["what"] == "exported"


def test_every_condition_finds_and_excludes(place: Place) -> None:
    first, last = place.recordings[0], place.recordings[-1]
    start = datetime.fromisoformat(first.started_at)
    both = {"cases": [place.case["number"]]}
    for conditions, total in (
        ({"client": place.case["client"], "agent": "liting", "number": "+8613901234567"}, MANY),
        ({**both, "number": "1234567"}, MANY),
        ({**both, "until": iso(start + timedelta(minutes=10))}, 10),
        ({**both, "since": last.started_at}, 1),
        ({"since": first.started_at, "until": iso(start + timedelta(minutes=5))}, 5),
    ):
        assert ask(place.officer, **conditions)["total"] == total, conditions
    for conditions in (
        {**both, "agent": "guowei"},
        {**both, "agent": "nobody"},
        {**both, "client": "不在的银行"},
        {**both, "number": "+1234567"},
        {**both, "number": "9999999"},
        {"cases": ["%"]},
        {**both, "until": first.started_at},
    ):
        answer = place.officer.post("/v1/retrievals", {"reason": "x", **conditions})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), conditions
    for job in place.officer.get("/v1/retrievals").json()["retrievals"]:
        assert place.officer.call("DELETE", f"/v1/retrievals/{job['id']}").status_code == 204


def test_wrong_conditions_are_refused(place: Place) -> None:
    for wrong in (
        {},
        {"reason": "x"},
        {"reason": "", "client": "x"},
        {"reason": "x", "number": "123"},
        {"reason": "x", "number": "%%%%"},
        {"reason": "x", "cases": [""]},
        {"reason": "x", "cases": ["x"] * 5001},
        {"reason": "x", "since": "yesterday"},
        {"reason": "x", "client": "a\x00b"},
    ):
        answer = place.officer.post("/v1/retrievals", wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), wrong


@pytest.mark.parametrize("login", ["liting", "xujing", "chenyu", "admin"])
def test_others_may_not_and_it_is_known(place: Place, login: str) -> None:
    job = wait_for(
        place.officer, ask(place.officer, cases=[place.case["number"]], until=place.recordings[1].started_at)["id"]
    )
    other = Seat(place.running.url, login)
    for method, path, body in (
        ("POST", "/v1/retrievals", {"client": "x", "reason": "x"}),
        ("GET", "/v1/retrievals", None),
        ("GET", f"/v1/retrievals/{job['id']}", None),
        ("GET", f"/v1/retrievals/{job['id']}/package", None),
        ("DELETE", f"/v1/retrievals/{job['id']}", None),
    ):
        answer = other.call(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)
    entries = entries_of(Seat(place.running.url, "admin"), other.user_id)
    refused = [e for e in entries if e["action"] == "access.refused" and e["seat_id"] == other.seat_id]
    assert [e["detail"]["permission"] for e in refused] == ["recordings.retrieve"] * 5


def test_another_officers_package_is_not_there(place: Place) -> None:
    job = wait_for(
        place.officer, ask(place.officer, cases=[place.case["number"]], until=place.recordings[1].started_at)["id"]
    )
    password = add_user(place.running.data_dir, "shujv2", "data_officer", "")
    other = Seat(place.running.url, "shujv2", password)
    for path in (f"/v1/retrievals/{job['id']}", f"/v1/retrievals/{job['id']}/package"):
        assert other.get(path).status_code == 404
    assert other.call("DELETE", f"/v1/retrievals/{job['id']}").status_code == 404
    assert other.get("/v1/retrievals").json() == {"retrievals": []}


def test_a_package_that_is_removed_or_too_old_is_gone(place: Place) -> None:
    kept = {"cases": [place.case["number"]], "until": place.recordings[1].started_at}
    removed, old = (wait_for(place.officer, ask(place.officer, **kept)["id"]) for _ in range(2))
    assert place.officer.call("DELETE", f"/v1/retrievals/{removed['id']}").status_code == 204
    server = opened(place)
    with server.db.write() as session:
        session.get_one(RetrievalJob, old["id"]).expires_at = datetime.now(UTC) - timedelta(seconds=1)
    server.db.dispose()
    assert wait_for(place.officer, old["id"], 20.0, "expired")["state"] == "expired"
    for job in (removed, old):
        answer = place.officer.get(f"/v1/retrievals/{job['id']}/package")
        assert (answer.status_code, answer.json()["code"]) == (410, "expired")
        deadline = time.monotonic() + 10
        while any(path.name.startswith(job["id"]) for path in place.files()):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def hang_at(place: Place, recording: Sealed) -> Callable[[], None]:
    """Make the server wait when it comes to this recording; call the result to let it have the bytes."""
    path = place.blob(recording)
    aside = path.with_suffix(".aside")
    path.rename(aside)
    os.mkfifo(path)

    def put_back() -> None:
        path.unlink()
        aside.rename(path)

    return put_back


@pytest.mark.slow
def test_a_job_survives_a_kill_of_the_server(alone: Place) -> None:
    put_back = hang_at(alone, sorted(alone.recordings, key=lambda r: r.recording_id)[1])
    job = ask(alone.officer, cases=[alone.case["number"]])
    assert wait_for(alone.officer, job["id"], 20.0, "running")["done"] < 3
    early = alone.officer.get(f"/v1/retrievals/{job['id']}/package")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    alone.running.stop(kill=True)
    assert [path.name for path in alone.files()] == [f"{job['id']}.1"], "what the killed server left"
    put_back()
    data, port = alone.running.data_dir, alone.running.port
    alone.running = start_server(data, data_dir=data, port=port)
    job = wait_for(alone.officer, job["id"])
    assert (job["state"], job["done"]) == ("done", 3)
    with fetch(alone.officer, job) as package:
        assert {row["result"] for row in index_of(package)} == {"included"}
    assert f"{job['id']}.1" not in {path.name for path in alone.files()}, "the half package is removed"


def test_what_cannot_be_brought_is_said_in_the_index(alone: Place, tmp_path: Path) -> None:
    gone, damaged, whole = alone.recordings
    alone.blob(gone).unlink()
    broken = alone.blob(damaged).read_bytes()
    alone.blob(damaged).write_bytes(broken[:-20] + bytes(20))
    destroyed = alone.record(alone.case)
    server = app.make_server(Settings(data=alone.running.data_dir))
    long_ago = datetime.now(UTC) - timedelta(days=3000)
    with server.db.write() as session:
        session.get_one(Recording, destroyed.recording_id).stored_at = long_ago
        session.add(RetentionRule(client="", days=800, set_by=alone.officer.user_id, set_at=long_ago))
    assert destroy.run(server).destroyed == [destroyed.recording_id]
    server.db.dispose()
    job = wait_for(alone.officer, ask(alone.officer, cases=[alone.case["number"]])["id"])
    path = tmp_path / "package.zip"
    path.write_bytes(alone.officer.get(f"/v1/retrievals/{job['id']}/package").content)
    found = {(finding.code, finding.about.partition("/")[0]) for finding in verify_bundle(path).findings}
    assert (found & {("content", whole.recording_id), ("content", destroyed.recording_id)}) == set()
    assert ("content", damaged.recording_id) in found
    with fetch(alone.officer, job) as package:
        results = {row["recording_id"]: row for row in index_of(package)}
        names = package.namelist()
    assert results[gone.recording_id]["result"] == "missing"
    assert results[whole.recording_id]["result"] == "included"
    assert results[destroyed.recording_id]["result"] == "destroyed"
    assert f"{destroyed.recording_id}/destroyed.json" in names
    assert f"{destroyed.recording_id}/recording.rec" not in names
    assert results[damaged.recording_id]["result"] == "damaged"


def test_qa_may_when_the_settings_say_so_and_only_so_many(tmp_path: Path, demo_data: Path) -> None:
    made = serve(tmp_path, demo_data, COLLECTION_RETRIEVAL_BY_QA="true", COLLECTION_RETRIEVAL_MAX_RECORDINGS="1")
    try:
        made.record(made.case)
        reviewer = Seat(made.running.url, "chenyu")
        job = wait_for(reviewer, ask(reviewer, cases=[made.case["number"]])["id"])
        fetch(reviewer, job).close()
        assert Seat(made.running.url, "xujing").get("/v1/retrievals").status_code == 403
        made.record(made.case)
        answer = reviewer.post("/v1/retrievals", {"cases": [made.case["number"]], "reason": "x"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    finally:
        made.running.stop()
