"""Voice-activated and on-demand recording: what is in the file, and where in the call it was (R2)."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from collection_server.recordings.check import examine
from recorder import modes
from recorder.container import GAP
from recorder.evidence import Manifest, verify_manifest
from recorder.finalise import FinaliseError
from recorder.journal import NOT_ASKED, SILENT, Close, Demand, Frame, Item, Mark, Skip
from recorder.rules import NotAllowed, RecordingRules
from recorder.verify import check_decrypted
from recorder.voice import VoiceDetector
from tests.support.recording import FRAME, RATE, Opened, Seat, facts, feed, speech, tone

ROOT = Path(__file__).parents[2]
VOICE = RecordingRules(mode="voice", codec="flac")
MANUAL = RecordingRules(mode="manual", codec="flac", look_back_s=5)


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


def room(seconds: float, rate: int = RATE, level: int = 12, seed: int = 1) -> bytes:
    """The noise of a quiet room."""
    chance = random.Random(seed)
    return array("h", (round(chance.gauss(0, level)) for _ in range(round(seconds * rate)))).tobytes()


def laid(pieces: list[tuple[float, bytes]], seconds: float, rate: int, seed: int) -> bytes:
    """A track of ``seconds``: the pieces at their times, a room's noise elsewhere."""
    track = bytearray(room(seconds, rate, seed=seed))
    for at, piece in pieces:
        start = 2 * round(at * rate)
        track[start : start + len(piece)] = piece
    return bytes(track)


def assert_each_sample_is_where_the_manifest_says(opened: Opened, manifest: Manifest, agent: bytes, far: bytes) -> None:
    """The content is lossless, so this is exact."""
    left, right = opened.channels()
    assert len(left) == manifest.samples == sum(samples for _, _, samples in manifest.segments)
    fed = array("h", agent), array("h", far)
    reached = after = 0
    for file, call, samples in manifest.segments:
        assert file == reached
        assert call >= after
        assert left[file : file + samples] == fed[0][call : call + samples]
        assert right[file : file + samples] == fed[1][call : call + samples]
        reached, after = file + samples, call + samples


def assert_good(seat: Seat, manifest: Manifest) -> None:
    """Both readers, the recorder's and the store's, find nothing wrong."""
    verify_manifest(manifest, seat.identity.public_key)
    path = seat.spool.payload(manifest.recording_id, manifest.kind)
    checks = check_decrypted(path, bytes(seat.store), manifest)
    assert all(check.passed for check in checks), checks
    found = examine(io.BytesIO(path.read_bytes()), manifest.to_json(), seat.store)
    assert (found.state, found.reason, found.samples) == ("verified", "", manifest.samples)


# --- by voice ---


@pytest.mark.parametrize("rate", [8000, 16000])
def test_silence_is_left_out_and_the_time_line_is_kept(seat: Seat, rate: int) -> None:
    first, second = speech("debtor_m_delay", rate)[: 6 * rate], speech("debtor_f_missed_call", rate)[: 6 * rate]
    agent = laid([(4, first)], 26, rate, 1)
    far = laid([(17, second)], 26, rate, 2)
    seat.record(agent, far, rate, rules=VOICE)
    (manifest,) = seat.spool.ready()
    assert_good(seat, manifest)
    opened = seat.open(manifest)
    assert_each_sample_is_where_the_manifest_says(opened, manifest, agent, far)
    assert manifest.samples / rate == pytest.approx(2 * (0.5 + 3 + 2), abs=1.2)
    assert (manifest.call_samples, manifest.mode, manifest.lost_frames) == (26 * rate, "voice", 0)
    (_, begin_1, length_1), (_, begin_2, length_2) = manifest.segments
    for begin, length, spoken in ((begin_1, length_1, 4), (begin_2, length_2, 17)):
        assert begin / rate == pytest.approx(spoken - 0.5, abs=0.1)
        assert -0.1 <= (begin + length) / rate - (spoken + 3 + 2) <= 0.8  # the detector's own hang-over comes on top
    gaps = [(e["start"], e["samples"]) for e in opened.events if e["kind"] == "gap" and e["why"] == SILENT]
    end_1, end_2 = begin_1 + length_1, begin_2 + length_2
    assert gaps == [(0, begin_1), (end_1, begin_2 - end_1), (end_2, 26 * rate - end_2)]
    assert opened.closing["segments"] == [list(segment) for segment in manifest.segments]
    assert (opened.closing["samples"], opened.closing["call_samples"]) == (manifest.samples, manifest.call_samples)


