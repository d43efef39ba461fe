"""A journal that a crash left is encoded once by the store, sealed, signed for, and replayed from that."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from nacl.public import PrivateKey

from collection_server.app import make_server
from collection_server.evidence import rounds, service
from collection_server.evidence.bundle import bundle_files
from collection_server.evidence.chain import Subject
from collection_server.evidence.zipping import zipped
from collection_server.settings import Settings
from recorder.verify import check_decrypted, check_envelope
from recorder.verify_bundle import verify_bundle
from tests.contract.test_evidence_bundle import change, codes, sealed, send_second
from tests.support.server import start_server
from tests.support.server_api import Seat

Json = dict[str, Any]


@pytest.fixture
def around(private_data: Path) -> Callable[[Callable[[Seat, Seat, Seat], None]], None]:
    """Runs something with a collector, a QA and a data officer of a server over this test's data."""

    def run(what: Callable[[Seat, Seat, Seat], None]) -> None:
        served = start_server(private_data, data_dir=private_data)
        try:
            what(Seat(served.url, "liting"), Seat(served.url, "chenyu"), Seat(served.url, "shujv"))
        finally:
            served.stop()

    return run


def finalise(data: Path) -> tuple[str, bytes]:
    """One round of the server's duties; what it says and the store's private key."""
    server = make_server(Settings(data=data))
    try:
        return rounds.run(server), bytes(server.keys.store)
    finally:
        server.db.dispose()


Around = Callable[[Callable[[Seat, Seat, Seat], None]], None]


def test_a_journal_is_finalised_once_and_stays_as_it_is(private_data: Path, around: Around, tmp_path: Path) -> None:
    kept: Json = {}

    def record(seat: Seat, qa: Seat, officer: Seat) -> None:
        kept["journal"] = journal = sealed(seat, 1)
        journal.journal(gap_at=1.0)
        assert send_second(seat, journal)["state"] == "recovered"

    around(record)
    journal = kept["journal"]
    finalise(private_data)  # unless the server had its own round in time
    said, store_key = finalise(private_data)
    assert "finalised 0," in said

    def look(seat: Seat, qa: Seat, officer: Seat) -> None:
        kept["audio"] = qa.get(f"/v1/recordings/{journal.recording_id}/audio").content
        (tmp_path / "bundle.zip").write_bytes(officer.get(f"/v1/recordings/{journal.recording_id}/bundle").content)
        chain = qa.get("/v1/evidence/chain").json()["entries"]
        (kept["made"],) = [entry["body"] for entry in chain if entry["body"]["kind"] == "finalised"]

    around(look)
    made = kept["made"]
    assert made["sha256"] == hashlib.sha256(journal.data).hexdigest()
    assert made["content_sha256"] == hashlib.sha256(kept["audio"]).hexdigest()
    info = soundfile.info(io.BytesIO(kept["audio"]))
    assert (info.channels, info.duration) == (2, pytest.approx(3.0, abs=0.1))
    blobs = {path.name: path for path in (private_data / "recordings").rglob("*") if path.is_file()}
    assert blobs[made["sha256"]].read_bytes() == journal.data
    derived = blobs[made["derived_sha256"]]
    assert derived.stat().st_size == made["derived_size"]
    checks = [check_envelope(derived), *check_decrypted(derived, bytes(PrivateKey(store_key)), None)]
    assert [check for check in checks if not check.passed] == []
    report = verify_bundle(tmp_path / "bundle.zip")
    assert (report.findings, report.recordings) == ([], 1)


def test_what_was_made_of_a_journal_is_verified_too(private_data: Path, around: Around, tmp_path: Path) -> None:
    import zipfile

    kept: Json = {}

    def record(seat: Seat, qa: Seat, officer: Seat) -> None:
        kept["journal"] = journal = sealed(seat, 1)
        journal.journal()
        send_second(seat, journal)

    around(record)
    finalise(private_data)
    folder = tmp_path / "bundle"

    def fetch(seat: Seat, qa: Seat, officer: Seat) -> None:
        answer = officer.get(f"/v1/recordings/{kept['journal'].recording_id}/bundle")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            archive.extractall(folder)

    around(fetch)
    own = folder / kept["journal"].recording_id
    audio = bytearray((own / "audio.ogg").read_bytes())
    audio[len(audio) // 2] ^= 1
    (own / "audio.ogg").write_bytes(audio)
    assert codes(verify_bundle(folder)) == {"content"}
    digest = hashlib.sha256(audio).hexdigest()
    change(own / "finalised.json", lambda body: body.update(content_sha256=digest))
    assert "server_signature" in codes(verify_bundle(folder))


def test_an_hour_is_verified_a_hundred_times_faster_than_it_lasts(
    private_data: Path, around: Around, tmp_path: Path
) -> None:
    def record(seat: Seat, qa: Seat, officer: Seat) -> None:
        hour = sealed(seat, 1, seconds=3600.0, rate=16_000)
        hour.finalised(b"OggS" + bytes(22_000_000), samples=0)  # the size of an hour; what is in it plays no part
        send_second(seat, hour)
        (tmp_path / "hour.zip").write_bytes(officer.get(f"/v1/recordings/{hour.recording_id}/bundle").content)

    around(record)
    assert (tmp_path / "hour.zip").stat().st_size > 22_000_000
    began = time.process_time()
    report = verify_bundle(tmp_path / "hour.zip")
    assert report.seconds == 3600.0
    assert codes(report) == set()
    assert time.process_time() - began < 36.0


def test_a_destroyed_recording_is_proven_by_the_statement_of_it(
    private_data: Path, around: Around, tmp_path: Path
) -> None:
    kept: Json = {}

    def record(seat: Seat, qa: Seat, officer: Seat) -> None:
        kept["one"], kept["two"] = sealed(seat, 1), sealed(seat, 2)
        for one in (kept["one"], kept["two"]):
            one.finalised()
            send_second(seat, one)

    around(record)
    one = kept["one"]
    server = make_server(Settings(data=private_data))
    try:
        with server.db.write() as session:
            subject = Subject(one.recording_id, one.seat_id, 1)
            service.append(session, "destroyed", subject, {"rule": "730"}, server.clock(), server.keys.receipt)
        server.blobs.delete(hashlib.sha256(one.data).hexdigest())
        with server.db.read() as session:
            files = bundle_files(session, server, [one.recording_id, kept["two"].recording_id])
        path = tmp_path / "bundle.zip"
        path.write_bytes(b"".join(zipped(files, server.blobs)))
    finally:
        server.db.dispose()
    report = verify_bundle(path)
    assert report.findings == []
    assert [note.split(":")[0] for note in report.notes] == [one.recording_id]
