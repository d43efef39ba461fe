"""A disk that is full, read-only, gone, or nearly full: the call goes on, and what was written is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder import session as session_module
from recorder import tap
from recorder.container import JOURNAL
from recorder.files import SpoolError
from recorder.spool import Spool
from recorder.verify import check_decrypted
from tests.support.recording import FRAME, RATE, Seat, facts, feed, frames, tone

DISK = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB of its own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(where)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield where
    subprocess.run(["umount", str(where)], check=True)


@pytest.fixture
def seat(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seat]:
    monkeypatch.setattr(tap, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(session_module, "FINALISE_RETRY_SECONDS", 0.1)
    made = Seat(small_disk / "spool")
    yield made
    made.recorder.stop(1)
    made.recorder.stop(1)


def fill(disk: Path, leave: int) -> Path:
    """Take the disk's space but for ``leave`` bytes."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        while (free := shutil.disk_usage(disk).free) > leave:
            file.write(bytes(min(free - leave, 65_536)))
    return filler


def test_a_full_disk_is_told_and_what_was_written_is_kept(seat: Seat, small_disk: Path) -> None:
    session = seat.recorder.start(facts())
    reached = feed(session, tone(440, 2), tone(440, 2))
    seat.wait_for(lambda s: s.sealed_ms == 2000)
    fill(small_disk, 0)
    voice = tone(440, 4)
    feed(session, voice, voice, start=reached)
    failed = seat.wait_for(lambda s: s.state == "failed")
    assert (failed.problem, failed.free_bytes < DISK) == ("disk_full", True)
    session.close("hung_up")
    assert not seat.recorder.stop(0.5)
    (path,) = seat.folder.glob("*.journal")
    fresh = Seat(seat.folder, store=seat.store, identity=seat.identity)
    with pytest.raises(SpoolError) as caught:
        fresh.recorder.recover()
    assert caught.value.code == "disk_full"
    assert path.exists()
    (small_disk / "filler").unlink()
    (manifest,) = fresh.recorder.recover()
    opened = check_decrypted(path, bytes(seat.store), manifest)
    assert all(check.passed for check in opened), opened
    assert manifest.size == path.stat().st_size > 2 * RATE * 4


def test_recording_goes_on_without_loss_when_there_is_room_again(seat: Seat, small_disk: Path) -> None:
    session = seat.recorder.start(facts())
    reached = feed(session, tone(440, 1), tone(440, 1))
    seat.wait_for(lambda s: s.sealed_ms == 1000)
    filler = fill(small_disk, 0)
    voice = tone(440, 5)
    reached = feed(session, voice, voice, start=reached)
    seat.wait_for(lambda s: s.problem == "disk_full")
    filler.unlink()
    told = len(seat.states)
    seat.wait_for(lambda s: s in seat.states[told:] and s.state == "recording" and s.sealed_ms == 6000)
    feed(session, tone(440, 1), tone(440, 1), start=reached)
    session.close("hung_up")
    assert seat.wait_for(lambda s: s.state == "sealed").lost_frames == 0
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, manifest.samples) == ("F", 7 * RATE)
    assert len(seat.open(manifest).channels()[0]) == 7 * RATE


def test_a_disk_with_no_room_for_the_finalised_file_gives_the_journal(seat: Seat, small_disk: Path) -> None:
    session = seat.recorder.start(facts())
    voice = tone(440, 8)
    feed(session, voice, voice)
    seat.wait_for(lambda s: s.sealed_ms == 8000)
    fill(small_disk, 20_000)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, manifest.recovered, manifest.samples) == (JOURNAL, False, 8 * RATE)
    assert len(seat.names() - {"filler"}) == 2


def test_a_call_that_ends_on_a_full_disk_is_sealed_once_there_is_room(seat: Seat, small_disk: Path) -> None:
    session = seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(440, 1))
    seat.wait_for(lambda s: s.sealed_ms == 1000)
    filler = fill(small_disk, 0)
    session.close("hung_up")
    seat.wait_for(lambda s: s.problem == "disk_full")
    assert [s.recording_id for s in seat.recorder.active()] == [session.recording_id]
    filler.unlink()
    seat.wait_for(lambda s: s.state == "sealed")
    assert [m.kind for m in seat.spool.ready()] == ["F"]


def test_a_read_only_disk_is_told_and_recorded_on_once_it_takes_data(seat: Seat, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    session = seat.recorder.start(facts())
    voice = tone(440, 2)
    feed(session, voice, voice)
    failed = seat.wait_for(lambda s: s.state == "failed")
    assert (failed.problem, failed.sealed_ms) == ("spool_unwritable", 0)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert (manifest.samples, manifest.lost_frames) == (2 * RATE, 0)


def test_a_nearly_full_disk_is_told_while_recording_goes_on(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(440, 1))
    low = seat.wait_for(lambda s: s.problem == "disk_low")
    assert (low.state, low.free_bytes < tap.DISK_LOW) == ("recording", True)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed" and s.problem == "")


def test_a_spool_that_cannot_be_made_does_not_keep_the_call_from_going_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    seat = Seat(tmp_path / "file" / "spool")
    began = time.monotonic()
    session = seat.recorder.start(facts())
    for i, frame in enumerate(frames(tone(440, 2))):
        session.frames(i * FRAME, frame, frame)
    assert time.monotonic() - began < 0.5
    status = seat.wait_for(lambda s: s.state == "failed")
    assert (status.problem, status.sealed_ms, status.recording_id) == ("spool_unwritable", 0, session.recording_id)
    session.close("hung_up")
    assert not seat.recorder.stop(0.2)
    with pytest.raises(SpoolError, match="spool_unwritable"):
        seat.recorder.recover()


def test_a_journal_that_somebody_removes_is_told(tmp_path: Path) -> None:
    seat = Seat(tmp_path / "spool")
    session = seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(440, 1))
    seat.wait_for(lambda s: s.sealed_ms == 1000)
    seat.spool.payload(session.recording_id, JOURNAL).unlink()
    assert seat.wait_for(lambda s: s.state == "failed").problem == "spool_unwritable"
    session.close("hung_up")
    assert seat.recorder.stop(10)
    assert seat.states[-1].state == "failed"
    assert seat.spool.ready() == []


def test_a_recording_without_a_receipt_is_never_dropped(tmp_path: Path) -> None:
    seat = Seat(tmp_path / "spool")
    recording_id = seat.record(tone(440, 0.2), tone(440, 0.2))
    with pytest.raises(ValueError, match="never dropped"):
        Spool(seat.folder).drop_stored(recording_id)
    assert len(seat.names()) == 2
    seat.recorder.stop(5)
