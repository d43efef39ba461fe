"""kill -9 of a process that records, at random moments and at every step of its end (R5)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from recorder import finalise as finalise_module
from recorder import session as session_module
from recorder import transcribe as transcribe_module
from recorder.container import FINALISED, JOURNAL, ContainerReader
from recorder.evidence import Manifest, SeatIdentity, verify_manifest
from recorder.spool import Spool
from recorder.verify import Contents, check_decrypted, read_contents
from tests.support.recording import FRAME, RATE, Seat, facts, feed, frames, tone

ROOT = Path(__file__).parents[2]

RECORDING_PROCESS = """
import sys, time
from pathlib import Path
from recorder.evidence import SeatIdentity
from recorder.session import Recorder, RecordingFacts
from recorder.spool import Spool

spool, store, seed = Path(sys.argv[1]), bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
recorder = Recorder(Spool(spool), store, SeatIdentity("seat-7", seed), lambda status: None)
session = recorder.start(RecordingFacts("call", "line-1", "outbound", "2026-03-02T01:02:03.000Z", 8000))
frame = bytes(range(160)) * 2
print("READY", session.recording_id, time.clock_gettime_ns(time.CLOCK_MONOTONIC), flush=True)
began = time.monotonic()
i = 0
while True:
    session.frames(i * 160, frame, frame)
    i += 1
    time.sleep(max(0.0, began + i * 0.02 - time.monotonic()))