def test_a_pause_for_breath_is_no_cut(seat: Seat) -> None:
    word = speech("debtor_m_hello")
    agent = laid([(1, word), (1 + len(word) / 2 / RATE + 3.1, word)], 8, RATE, 1)
    seat.record(agent, room(8, seed=3), rules=VOICE)
    (manifest,) = seat.spool.ready()
    assert len(manifest.segments) == 1
    assert manifest.segments[0][1] / RATE == pytest.approx(0.5, abs=0.1)


def test_a_call_in_which_nobody_speaks_leaves_nothing(seat: Seat) -> None:
    session = seat.recorder.start(facts(), VOICE)
    assert session.recording_id == ""
    feed(session, room(6), room(6, seed=2))
    session.event("hold", {})
    assert seat.wait_for(lambda s: s.state == "waiting").recording_id == ""
    session.close("hung_up")
    done = seat.wait_for(lambda s: s.state == "nothing")
    assert (done.recording_id, done.mode, session.recording_id) == ("", "voice", "")
    assert (seat.names(), seat.recorder.active()) == (set(), ())
    assert not (seat.folder / "numbers.json").exists()
    seat.record(tone(440, 0.1), tone(440, 0.1))
    assert [m.number for m in seat.spool.ready()] == [1]


def test_what_happened_before_the_first_voice_is_marked(seat: Seat) -> None:
    session = seat.recorder.start(facts(), VOICE)
    reached = feed(session, room(2), room(2, seed=2))
    session.event("answered", {"by": "far"})
    reached = feed(session, room(2), room(2, seed=2), start=reached)
    word = speech("debtor_m_hello")
    reached = feed(session, word, word, start=reached)
    assert seat.wait_for(lambda s: s.state == "recording").recording_id == session.recording_id != ""
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    opened = seat.open(manifest)
    assert next((e["kind"], e["start"]) for e in opened.events) == ("answered", 2 * RATE)
    assert opened.facts["answered_at"].endswith("Z")


