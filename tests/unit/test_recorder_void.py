"""A number whose audio is gone is declared void, signed; one that somebody is working on is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.canonical import canonical_json
from recorder.container import JOURNAL
from recorder.evidence import Manifest, Receipt, verify_manifest
from recorder.numbers import NumberLedger
from tests.support.recording import CALL_ID, FRAME, Seat, facts, frames, tone

ID = "0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4d"

RECORDING_PROCESS = """
import sys, time
from pathlib import Path
from recorder.evidence import SeatIdentity
from recorder.session import Recorder, RecordingFacts
from recorder.spool import Spool

recorder = Recorder(Spool(Path(sys.argv[1])), bytes.fromhex(sys.argv[2]), SeatIdentity("seat-7", bytes(32)), print)
session = recorder.start(RecordingFacts(sys.argv[3], "line-1", "outbound", "2026-03-02T01:02:03.000Z", 8000))
for i in range(10**6):
    session.frames(i * 160, bytes(320), bytes(320))
    if session.status(0).sealed_ms:
        print("WRITTEN", session.recording_id, flush=True)
    time.sleep(0.02)
"""


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


def killed_recording(seat: Seat) -> str:
    """A recording whose process was killed in mid-call; its journal is there."""
    command = [sys.executable, "-c", RECORDING_PROCESS, str(seat.folder), seat.store_public.hex(), CALL_ID]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("WRITTEN"))
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    return line.split()[1]


def record(seat: Seat) -> Manifest:
    session = seat.recorder.start(facts())
    for i, frame in enumerate(frames(tone(440, 0.2))):
        session.frames(i * FRAME, frame, frame)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed" and s.recording_id == session.recording_id)
    found = seat.spool.manifest(session.recording_id)
    assert found is not None
    return found


def test_a_journal_that_is_deleted_after_a_kill_leaves_a_signed_void_number(seat: Seat) -> None:
    recording_id = killed_recording(seat)
    seat.spool.payload(recording_id, JOURNAL).unlink()
    (void,) = seat.recorder.recover()
    assert (void.kind, void.number, void.recording_id, void.call_id) == ("N", 1, recording_id, CALL_ID)
    verify_manifest(void, seat.identity.public_key)
    assert seat.spool.ready() == [void]
    assert seat.recorder.recover() == []
    assert record(seat).number == 2


def test_the_number_is_taken_when_the_journal_is_made(seat: Seat) -> None:
    recording_id = killed_recording(seat)
    assert seat.spool.numbers.held() == {recording_id: 1}
    (manifest,) = seat.recorder.recover()
    assert (manifest.kind, manifest.number) == ("J", 1)
    assert seat.spool.numbers.held() == {}


def test_a_number_that_a_living_process_works_on_is_not_declared_void(seat: Seat) -> None:
    other = NumberLedger(seat.folder)
    seat.spool.prepare()
    assert other.take(ID) == 1  # its journal is not yet made: the disk is slow, or full
    assert seat.recorder.recover() == []
    other.let_go()
    (void,) = seat.recorder.recover()
    assert (void.kind, void.number, void.call_id) == ("N", 1, "")


def test_a_number_of_an_earlier_version_without_audio_is_declared_void(seat: Seat) -> None:
    seat.spool.prepare()
    (seat.folder / "numbers.json").write_bytes(canonical_json({"last": 4, "held": {ID: 3}}))
    (void,) = seat.recorder.recover()
    assert (void.number, void.recording_id) == (3, ID)
    assert record(seat).number == 5


def test_a_journal_that_nobody_can_read_is_kept_and_its_number_is_void(seat: Seat) -> None:
    recording_id = killed_recording(seat)
    seat.spool.payload(recording_id, JOURNAL).write_bytes(b"nonsense")
    (void,) = seat.recorder.recover()
    assert (void.kind, void.recording_id) == ("N", recording_id)
    assert (seat.spool.refused / f"{recording_id}.journal").read_bytes() == b"nonsense"


@pytest.mark.parametrize("with_the_store", [True, False])
def test_audio_that_turns_up_after_its_number_was_void_is_kept_for_a_person(seat: Seat, with_the_store: bool) -> None:
    recording_id = killed_recording(seat)
    journal = seat.spool.payload(recording_id, JOURNAL)
    data = journal.read_bytes()
    journal.unlink()
    (void,) = seat.recorder.recover()
    if with_the_store:
        receipt = Receipt(recording_id, void.sha256, 0, "2026-03-02T01:03:00Z", "c2ln")
        seat.spool.keep_receipt(void, receipt, {"signature": "c2ln"})
        seat.spool.drop_stored(recording_id)
    journal.write_bytes(data)
    for waiting in seat.spool.stored_but_here():
        seat.spool.drop_stored(waiting)
    assert journal.exists()
    assert seat.recorder.recover() == []
    assert (seat.spool.refused / journal.name).read_bytes() == data
    assert seat.spool.ready() == ([] if with_the_store else [void])
