"""The store's chain, and what QA is told when something is missing from it."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from collection_server.app import make_server
from collection_server.evidence import chain, rounds
from collection_server.settings import Settings
from recorder.evidence import Manifest, SeatIdentity, verify_receipt
from recorder.spool import Spool
from recorder.uploader import UploadApi, Uploader
from tests.contract.test_evidence_bundle import sealed, send_second
from tests.contract.test_server_uploads import announce, check_receipt, send
from tests.support.recording import CALL_ID
from tests.support.server import RunningServer, start_server
from tests.support.server_api import Seat, call_op, new_id
from tests.unit.test_recorder_void import RECORDING_PROCESS

Json = dict[str, Any]


@pytest.fixture(scope="module")
def strict(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that waits for nothing before it raises an alarm."""
    data = Path(shutil.copytree(demo_data, tmp_path_factory.mktemp("strict") / "data"))
    served = start_server(data, data_dir=data, env={"COLLECTION_GAP_GRACE_HOURS": "0"})
    yield served
    served.stop()


@pytest.fixture
def qa(strict: RunningServer) -> Seat:
    return Seat(strict.url, "chenyu")


def alarms(qa: Seat, seat: Seat, **params: Any) -> list[Json]:
    answer = qa.get("/v1/evidence/alarms", params=params)
    assert answer.status_code == 200, answer.text
    return [alarm for alarm in answer.json()["alarms"] if alarm["seat_id"] == seat.seat_id]


def store(seat: Seat, number: int) -> Json:
    one = sealed(seat, number)
    one.finalised()
    receipt = send_second(seat, one)
    check_receipt(seat, one, receipt)
    return receipt


def test_a_missing_number_is_an_alarm_until_it_comes(strict: RunningServer, qa: Seat) -> None:
    seat = Seat(strict.url, "liting")
    store(seat, 1)
    assert alarms(qa, seat) == []
    store(seat, 4)
    assert [(a["kind"], a["number"]) for a in alarms(qa, seat)] == [("gap", 3), ("gap", 2)]
    store(seat, 2)
    assert [(a["kind"], a["number"]) for a in alarms(qa, seat)] == [("gap", 3)]
    (late,) = [a for a in alarms(qa, seat, closed=True) if a["number"] == 2]
    assert (late["remark"], late["closed_by"]) == ("arrived", "")


def test_a_number_on_its_way_is_not_missing(strict: RunningServer, qa: Seat) -> None:
    seat = Seat(strict.url, "liting")
    coming = sealed(seat, 1)
    coming.finalised()
    assert announce(seat, coming).status_code == 200
    store(seat, 2)
    assert alarms(qa, seat) == []


def test_a_person_closes_an_alarm_once_and_says_why(strict: RunningServer, qa: Seat) -> None:
    seat = Seat(strict.url, "liting")
    store(seat, 2)
    (alarm,) = alarms(qa, seat)
    path = f"/v1/evidence/alarms/{alarm['id']}/close"
    assert seat.post(path, {"remark": "x"}).status_code == 403
    assert qa.post(path, {"remark": ""}).status_code == 400
    closed = qa.post(path, {"remark": "座席机磁盘损坏"}).json()
    assert (closed["closed_by"], closed["remark"]) == (qa.user_id, "座席机磁盘损坏")
    assert qa.post(path, {"remark": "again"}).status_code == 409
    assert alarms(qa, seat) == []  # and it is not raised again
    assert qa.post(f"/v1/evidence/alarms/{new_id()}/close", {"remark": "x"}).status_code == 404


def test_a_recording_that_does_not_open_is_an_alarm(strict: RunningServer, qa: Seat) -> None:
    seat = Seat(strict.url, "liting")
    broken = sealed(seat, 1)
    broken.finalised(b"not audio")
    assert send_second(seat, broken)["state"] == "failed"
    (alarm,) = alarms(qa, seat)
    assert (alarm["kind"], alarm["recording_id"], alarm["call_id"]) == ("failed", broken.recording_id, broken.call_id)


def test_a_talked_call_without_a_recording_is_an_alarm(strict: RunningServer, qa: Seat) -> None:
    agent = Seat(strict.url, "liting")
    silent, recorded, unanswered = call_op(agent.user_id), call_op(agent.user_id), call_op(agent.user_id, talk_ms=0)
    one = sealed(agent, 1, call_id=recorded["data"]["id"])
    one.finalised()
    send_second(agent, one)
    agent.operate(silent, recorded, unanswered)

    def open_calls() -> set[str]:
        found = qa.get("/v1/evidence/alarms").json()["alarms"]
        return {alarm["call_id"] for alarm in found if alarm["kind"] == "no_recording"}

    ids = {op["data"]["id"] for op in (silent, recorded, unanswered)}
    assert open_calls() & ids == {silent["data"]["id"]}
    late = sealed(agent, 2, call_id=silent["data"]["id"])
    late.finalised()
    send_second(agent, late)
    assert open_calls() & ids == set()