def test_lost_frames_are_silence_and_not_a_cut(seat: Seat) -> None:
    session = seat.recorder.start(facts(), VOICE)
    talk = speech("debtor_m_delay")[: 4 * RATE]
    reached = feed(session, talk, talk)
    feed(session, talk, talk, start=reached + RATE // 2)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert_good(seat, manifest)
    assert manifest.segments == ((0, 0, 4 * RATE + RATE // 2),)
    assert manifest.lost_frames == 25


def test_a_detector_that_is_missing_costs_no_recording(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.voice.RATES", ())
    seat.record(room(3), room(3, seed=2), rules=VOICE)
    (manifest,) = seat.spool.ready()
    assert manifest.segments == ((0, 0, 3 * RATE),)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_forty_milliseconds_of_speech_are_a_voice_and_a_room_is_none(rate: int) -> None:
    detector = VoiceDetector(rate)
    size = 2 * (rate // 50)
    noise = room(3, rate)
    assert not any(detector.hears(noise[i : i + size], None) for i in range(0, len(noise), size))
    word = speech("debtor_m_delay", rate)[2 * rate :][: 2 * size]
    sound = word + noise
    assert any(detector.hears(None, sound[i : i + size]) for i in range(0, len(sound), size))


class Scripted:
    """Hears what a test says."""

    def __init__(self, voiced: set[int]) -> None:
        self._voiced = voiced
        self._at = -1

    def hears(self, _agent: bytes | None, _far: bytes | None) -> bool:
        self._at += 1
        return self._at in self._voiced


def chosen(selection: modes.Selection, frames: int) -> list[Item]:
    """What passes of so many frames, with a mark in the middle, and of the end."""
    script: list[Item] = [(i * FRAME, b"", b"") for i in range(frames)]
    script.insert(frames // 2, Mark("middle", "", {}))
    return [passed for item in (*script, Close("hung_up", "")) for passed in selection.take(item)]


def covered(passed: list[Item]) -> list[tuple[int, int, str]]:
    """Frames and skips in order, as frame numbers and a reason; adjoining ones of one kind joined."""
    runs: list[tuple[int, int, str]] = []
    for item in passed:
        if isinstance(item, Skip):
            begin, end, why = item.start // FRAME, (item.start + item.samples) // FRAME, item.why
        elif isinstance(item, tuple):
            begin, end, why = item[0] // FRAME, item[0] // FRAME + 1, ""
        else:
            continue
        assert begin == (runs[-1][1] if runs else 0)
        if runs and runs[-1][2] == why:
            runs[-1] = (runs[-1][0], end, why)
        else:
            runs.append((begin, end, why))
    return runs


def test_pre_roll_and_hang_over_are_the_rules() -> None:
    rules = RecordingRules(mode="voice", pre_roll_ms=200, hang_over_ms=400)
    passed = chosen(modes.VoiceActivated(rules, RATE, lambda _: Scripted({100, 101, 300})), 600)
    run = modes.RUN
    assert covered(passed) == [
        *((0, 101 - run - 10, SILENT), (101 - run - 10, 122, ""), (122, 301 - run - 10, SILENT)),
        *((301 - run - 10, 321, ""), (321, 600, SILENT)),
    ]
    assert sum(isinstance(item, Mark) for item in passed) == 1
    assert isinstance(passed[-1], Close)


def test_a_thousand_cuts_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modes, "MAX_SEGMENTS", 3)
    rules = RecordingRules(mode="voice", pre_roll_ms=0, hang_over_ms=0)
    voiced = {200 * n for n in range(1, 8)}
    runs = covered(chosen(modes.VoiceActivated(rules, RATE, lambda _: Scripted(voiced)), 2000))
    assert [why for _, _, why in runs] == [SILENT, "", SILENT, "", SILENT, ""]
    assert runs[-1][1] == 2000


# --- on demand ---


def test_on_demand_takes_in_the_last_seconds(seat: Seat) -> None:
    agent, far = tone(440, 15), tone(1000, 15)
    session = seat.recorder.start(facts(), MANUAL)
    reached = feed(session, agent[: 2 * 12 * RATE], far[: 2 * 12 * RATE])
    assert (session.recording_id, seat.names()) == ("", set())
    session.begin()
    session.begin()
    recording_id = session.recording_id
    feed(session, agent[2 * 12 * RATE :], far[2 * 12 * RATE :], start=reached)
    assert seat.wait_for(lambda s: s.state == "recording").recording_id == recording_id != ""
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert_good(seat, manifest)
    opened = seat.open(manifest)
    assert_each_sample_is_where_the_manifest_says(opened, manifest, agent, far)
    assert manifest.segments == ((0, 7 * RATE, 8 * RATE),)
    assert (manifest.recording_id, manifest.number, manifest.mode) == (recording_id, 1, "manual")
    marks = [(e["kind"], e["start"]) for e in opened.events if e["kind"] != "gap"]
    assert marks == [("recording_started", 12 * RATE)]


def test_stop_and_begin_again_are_one_recording_of_two_parts(seat: Seat) -> None:
    rules = RecordingRules(mode="manual", codec="flac", look_back_s=1)
    agent, far = tone(440, 10), tone(1000, 10)
    session = seat.recorder.start(facts(), rules)
    reached = 0
    for second in range(10):
        {2: session.begin, 4: session.stop_recording, 7: session.begin, 9: session.stop_recording}.get(
            second, lambda: None
        )()
        part = slice(2 * second * RATE, 2 * (second + 1) * RATE)
        reached = feed(session, agent[part], far[part], start=reached)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert_good(seat, manifest)
    opened = seat.open(manifest)
    assert_each_sample_is_where_the_manifest_says(opened, manifest, agent, far)
    assert manifest.segments == ((0, RATE, 3 * RATE), (3 * RATE, 6 * RATE, 3 * RATE))
    assert manifest.call_samples == 10 * RATE
    kinds = [e["kind"] for e in opened.events if e["kind"].startswith("recording_")]
    assert kinds == ["recording_started", "recording_stopped"] * 2


def test_nobody_asks_and_nothing_is_written(seat: Seat) -> None:
    session = seat.recorder.start(facts(), MANUAL)
    feed(session, tone(440, 12), tone(1000, 12))
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "nothing")
    assert seat.names() == set()
    assert not (seat.folder / "numbers.json").exists()
    with pytest.raises(NotAllowed, match="no_recording"):
        session.begin()


def test_look_back_is_in_memory_only_and_no_longer_than_the_rules_say() -> None:
    selection = modes.OnDemand(MANUAL, RATE)
    for i in range(2000):
        assert list(selection.take((i * FRAME, b"", b""))) == []
    passed = list(selection.take(Demand(True)))
    frames: list[Frame] = [item for item in passed if isinstance(item, tuple)]
    assert passed[0] == Skip(0, (2000 - 250) * FRAME, NOT_ASKED)
    assert [frame[0] // FRAME for frame in frames] == list(range(1750, 2000))


@pytest.mark.parametrize("mode", ["automatic", "voice", "no such mode"])
def test_other_modes_cannot_be_stopped(seat: Seat, mode: str) -> None:
    session = seat.recorder.start(facts(), RecordingRules(mode=mode))
    for action in (session.stop_recording, session.begin):
        with pytest.raises(NotAllowed) as refused:
            action()
        assert refused.value.code == "not_allowed"
    talk = speech("debtor_m_hello")
    feed(session, talk, talk)
    session.close("hung_up")
    assert seat.wait_for(lambda s: s.state == "sealed").mode == ("voice" if mode == "voice" else "automatic")


def test_a_kill_before_the_demand_leaves_nothing_and_after_it_the_look_back(seat: Seat) -> None:
    for demanded in (False, True):
        code = f"""
import os, signal, sys, time
from pathlib import Path
from recorder.evidence import SeatIdentity
from recorder.rules import RecordingRules
from recorder.session import Recorder, RecordingFacts
from recorder.spool import Spool
states = []
store, seed = bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
recorder = Recorder(Spool(Path(sys.argv[1])), store, SeatIdentity("seat-7", seed), states.append)
rules = RecordingRules(mode="manual", look_back_s=2)
session = recorder.start(RecordingFacts("call", "l", "outbound", "2026-03-02T01:02:03.000Z", 8000), rules)
for i in range(400):
    session.frames(i * 160, bytes(320), bytes(320))
    if i == 299 and {demanded}:
        session.begin()
while not any(s.sealed_ms == (8000 if {demanded} else 0) for s in states):
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""
        arguments = [str(seat.folder), seat.store_public.hex(), seat.identity.signing_key.hex()]
        done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, timeout=60, check=False)
        assert done.returncode == -signal.SIGKILL
        assert bool(seat.names()) is demanded
    (manifest,) = seat.recorder.recover()
    assert (manifest.kind, manifest.recovered, manifest.mode) == ("J", True, "manual")
    path = seat.spool.payload(manifest.recording_id, "J")
    found = examine(io.BytesIO(path.read_bytes()), manifest.to_json(), seat.store)
    assert (found.state, found.samples) == ("recovered", 8 * 8000)
    checks = check_decrypted(path, bytes(seat.store), manifest)
    assert all(check.passed for check in checks), checks


def test_a_journal_that_cannot_be_encoded_keeps_the_calls_own_time(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_encoder(*_: object) -> None:
        raise FinaliseError("as if FFmpeg were broken")

    monkeypatch.setattr("recorder.session.finalise", no_encoder)
    session = seat.recorder.start(facts(), MANUAL)
    reached = feed(session, tone(440, 8), tone(1000, 8))
    session.begin()
    feed(session, tone(440, 1), tone(1000, 1), start=reached)
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert_good(seat, manifest)
    assert (manifest.kind, manifest.codec, manifest.segments) == ("J", "pcm_s16le", ((0, 0, 9 * RATE),))
    gaps = seat.open(manifest).bodies(GAP)
    assert [(gap["start"], gap["samples"], gap["why"]) for gap in gaps] == [(0, 3 * RATE, NOT_ASKED)]


def test_the_voice_detector_is_loaded_in_its_mode_alone(tmp_path: Path) -> None:
    code = f"""
import json, sys
from pathlib import Path
from recorder.rules import RecordingRules
from tests.support.recording import Seat, facts, feed, tone
seat = Seat(Path({str(tmp_path / "spool")!r}))
loaded = []
for mode in ("automatic", "manual", "voice"):
    session = seat.recorder.start(facts(), RecordingRules(mode=mode))
    feed(session, tone(440, 1), tone(440, 1))
    seat.wait_for(lambda s: s.mode == mode and s.state in ("waiting", "recording"))
    session.close("hung_up")
    seat.wait_for(lambda s: s.mode == mode and s.state in ("sealed", "nothing"))
    loaded.append("webrtcvad" in sys.modules)
print(json.dumps(loaded))
seat.recorder.stop(10)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env={**os.environ},
    )
    assert json.loads(done.stdout) == [False, False, True]
