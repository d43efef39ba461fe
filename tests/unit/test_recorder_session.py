"""Frames in, a sealed two-channel file out; and what the recorder says meanwhile."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder import journal as journal_module
from recorder import tap
from recorder.container import AUDIO, GAP, ContainerReader
from recorder.evidence import verify_manifest
from recorder.files import SpoolError
from recorder.finalise import FinaliseError
from recorder.spool import JournalFile
from recorder.verify import read_contents
from tests.support.recording import CALL_ID, FRAME, RATE, Seat, facts, feed, frames, onset, power, tone


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_each_side_is_on_its_own_channel(seat: Seat, rate: int) -> None:
    seat.record(tone(440, 3, rate=rate), tone(1000, 3, rate=rate), rate)
    (manifest,) = seat.spool.ready()
    left, right = seat.open(manifest).channels()
    assert len(left) == len(right) == 3 * rate
    assert power(left, 440, rate) == pytest.approx(8000, rel=0.05)
    assert power(right, 1000, rate) == pytest.approx(8000, rel=0.05)
    assert power(left, 1000, rate) < 80  # −40 dB of the other side
    assert power(right, 440, rate) < 80


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_channels_are_aligned_with_each_other_and_with_the_clock(seat: Seat, rate: int) -> None:
    at = 1.25
    seat.record(tone(700, 3, rate=rate, begin=at), tone(900, 3, rate=rate, begin=at), rate)
    (manifest,) = seat.spool.ready()
    left, right = (onset(track) for track in seat.open(manifest).channels())
    assert abs(left - right) <= rate // 500  # 2 ms
    assert left / rate == pytest.approx(at, abs=0.02)


def test_the_manifest_and_the_closing_piece_say_what_happened(seat: Seat) -> None:
    recording_id = seat.record(tone(440, 2), bytes(2 * 2 * RATE), cause="far_hung_up")
    (manifest,) = seat.spool.ready()
    verify_manifest(manifest, seat.identity.public_key)
    path = seat.spool.payload(recording_id, "F")
    assert (manifest.recording_id, manifest.call_id, manifest.number) == (recording_id, CALL_ID, 1)
    assert (manifest.kind, manifest.recovered, manifest.size) == ("F", False, path.stat().st_size)
    assert (manifest.samples, manifest.rate, manifest.lost_frames) == (2 * RATE, RATE, 0)
    closing = seat.open(manifest).closing
    assert (closing["cause"], closing["codec"], closing["samples"]) == ("far_hung_up", "opus", 2 * RATE)
    assert closing["left_dbfs"] == pytest.approx(20 * math.log10(8000 / 32768 / math.sqrt(2)), abs=0.2)
    assert closing["right_dbfs"] == -100
    assert seat.names() == {path.name, f"{recording_id}.manifest.json"}


def test_files_are_private(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    feed(session, tone(440, 0.5), tone(440, 0.5))
    seat.wait_for(lambda s: s.sealed_ms > 0)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    for path in [seat.folder, *seat.folder.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_jump_of_the_clock_is_a_marked_gap_of_the_right_length(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    reached = feed(session, tone(440, 1), tone(440, 1))
    feed(session, tone(440, 1), tone(440, 1), start=reached + RATE // 2)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert (manifest.samples, manifest.lost_frames) == (2 * RATE + RATE // 2, 25)
    opened = seat.open(manifest)
    assert opened.events == [
        {"kind": "gap", "at": "", "channel": "both", "start": RATE, "samples": RATE // 2, "why": "lost"}
    ]
    left, right = opened.channels()
    assert len(left) == manifest.samples
    middle = slice(RATE + FRAME * 2, RATE + RATE // 2 - FRAME * 2)
    assert max(map(abs, left[middle])) < 200
    assert max(map(abs, right[middle])) < 200
    assert power(left[RATE + RATE // 2 + FRAME :], 440) > 7500


def test_a_side_that_did_not_come_is_silent_and_marked_and_not_lost(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    agent = frames(tone(440, 1))
    for i, frame in enumerate(agent):
        session.frames(i * FRAME, frame, None if 10 <= i < 35 else frame)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert manifest.lost_frames == 0
    opened = seat.open(manifest)
    assert opened.events == [
        {"kind": "gap", "at": "", "channel": "far", "start": 10 * FRAME, "samples": 25 * FRAME, "why": "lost"}
    ]
    _, right = opened.channels()
    assert max(map(abs, right[12 * FRAME : 33 * FRAME])) < 200


def test_the_journal_holds_the_very_samples(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_encoder(*_: object) -> None:
        raise FinaliseError("as if libsndfile were broken")

    monkeypatch.setattr("recorder.session.finalise", no_encoder)
    agent, far = tone(440, 1.1), tone(1000, 1.1)
    recording_id = seat.record(agent, far)
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, manifest.recovered, manifest.samples) == ("J", False, len(agent) // 2)
    verify_manifest(manifest, seat.identity.public_key)
    opened = seat.open(manifest)
    both = array("h")
    for piece in opened.pieces:
        if piece.kind == AUDIO:
            assert int.from_bytes(piece.body[:8], "little") == len(both) // 2
            both.frombytes(piece.body[8:])
    assert both[0::2].tobytes() == agent
    assert both[1::2].tobytes() == far
    assert opened.closing["codec"] == "pcm_s16le"
    assert seat.names() == {f"{recording_id}.journal", f"{recording_id}.manifest.json"}


@pytest.mark.logs_errors
def test_a_bug_in_the_finaliser_costs_nothing_but_space(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("recorder.session.finalise", broken)
    seat.record(tone(440, 0.5), tone(440, 0.5))
    assert [m.kind for m in seat.spool.ready()] == ["J"]


def test_events_are_marked_at_their_sample(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    reached = feed(session, tone(440, 0.5), tone(440, 0.5))
    session.event("hold", {"by": "agent", "at": "cannot be forged", "start": 1})
    feed(session, tone(440, 0.5), tone(440, 0.5), start=reached)
    session.event("resume", {})
    session.event("too_much", {"text": "x" * 40_000})
    session.event("not_json", {"value": object()})
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    events = seat.open(manifest).events
    assert [(e["kind"], e["start"]) for e in events] == [
        *(("hold", reached), ("resume", 2 * reached), ("too_much", 2 * reached), ("not_json", 2 * reached)),
    ]
    assert events[0]["by"] == "agent"
    assert events[0]["at"].endswith("Z")
    assert events[2]["detail_lost"] is events[3]["detail_lost"] is True


def test_frames_of_an_odd_size_do_not_shift_what_follows(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    good = frames(tone(440, 0.2))
    for i, frame in enumerate(good):
        session.frames(i * FRAME, frame[:100] if i == 3 else frame, frame + b"more" if i == 4 else frame)
    session.frames(2 * FRAME, good[0], good[0])  # the clock never goes back
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert manifest.samples == len(good) * FRAME
    assert len(seat.open(manifest).channels()[0]) == manifest.samples


def test_a_call_without_a_frame_has_a_recording_too(seat: Seat) -> None:
    seat.record(b"", b"")
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, manifest.samples) == ("F", 0)
    assert seat.open(manifest).closing["samples"] == 0


def test_closing_twice_and_frames_after_the_end_do_nothing(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    feed(session, tone(440, 0.5), tone(440, 0.5))
    session.close("hung_up")
    session.close("failed")
    feed(session, tone(440, 0.5), tone(440, 0.5), start=RATE)
    session.event("late", {})
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    opened = seat.open(manifest)
    assert (manifest.samples, opened.closing["cause"], opened.events) == (RATE // 2, "hung_up", [])


def test_two_calls_at_once_do_not_mix(seat: Seat) -> None:
    one, two = seat.recorder.start(facts()), seat.recorder.start(facts(call_id="second"))
    assert {s.recording_id for s in seat.recorder.active()} == {one.recording_id, two.recording_id}
    for session, hertz in ((one, 440), (two, 1500)):
        feed(session, tone(hertz, 1), tone(hertz + 200, 1))
        session.close("hung_up")
    assert seat.recorder.stop(15)
    assert seat.recorder.active() == ()
    for manifest, hertz in zip(seat.spool.ready(), (440, 1500), strict=True):
        left, right = seat.open(manifest).channels()
        assert power(left, hertz) > 7500
        assert power(right, hertz + 200) > 7500


def test_numbers_follow_each_other(seat: Seat) -> None:
    for _ in range(3):
        seat.record(tone(440, 0.1), tone(440, 0.1))
    assert [m.number for m in seat.spool.ready()] == [1, 2, 3]


def test_it_reports_about_once_a_second_what_is_on_the_disk(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    track = frames(tone(440, 2.4))
    began = time.monotonic()
    for i, frame in enumerate(track):
        session.frames(i * FRAME, frame, frame)
        time.sleep(max(0.0, began + (i + 1) * 0.02 - time.monotonic()))
    live = [s for s in seat.states if s.state == "recording"]
    assert 2 <= len(live) <= 5
    assert [s.sealed_ms for s in live] == sorted(s.sealed_ms for s in live)
    assert live[-1].sealed_ms > 1000
    assert live[-1].free_bytes > 0
    session.close("hung_up")
    done = seat.wait_for(lambda s: s.state == "sealed")
    assert (done.sealed_ms, done.problem, done.recording_id) == (2400, "", session.recording_id)


@pytest.mark.alone
def test_less_than_a_second_is_not_yet_on_the_disk(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power cut would lose: all that was fed and is not in the file as the last sync to return found it."""
    synced: list[tuple[float, int]] = []
    sync = JournalFile.sync

    def noted(file: JournalFile) -> None:
        size = file.path.stat().st_size
        sync(file)
        synced.append((time.monotonic(), size))

    monkeypatch.setattr(JournalFile, "sync", noted)
    session = seat.recorder.start(facts())
    frame, began = tone(440, 0.02), time.monotonic()
    for i in range(250):
        session.frames(i * FRAME, frame, frame)
        time.sleep(max(0.0, began + (i + 1) * 0.02 - time.monotonic()))
    (journal,) = seat.folder.glob("*.journal")
    data, safe, losses = journal.read_bytes(), 0.0, []
    for at, size in synced:
        losses.append(min(at - began, 5.0) - safe)  # just before this sync had returned
        reader = ContainerReader(io.BytesIO(data[:size]))
        reader.unlock(bytes(seat.store))
        safe = read_contents(reader).samples / RATE
    session.close("hung_up")
    assert len(losses) >= 5
    assert max(losses) < 1.0, losses