def test_a_journal_deleted_after_a_kill_comes_to_qas_eyes(strict: RunningServer, qa: Seat, tmp_path: Path) -> None:
    """The whole way: a recording process, kill -9, rm, the next start, the uploader, the store, QA."""
    seat = Seat(strict.url, "liting", key=SigningKey(bytes(32)))
    spool = Spool(tmp_path / "spool")
    script = RECORDING_PROCESS.replace('"seat-7"', repr(seat.seat_id))
    store_key = base64.b64decode(seat.session["keys"]["store"]).hex()
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(spool.folder), store_key, CALL_ID], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    recording_id = next(line for line in process.stdout if line.startswith("WRITTEN")).split()[1]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    spool.payload(recording_id, "J").unlink()

    from recorder.recovery import recover

    (void,) = recover(spool, SeatIdentity(seat.seat_id, bytes(32)))
    key = base64.b64decode(seat.session["keys"]["receipt"])
    uploader = Uploader(spool, UploadApi(strict.url, lambda: seat.token), lambda _: None, receipt_key=key)
    uploader.start()
    try:
        deadline = time.monotonic() + 20
        while not spool.has_receipt(recording_id) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        uploader.stop()
        uploader.close()
    assert spool.has_receipt(recording_id)
    assert spool.ready() == []
    (alarm,) = alarms(qa, seat)
    assert (alarm["kind"], alarm["number"], alarm["recording_id"]) == ("void", 1, recording_id)
    assert alarm["call_id"] == void.call_id == CALL_ID
    store(seat, 2)
    assert [a["kind"] for a in alarms(qa, seat)] == ["void"]  # accounted for, and so no gap


def test_the_chain_is_for_those_who_may_witness_it(strict: RunningServer, qa: Seat) -> None:
    seat = Seat(strict.url, "liting")
    receipt = store(seat, 1)
    assert seat.get("/v1/evidence/chain").status_code == 403
    assert seat.get("/v1/evidence/alarms").status_code == 403
    page = Seat(strict.url, "admin").get("/v1/evidence/chain", params={"since": receipt["seq"] - 1}).json()
    first = page["entries"][0]
    assert {**first["body"], "signature": first["signature"]} == receipt
    assert page["head_seq"] >= receipt["seq"]
    assert qa.get("/v1/evidence/chain", params={"since": page["head_seq"]}).json()["entries"] == []


def test_a_receipt_of_either_length_is_accepted_by_the_seat(strict: RunningServer) -> None:
    seat = Seat(strict.url, "liting")
    one = sealed(seat, 1)
    one.finalised()
    receipt = send(seat, one)
    manifest = Manifest.from_json(one.manifest())
    key = base64.b64decode(seat.session["keys"]["receipt"])
    proof = verify_receipt(receipt, key, recording_id=one.recording_id, sha256=manifest.sha256, size=manifest.size)
    assert proof.stored_at == receipt["stored_at"]
    assert receipt["pieces"] > 3


def test_the_chain_shows_every_change_of_the_database(private_data: Path) -> None:
    served = start_server(private_data, data_dir=private_data)
    seat = Seat(served.url, "liting")
    for number in (1, 2, 3):
        store(seat, number)
    served.stop()
    server = make_server(Settings(data=private_data))
    public = server.keys.receipt.verify_key
    try:
        with server.db.read() as session:
            assert chain.verify(session, public) is None
        with pytest.raises(DatabaseError), server.db.write() as session:
            session.execute(text("UPDATE evidence_chain SET number = 7 WHERE seq = 2"))
        with pytest.raises(DatabaseError), server.db.write() as session:
            session.execute(text("DELETE FROM evidence_chain"))
        with sqlite3.connect(private_data / "collection.db") as raw:  # as somebody would who has the file
            raw.execute("DROP TRIGGER evidence_chain_no_update")
            raw.execute("UPDATE evidence_chain SET body = replace(body, '\"verified\"', '\"failed\"') WHERE seq = 2")
        raw.close()
        with server.db.read() as session:
            assert chain.verify(session, public) == 2
    finally:
        server.db.dispose()


def test_recordings_older_than_the_chain_are_taken_in(private_data: Path) -> None:
    served = start_server(private_data, data_dir=private_data)
    seat = Seat(served.url, "liting")
    receipt = store(seat, 1)
    served.stop()
    with sqlite3.connect(private_data / "collection.db") as raw:  # as it was before the chain
        raw.executescript(
            "DROP TRIGGER evidence_chain_no_delete; DROP TRIGGER evidence_pieces_no_delete;"
            "DELETE FROM evidence_chain; DELETE FROM evidence_pieces;"
            "UPDATE evidence_head SET seq = 0, hash = '" + "0" * 64 + "'"
        )
    raw.close()
    server = make_server(Settings(data=private_data))
    try:
        assert rounds.run(server).endswith("adopted 1")
        assert rounds.run(server).endswith("adopted 0")
        with server.db.read() as session:
            assert chain.verify(session, server.keys.receipt.verify_key) is None
    finally:
        server.db.dispose()
    served = start_server(private_data, data_dir=private_data)
    try:
        again = Seat(served.url, "liting", seat_id=seat.seat_id, key=seat.key)
        found = again.post(f"/v1/recordings/{receipt['recording_id']}/complete").json()
        assert set(found) == {"recording_id", "sha256", "size", "stored_at", "signature"}
    finally:
        served.stop()
