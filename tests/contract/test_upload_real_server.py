"""The uploader against the real collection server: what the seat sealed is what QA hears."""

from __future__ import annotations

import base64
import io
import time
import uuid
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from recorder import codec, pcm
from recorder.evidence import Manifest, SeatIdentity
from recorder.finalise import FinaliseError
from recorder.session import Recorder, RecordingFacts, RecordingStatus
from recorder.spool import Spool
from recorder.uploader import UploadApi, Uploader, UploadStatus
from tests.support.recording import RATE, feed, power, tone
from tests.support.server import DEMO_PASSWORD, RunningServer, init_data, start_server


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_data(tmp_path_factory.mktemp("collection") / "server")


@pytest.fixture
def server(data_dir: Path, tmp_path: Path) -> Iterator[RunningServer]:
    running = start_server(tmp_path, data_dir=data_dir, env={"COLLECTION_PART_SIZE": "65536"})
    yield running
    running.stop()


@dataclass
class RealSeat:
    """A seat that is signed in at a running server."""

    server: RunningServer
    folder: Path
    states: list[UploadStatus] = field(default_factory=list)
    recorded: list[RecordingStatus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.identity = SeatIdentity.generate(f"seat-{uuid.uuid4().hex[:8]}")
        self.spool = Spool(self.folder)
        self.spool.prepare()
        self.session = self.sign_in("liting", seat=True)
        keys = {name: base64.b64decode(text) for name, text in self.session["keys"].items()}
        self.recorder = Recorder(self.spool, keys["store"], self.identity, self.recorded.append)
        api = UploadApi(self.server.url, lambda: self.session["token"])
        self.uploader = Uploader(
            self.spool, api, self.states.append, receipt_key=keys["receipt"], first_wait=0.05, look_every=0.2
        )

    def sign_in(self, login: str, *, seat: bool = False) -> dict[str, Any]:
        identity = self.identity if seat else SeatIdentity.generate(f"seat-{uuid.uuid4().hex[:8]}")
        body = {
            "login": login,
            "password": DEMO_PASSWORD,
            "seat_id": identity.seat_id,
            "seat_public_key": base64.b64encode(identity.public_key).decode(),
        }
        answer = requests.post(f"{self.server.url}/v1/session", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def record(self, seconds: float) -> Manifest:
        facts = RecordingFacts(str(uuid.uuid4()), "line-1", "outbound", "2026-03-02T01:02:03.000Z", RATE)
        session = self.recorder.start(facts)
        feed(session, tone(440, seconds), tone(1000, seconds))
        session.event("hold", {})
        session.close("hung_up")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if found := [m for m in self.spool.ready() if m.recording_id == session.recording_id]:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"not sealed: {self.recorded[-2:]}")

    def wait_stored(self, recording_id: str) -> UploadStatus:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for status in list(self.states):
                if status.last_done == recording_id:
                    return status
            time.sleep(0.02)
        raise AssertionError(f"not stored: {self.states[-3:]} {list(self.server.errors)[-5:]}")

    def channels(self, recording_id: str) -> tuple[array[int], array[int]]:
        """What QA gets to hear."""
        token = self.sign_in("chenyu")["token"]
        url = f"{self.server.url}/v1/recordings/{recording_id}/audio"
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        assert answer.status_code == 200, answer.text
        left, right = pcm.split(b"".join(codec.decode(io.BytesIO(answer.content))))
        return array("h", left), array("h", right)

    def stop(self) -> None:
        self.uploader.stop()
        self.uploader.close()
        self.recorder.stop(10)


@pytest.fixture
def seat(server: RunningServer, tmp_path: Path) -> Iterator[RealSeat]:
    made = RealSeat(server, tmp_path / "spool")
    yield made
    made.stop()


def test_what_the_seat_sealed_is_what_qa_hears(seat: RealSeat) -> None:
    manifest = seat.record(20)
    assert manifest.size > 65_536  # several parts
    seat.uploader.start()
    status = seat.wait_stored(manifest.recording_id)
    assert status.receipt is not None
    assert (status.receipt.sha256, status.receipt.size) == (manifest.sha256, manifest.size)
    assert [p.name for p in seat.folder.iterdir() if p.name.startswith(manifest.recording_id)] == []
    left, right = seat.channels(manifest.recording_id)
    assert len(left) == len(right) == 20 * RATE
    second = slice(5 * RATE, 6 * RATE)
    assert power(left[second], 440) > 7500
    assert power(right[second], 1000) > 7500
    assert power(left[second], 1000) < 80


def test_a_journal_that_a_crash_left_is_heard_as_far_as_it_goes(
    seat: RealSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_encoder(*_: object) -> None:
        raise FinaliseError("test")

    monkeypatch.setattr("recorder.session.finalise", no_encoder)
    made = seat.record(3)
    path = seat.spool.payload(made.recording_id, "J")
    path.write_bytes(path.read_bytes()[:-100])  # torn in its closing piece
    path.with_name(f"{made.recording_id}.manifest.json").unlink()
    (manifest,) = seat.recorder.recover()
    assert manifest.recovered
    seat.uploader.start()
    seat.wait_stored(manifest.recording_id)
    left, right = seat.channels(manifest.recording_id)
    assert len(left) == len(right) == 3 * RATE
    assert power(left[RATE : 2 * RATE], 440) > 7500
    assert power(right[RATE : 2 * RATE], 1000) > 7500


def test_a_server_that_is_killed_in_mid_upload_gets_the_rest_when_it_is_back(seat: RealSeat) -> None:
    manifest = seat.record(20)
    seat.uploader.bytes_per_second = manifest.size // 2
    seat.uploader.start()
    deadline = time.monotonic() + 10
    while not any(s.uploading for s in seat.states) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)
    seat.server.stop(kill=True)
    while not any(s.problem == "server_away" for s in seat.states) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert any(s.problem == "server_away" for s in seat.states)
    assert len([p for p in seat.folder.iterdir() if p.name.startswith(manifest.recording_id)]) == 2
    seat.uploader.bytes_per_second = 0
    env = {"COLLECTION_PART_SIZE": "65536"}
    back = start_server(seat.folder, data_dir=seat.server.data_dir, port=seat.server.port, env=env)
    try:
        seat.uploader.wake()
        seat.wait_stored(manifest.recording_id)
    finally:
        seat.uploader.stop()
        back.stop()


def test_the_policy_says_what_goes_first_and_how_fast(data_dir: Path, tmp_path: Path) -> None:
    env = {"COLLECTION_UPLOAD_ORDER": "newest", "COLLECTION_UPLOAD_BYTES_PER_SECOND": "250000"}
    server = start_server(tmp_path, data_dir=data_dir, env=env)
    try:
        policy = RealSeat(server, tmp_path / "spool").session["policy"]
        assert (policy["upload_order"], policy["upload_bytes_per_second"]) == ("newest", 250_000)
    finally:
        server.stop()


def test_a_manifest_by_another_seats_key_is_set_aside(seat: RealSeat) -> None:
    seat.identity = SeatIdentity.generate(seat.identity.seat_id)
    seat.recorder._identity = seat.identity
    manifest = seat.record(1)
    seat.uploader.start()
    deadline = time.monotonic() + 10
    while not seat.spool.has_refused() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (seat.spool.refused / f"{manifest.recording_id}.rec").exists()