@pytest.mark.parametrize(
    ("agent", "far", "problem"),
    [(0, 8000, "agent_silent"), (8000, 0, "far_silent"), (8000, 8, "far_silent"), (8000, None, "far_silent")],
)
def test_a_silent_side_is_told(seat: Seat, agent: int, far: int | None, problem: str) -> None:
    session = seat.recorder.start(facts())
    a = frames(tone(440, 1, level=agent))
    f = frames(tone(440, 1, level=far)) if far is not None else [None] * len(a)
    for i in range(5 * len(a)):
        session.frames(i * FRAME, a[i % len(a)], f[i % len(f)])
    assert seat.wait_for(lambda s: s.problem != "").problem == problem
    voice = tone(440, 1)
    feed(session, voice, voice, start=5 * RATE)
    seen = len(seat.states)
    seat.wait_for(lambda s: s in seat.states[seen:] and s.problem == "")


def test_silence_by_wish_is_no_problem() -> None:
    watch = journal_module.SilenceWatch(RATE)
    watch.told("hold")
    watch.heard("agent", 0, 9 * RATE)
    watch.heard("far", 0, 9 * RATE)
    assert watch.problem == ""
    watch.told("resume")
    watch.told("mute")
    watch.heard("agent", 0, 9 * RATE)
    assert watch.problem == ""
    watch.heard("far", 0, 5 * RATE)
    assert watch.problem == "far_silent"
    watch.told("unmute")
    watch.heard("agent", 0, 5 * RATE)
    assert watch.problem == "agent_silent"