"""

STEPS_OF_THE_END = [
    "journal is closed",
    "encoding",
    "encoded",
    "renamed",
    "number taken",
    "manifest written",
    "number settled",
    "journal dropped",
]


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


def contents_of(seat: Seat, manifest: Manifest) -> Contents:
    with seat.spool.payload(manifest.recording_id, manifest.kind).open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(seat.store))
        return read_contents(reader)


@dataclass
class Recording:
    """A process that records in real time. ``began``: the moment of its first frame on CLOCK_MONOTONIC."""

    process: subprocess.Popen[str]
    recording_id: str
    began: float


def start_recording(seat: Seat) -> Recording:
    arguments = [str(seat.folder), seat.store_public.hex(), seat.identity.signing_key.hex()]
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDING_PROCESS, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    word, recording_id, ns = process.stdout.readline().split()
    assert word == "READY"
    return Recording(process, recording_id, int(ns) / 1e9)


def kill(recording: Recording) -> float:
    """How many seconds it had recorded."""
    seconds = time.clock_gettime(time.CLOCK_MONOTONIC) - recording.began
    recording.process.send_signal(signal.SIGKILL)
    recording.process.wait(timeout=10)
    assert recording.process.stdout is not None
    recording.process.stdout.close()
    return seconds


def test_a_kill_at_any_moment_loses_less_than_a_quarter_of_a_second(seat: Seat) -> None:
    moments = random.Random(20260302)
    fed: dict[str, float] = {}
    for _ in range(2):
        batch = [start_recording(seat) for _ in range(5)]
        for recording in batch:
            time.sleep(moments.uniform(0.1, 0.6))
            fed[recording.recording_id] = kill(recording)
    manifests = seat.recorder.recover()
    assert sorted(m.number for m in manifests) == list(range(1, 11))
    losses = []
    for manifest in manifests:
        assert (manifest.kind, manifest.recovered) == (JOURNAL, True)
        verify_manifest(manifest, seat.identity.public_key)
        contents = contents_of(seat, manifest)
        assert contents.problem == "truncated"
        losses.append(fed[manifest.recording_id] - contents.samples / RATE)
    assert max(losses) <= 0.25, [f"{loss:.3f}" for loss in losses]
    assert min(losses) > -0.021  # no more than was fed


def test_a_journal_that_a_process_holds_is_left_alone(seat: Seat) -> None:
    process = start_recording(seat)
    try:
        time.sleep(0.5)
        for _ in range(3):
            assert seat.new_recorder().recover() == []
        assert [p for p in seat.names() if p.endswith(".journal")]
    finally:
        kill(process)
    (manifest,) = seat.recorder.recover()
    assert contents_of(seat, manifest).samples > RATE // 4
    assert seat.recorder.recover() == []


def test_our_own_live_recording_is_left_alone_too(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(440, 1))
    seat.wait_for(lambda s: s.sealed_ms == 1000)
    assert seat.recorder.recover() == []
    assert seat.new_recorder().recover() == []
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")


def test_recovery_is_reported(seat: Seat) -> None:
    process = start_recording(seat)
    time.sleep(0.4)
    kill(process)
    (manifest,) = seat.recorder.recover()
    status = seat.wait_for(lambda s: s.state == "recovered")
    assert (status.recording_id, status.call_id) == (manifest.recording_id, "call")


def test_a_torn_tail_is_neither_rewritten_nor_believed(seat: Seat) -> None:
    process = start_recording(seat)
    time.sleep(1.0)
    kill(process)
    (path,) = seat.folder.glob("*.journal")
    whole = contents_of_path(seat, path)
    for tail in (b"\x20\x00", b"\x20\x00\x00\x00half a piece", bytes(4096), path.read_bytes()[-700:]):
        data = path.read_bytes()[: whole.good_bytes] + tail
        path.write_bytes(data)
        (manifest,) = seat.recorder.recover()
        assert path.read_bytes() == data
        again = contents_of(seat, manifest)
        assert (again.samples, again.good_bytes) == (whole.samples, whole.good_bytes)
        assert again.problem in ("truncated", "damaged_piece")
        assert all(check.passed for check in check_decrypted(path, bytes(seat.store), manifest))
        (seat.folder / f"{manifest.recording_id}.manifest.json").unlink()


def contents_of_path(seat: Seat, path: Path) -> Contents:
    with path.open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(seat.store))
        return read_contents(reader)


def end_in_a_child(seat: Seat, step: str) -> int:
    """Record in a forked-off interpreter that kills itself at ``step``; its exit status."""
    code = (
        "import sys; from tests.unit import test_recorder_crash as t\n"
        "t.die_at(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])"
    )
    arguments = [step, str(seat.folder), seat.store_public.hex(), seat.identity.signing_key.hex()]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, timeout=60, check=False, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.returncode


def die_at(step: str, folder: str, store_public: str, seed: str) -> None:
    """Runs in the child: record a second, and die on the way to its finalised file."""

    def dying(name: str, real: object, *, after: bool) -> object:
        def call(*args: object, **kwargs: object) -> object:
            result = real(*args, **kwargs) if after else None  # type: ignore[operator]
            os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call if name == step else real

    patches: list[tuple[object, str, str, bool]] = [
        (session_module, "finalise", "journal is closed", False),
        (transcribe_module._Audio, "_encode", "encoding", True),
        (finalise_module, "_encode", "encoded", True),
        (finalise_module, "replace_durably", "renamed", True),
        (finalise_module.Spool, "publish", "number taken", False),
        (session_module.Spool, "drop_journal", "journal dropped", True),
    ]
    from recorder.numbers import NumberLedger

    patches += [(NumberLedger, "settle", "manifest written", False), (NumberLedger, "settle", "number settled", True)]
    for owner, attribute, name, after in patches:
        setattr(owner, attribute, dying(name, getattr(owner, attribute), after=after))
    identity = SeatIdentity("seat-7", bytes.fromhex(seed))
    recorder = session_module.Recorder(Spool(Path(folder)), bytes.fromhex(store_public), identity, lambda _: None)
    session = recorder.start(facts())
    feed(session, tone(440, 1.5), tone(1000, 1.5))
    session.close("hung_up")
    recorder.stop(30)
    os._exit(3)


@pytest.mark.parametrize("step", STEPS_OF_THE_END)
def test_a_kill_at_any_step_of_the_end_leaves_exactly_one_form(seat: Seat, step: str) -> None:
    end_in_a_child(seat, step)
    seat.recorder.recover()
    (manifest,) = seat.spool.ready()
    ending = {JOURNAL: "journal", FINALISED: "rec"}[manifest.kind]
    assert seat.names() == {f"{manifest.recording_id}.{ending}", f"{manifest.recording_id}.manifest.json"}
    expected = FINALISED if STEPS_OF_THE_END.index(step) >= STEPS_OF_THE_END.index("manifest written") else JOURNAL
    assert (manifest.kind, manifest.number) == (expected, 1)
    verify_manifest(manifest, seat.identity.public_key)
    checks = check_decrypted(seat.spool.payload(manifest.recording_id, manifest.kind), bytes(seat.store), manifest)
    assert all(check.passed for check in checks), checks
    assert seat.spool.numbers.held() == {}
    seat.record(tone(440, 0.2), tone(440, 0.2))
    assert [m.number for m in seat.spool.ready()] == [1, 2]
    assert seat.recorder.recover() == []


def test_a_finalised_file_that_was_damaged_before_its_journal_went_gives_way_to_it(seat: Seat) -> None:
    end_in_a_child(seat, "manifest written")
    (path,) = seat.folder.glob("*.rec")
    path.write_bytes(path.read_bytes()[:-1])
    (manifest,) = seat.recorder.recover()
    assert (manifest.kind, manifest.number, manifest.recovered) == (JOURNAL, 1, True)
    assert not path.exists()
    assert contents_of(seat, manifest).samples == RATE * 3 // 2


def test_a_finalised_file_alone_is_published(seat: Seat) -> None:
    recording_id = seat.record(tone(440, 1), tone(1000, 1))
    (seat.folder / f"{recording_id}.manifest.json").unlink()
    (manifest,) = seat.recorder.recover()
    assert (manifest.kind, manifest.recovered, manifest.samples) == (FINALISED, True, 0)
    path = seat.spool.payload(recording_id, FINALISED)
    assert all(check.passed for check in check_decrypted(path, bytes(seat.store), manifest))


def test_what_nobody_can_read_is_set_aside_and_kept(seat: Seat) -> None:
    seat.spool.prepare()
    bad = {
        "0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4d.journal": b"",
        "0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4e.journal": b"ADRECJ\x01\x00\xff\xff\xff\xff",
        "0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4f.rec": b"not a recording",
    }
    for name, data in bad.items():
        (seat.folder / name).write_bytes(data)
    (seat.folder / "notes.txt").write_bytes(b"not ours")
    assert seat.recorder.recover() == []
    assert seat.names() == {"notes.txt"}
    assert {name: (seat.spool.refused / name).read_bytes() for name in bad} == bad
    assert seat.spool.has_refused()


def test_a_journal_of_another_name_is_set_aside(seat: Seat) -> None:
    process = start_recording(seat)
    time.sleep(0.3)
    kill(process)
    (path,) = seat.folder.glob("*.journal")
    path.rename(path.with_name("0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4d.journal"))
    (void,) = seat.recorder.recover()  # whatever it is, it is not number 1's audio
    assert (void.kind, void.number, void.recording_id) == ("N", 1, process.recording_id)
    assert seat.spool.has_refused()


def test_half_made_files_of_dead_processes_are_swept(seat: Seat) -> None:
    seat.spool.prepare()
    name = "0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4d"
    for ending in (".rec.part", ".manifest.json.part", ".journal.new"):
        (seat.folder / (name + ending)).write_bytes(b"half")
    live = seat.recorder.start(facts())
    for i, frame in enumerate(frames(tone(440, 0.4))):
        live.frames(i * FRAME, frame, frame)
    seat.wait_for(lambda s: s.sealed_ms > 0)
    growing = seat.spool.part(live.recording_id)
    growing.write_bytes(b"growing")
    seat.new_recorder().recover()
    assert seat.names() == {f"{live.recording_id}.journal", growing.name}
