"""A real line process in a real call whose spool's disk fills, turns read-only, or fills and the process is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.container import FINALISED, JOURNAL, ContainerReader
from recorder.spool import Spool
from recorder.verify import read_contents
from telephony.messages import Answer, CallEnded, CallIncoming, Dial, HangUp, RecordingState, Snapshot
from tests.line.parts import wait_until
from tests.support.lines import Seat, connect, start_pair
from tests.support.recording import open_recording

pytestmark = pytest.mark.slow

ROOM = 8 << 20
TOLD_S = 5.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """The collector's spool is a file system of its own."""
    where = tmp_path / "collector" / "spool"
    where.mkdir(parents=True)
    mount(where, "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def mount(where: Path, *options: str) -> None:
    done = subprocess.run(["mount", *options, str(where)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")


@pytest.fixture
def pair(disk: Path, tmp_path: Path) -> Iterator[tuple[Seat, Seat]]:
    seats = start_pair(tmp_path)
    yield seats
    for seat in seats:
        seat.port.stop()


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        while free := shutil.disk_usage(disk).free:
            file.write(bytes(min(free, 65_536)))
    return filler


def sealed_ms(seat: Seat, call_id: str) -> int:
    return max((e.sealed_ms for e in seat.seen(RecordingState) if e.call_id == call_id), default=0)


def told(seat: Seat, call_id: str, problem: str) -> RecordingState:
    return seat.wait(RecordingState, lambda e: e.call_id == call_id and e.problem == problem, TOLD_S)


def check_whole(collector: Seat, disk: Path, call_id: str) -> None:
    """Hang up; the sealed file is as long as the call."""
    collector.port.request(lambda i: HangUp(i, call_id))
    sealed = collector.wait(RecordingState, lambda e: e.call_id == call_id and e.state == "sealed", 30)
    assert sealed.lost_frames == 0
    opened = open_recording(Spool(disk).payload(sealed.recording_id, FINALISED), collector.store_key)
    rate = opened.closing["rate"]
    assert opened.closing["samples"] / rate == pytest.approx(opened.closing["monotonic_ms"] / 1000, abs=0.08)
    assert [e for e in opened.events if e["kind"] == "gap" and e["channel"] == "both"] == []


def test_a_disk_that_was_full_for_a_while_costs_nothing(pair: tuple[Seat, Seat], disk: Path) -> None:
    collector, debtor = pair
    call_id, _ = connect(collector, debtor)
    collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms >= 1000)
    filler = fill(disk)
    told(collector, call_id, "disk_full")
    time.sleep(1.5)
    assert not collector.seen(CallEnded), "the call goes on"
    filler.unlink()
    before = sealed_ms(collector, call_id)
    ours = (call_id, "recording")
    collector.wait(RecordingState, lambda e: (e.call_id, e.state) == ours and e.sealed_ms > before + 1500)
    check_whole(collector, disk, call_id)


def test_a_spool_that_was_read_only_when_the_call_began_costs_nothing(pair: tuple[Seat, Seat], disk: Path) -> None:
    collector, debtor = pair
    mount(disk, "-o", "remount,ro")
    call_id = str(uuid.uuid4())
    collector.port.request(lambda i: Dial(i, call_id, "line", "13800006021"))
    rung = debtor.wait(CallIncoming)
    debtor.port.request(lambda i: Answer(i, rung.call_id))
    told(collector, call_id, "spool_unwritable")
    time.sleep(1.0)
    assert not collector.seen(CallEnded), "the call goes on"
    mount(disk, "-o", "remount,rw")
    collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms > 2000 and e.state == "recording")
    check_whole(collector, disk, call_id)


def test_a_kill_on_a_full_disk_keeps_what_was_written(pair: tuple[Seat, Seat], disk: Path) -> None:
    collector, debtor = pair
    call_id, _ = connect(collector, debtor)
    collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms >= 2000)
    filler = fill(disk)
    (journal,) = disk.glob("*.journal")
    told(collector, call_id, "disk_full")
    said, kept = sealed_ms(collector, call_id), journal.read_bytes()
    collector.events.clear()
    os.kill(collector.pid, signal.SIGKILL)
    wait_until(lambda: collector.port.starts == 2, 20)
    collector.wait(Snapshot)
    filler.unlink()
    os.kill(collector.pid, signal.SIGKILL)  # the next start finds room again
    wait_until(lambda: Spool(disk).manifest(journal.stem) is not None, 20)
    manifest = Spool(disk).manifest(journal.stem)
    assert manifest is not None
    assert (manifest.kind, manifest.recovered, manifest.call_id, manifest.number) == (JOURNAL, True, call_id, 1)
    assert journal.read_bytes() == kept
    with journal.open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(collector.store_key))
        assert read_contents(reader).samples / 16 >= said