def test_frames_that_find_no_room_are_counted(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing for longer than the memory lasts, up to the end of the call."""
    monkeypatch.setattr(tap, "BACKLOG_FRAMES", 100)
    blocked = True
    create = seat.spool.create_journal

    def stalled(recording_id: str, preamble: bytes) -> object:
        if blocked:
            raise SpoolError("spool_unwritable", "test")
        return create(recording_id, preamble)

    monkeypatch.setattr(seat.spool, "create_journal", stalled)
    monkeypatch.setattr(tap, "RETRY_SECONDS", 0.05)
    session = seat.recorder.start(facts())
    seat.wait_for(lambda s: s.problem == "spool_unwritable")
    track = frames(tone(440, 5))
    for i, frame in enumerate(track):
        session.frames(i * FRAME, frame, frame)
    session.close("hung_up")
    blocked = False
    done = seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert manifest.samples == len(track) * FRAME
    assert manifest.lost_frames == done.lost_frames == len(track) - 100
    assert len(seat.open(manifest).channels()[0]) == manifest.samples


def test_a_broken_clock_does_not_fill_the_disk(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_HOURS", 1 / 1800)  # 2 s
    session = seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(440, 1))
    session.frames(10**15, bytes(2 * FRAME), bytes(2 * FRAME))
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert (manifest.samples, manifest.lost_frames) == (RATE, 1)


def test_stopping_closes_and_seals_what_is_open(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    feed(session, tone(440, 1), tone(440, 1))
    assert seat.recorder.stop(15)
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, seat.open(manifest).closing["cause"]) == ("F", "recorder_stopped")
    assert session.recording_id == manifest.recording_id
    with pytest.raises(RuntimeError):
        seat.recorder.start(facts())


def test_stopping_in_a_hurry_leaves_a_whole_journal(seat: Seat) -> None:
    session = seat.recorder.start(facts())
    silence = bytes(2 * RATE * 60)
    reached = 0
    for _ in range(10):
        reached = feed(session, silence, silence, start=reached)
    session.close("hung_up")
    seat.recorder.stop(0.3)
    (manifest,) = seat.spool.ready()
    assert (manifest.kind, manifest.samples) == ("J", 600 * RATE)
    assert len(seat.names()) == 2
    gaps = [p for p in seat.open(manifest).pieces if p.kind == GAP]
    assert gaps == []


def test_numpy_is_not_imported_while_the_call_is_up(tmp_path: Path) -> None:
    code = f"""
import json, sys
from pathlib import Path
from tests.support.recording import Seat, facts, frames, tone
track = frames(tone(440, 1, rate=16000), 16000)
seat = Seat(Path({str(tmp_path / "spool")!r}))
session = seat.recorder.start(facts(16000))
for i in range(150):
    session.frames(i * 320, track[i % 50], track[i % 50])
heavy = [name for name in ("numpy", "soundfile", "requests") if name in sys.modules]
session.close("hung_up")
print(json.dumps([heavy, seat.recorder.stop(20)]))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=root
    )
    heavy, stopped = json.loads(done.stdout)
    assert heavy == []
    assert stopped
