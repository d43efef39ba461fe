"""Pause: silence in the record in place of what was said, a mark at both ends, a limit that nobody has to keep (R3)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.container import AUDIO, EVENT, ContainerError, ContainerReader, Piece
from recorder.journal import Mark
from recorder.pause import Pause
from recorder.rules import NotAllowed, RecordingRules
from recorder.session import RecordingSession
from tests.support.recording import FRAME, RATE, Opened, Seat, facts, feed, power, tone

ROOT = Path(__file__).parents[2]
RULES = RecordingRules(codec="flac", pause_reasons=("card_number", "identity"), pause_limit_s=3)


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


def talk(session: RecordingSession, seconds: float, start: int) -> int:
    return feed(session, tone(440, seconds), tone(1000, seconds), start=start)


def sealed(seat: Seat, session: RecordingSession) -> Opened:
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    return seat.open(manifest)


def marks(opened: Opened) -> list[tuple[str, int]]:
    return [(event["kind"], event["start"]) for event in opened.events]


def test_what_is_said_in_a_pause_is_not_in_the_record(seat: Seat) -> None:
    session = seat.recorder.start(facts(), RULES)
    reached = talk(session, 2, 0)
    session.pause("card_number", 0)
    assert session.paused == "card_number"
    reached = talk(session, 1.5, reached)
    session.resume()
    assert session.paused == ""
    talk(session, 2, reached)
    opened = sealed(seat, session)
    begin, end = 2 * RATE, 3 * RATE + RATE // 2
    assert marks(opened) == [("recording_paused", begin), ("recording_resumed", end)]
    paused, resumed = opened.events
    assert (paused["reason"], paused["limit_s"]) == ("card_number", 3)
    assert (resumed["reason"], resumed["by"], resumed["samples"]) == ("card_number", "agent", end - begin)
    for track, hertz in zip(opened.channels(), (440, 1000), strict=True):
        assert len(track) == 5 * RATE + RATE // 2
        assert not any(track[begin:end])
        assert power(track[:begin], hertz) > 7900
        assert power(track[end:], hertz) > 7900
    assert opened.closing["segments"] == [[0, 0, 5 * RATE + RATE // 2]]


def test_it_goes_on_by_itself_at_the_limit(seat: Seat) -> None:
    session = seat.recorder.start(facts(), RULES)
    reached = talk(session, 1, 0)
    session.pause("identity", 3600)
    reached = talk(session, 1, reached)
    session.pause("identity", 3600)  # does not begin anew
    reached = talk(session, 3, reached)
    assert session.paused == ""
    session.pause("card_number", 1)
    talk(session, 2, reached)
    opened = sealed(seat, session)
    assert marks(opened) == [
        *(("recording_paused", RATE), ("recording_resumed", 4 * RATE)),
        *(("recording_paused", 5 * RATE), ("recording_resumed", 6 * RATE)),
    ]
    assert [event.get("by") for event in opened.events] == [None, "limit", None, "limit"]
    left, _ = opened.channels()
    silent = [not any(left[second * RATE : (second + 1) * RATE]) for second in range(7)]
    assert silent == [False, True, True, True, False, True, False]


def test_a_call_that_ends_in_a_pause_ends_in_silence(seat: Seat) -> None:
    session = seat.recorder.start(facts(), RULES)
    reached = talk(session, 1, 0)
    session.pause("identity")
    talk(session, 1, reached)
    opened = sealed(seat, session)
    assert marks(opened) == [("recording_paused", RATE)]
    left, right = opened.channels()
    assert not any(left[RATE:])
    assert not any(right[RATE:])
    assert session.paused == ""
    with pytest.raises(NotAllowed, match="no_recording"):
        session.pause("identity")


def test_a_pause_that_nobody_noticed_leaves_no_mark(seat: Seat) -> None:
    session = seat.recorder.start(facts(), RULES)
    reached = talk(session, 1, 0)
    session.pause("identity")
    session.resume()
    session.resume()
    talk(session, 1, reached)
    opened = sealed(seat, session)
    assert marks(opened) == []
    assert all(power(track, hertz) > 7900 for track, hertz in zip(opened.channels(), (440, 1000), strict=True))


@pytest.mark.parametrize(
    ("rules", "reason", "code"),
    [
        (RULES, "", "unknown_reason"),
        (RULES, "because", "unknown_reason"),
        (RecordingRules(), "card_number", "not_allowed"),
        (RecordingRules(pause_reasons=("card_number",)), "card_number", "not_allowed"),
        (RecordingRules(mode="manual", pause_reasons=("card_number",), pause_limit_s=9), "card_number", "no_recording"),
    ],
)
def test_the_rules_say_whether_and_why(seat: Seat, rules: RecordingRules, reason: str, code: str) -> None:
    session = seat.recorder.start(facts(), rules)
    with pytest.raises(NotAllowed) as refused:
        session.pause(reason, 1)
    assert (refused.value.code, session.paused) == (code, "")
    session.close("hung_up")


def test_the_state_says_why_and_how_long_still(seat: Seat) -> None:
    session = seat.recorder.start(facts(), RULES)
    reached = talk(session, 1, 0)
    session.pause("identity", 2)
    waiting = session.status(0)
    assert (waiting.paused, waiting.pause_left_ms) == ("identity", 2000)
    talk(session, 0.5, reached)
    status = session.status(0)
    assert (status.state, status.paused) == ("recording", "identity")
    assert status.pause_left_ms == 1500
    assert seat.wait_for(lambda s: s.paused == "identity").pause_left_ms > 0
    session.resume()
    assert (session.status(0).paused, session.status(0).pause_left_ms) == ("", 0)
    session.close("hung_up")


def test_silence_in_a_pause_is_no_alarm(seat: Seat) -> None:
    rules = RecordingRules(pause_reasons=("identity",), pause_limit_s=60)
    session = seat.recorder.start(facts(), rules)
    session.pause("identity")
    talk(session, 9, 0)
    status = seat.wait_for(lambda s: s.sealed_ms == 9000)
    assert status.problem in ("", "disk_low")
    session.close("hung_up")


def test_a_side_without_media_stays_a_gap_in_a_pause() -> None:
    pause = Pause(RATE, RULES)
    pause.ask("identity", 0)
    mark, frame = pause.hush(0, b"\1" * 2 * FRAME, None)
    assert isinstance(mark, Mark)
    assert frame == (0, bytes(2 * FRAME), None)


def test_one_pause_after_another_between_two_frames() -> None:
    pause = Pause(RATE, RULES)
    pause.ask("identity", 0)
    pause.hush(0, b"a", b"a")
    pause.end()
    pause.ask("card_number", 0)
    passed = pause.hush(FRAME, b"a", b"a")
    assert [item.detail["reason"] for item in passed if isinstance(item, Mark)] == ["identity", "card_number"]
    assert pause.reason == "card_number"
    assert pause.concerns


def test_by_voice_a_pause_is_heard_as_silence(seat: Seat) -> None:
    """Nothing of it gets into the pre-roll of what comes after."""
    rules = RecordingRules(mode="voice", codec="flac", pause_reasons=("identity",), pause_limit_s=60)
    session = seat.recorder.start(facts(), rules)
    reached = talk(session, 2, 0)
    session.pause("identity")
    reached = talk(session, 6, reached)
    session.resume()
    talk(session, 2, reached)
    opened = sealed(seat, session)
    left, _ = opened.channels()
    for file, call, samples in opened.closing["segments"]:
        for at in range(0, samples - FRAME, FRAME):
            loud = any(left[file + at : file + at + FRAME])
            assert loud == (not 2 * RATE <= call + at < 8 * RATE)


def test_after_a_kill_in_a_pause_there_is_no_tone_on_the_disk(seat: Seat) -> None:
    code = """
import sys, time
from pathlib import Path
from recorder.evidence import SeatIdentity
from recorder.rules import RecordingRules
from recorder.session import Recorder, RecordingFacts
from recorder.spool import Spool
from tests.support.recording import frames, tone
store, seed = bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
states = []
recorder = Recorder(Spool(Path(sys.argv[1])), store, SeatIdentity("seat-7", seed), states.append)
rules = RecordingRules(pause_reasons=("card_number",), pause_limit_s=60)
session = recorder.start(RecordingFacts("call", "l", "outbound", "2026-03-02T01:02:03.000Z", 8000), rules)
agent, far = frames(tone(440, 3)), frames(tone(1000, 3))
for i in range(150):
    if i == 50:
        session.pause("card_number", 0)
    session.frames(i * 160, agent[i], far[i])
while not any(s.sealed_ms == 3000 for s in states):
    time.sleep(0.01)
print("READY", flush=True)
time.sleep(60)
"""
    arguments = [str(seat.folder), seat.store_public.hex(), seat.identity.signing_key.hex()]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        process.send_signal(signal.SIGKILL)
    (manifest,) = seat.recorder.recover()
    with seat.spool.payload(manifest.recording_id, "J").open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(seat.store))
        pieces: list[Piece] = []
        with pytest.raises(ContainerError, match="truncated"):
            pieces.extend(reader.pieces())
    sound = array("h", b"".join(piece.body[8:] for piece in pieces if piece.kind == AUDIO))
    assert len(sound) == 2 * 3 * RATE
    assert power(sound[0 : 2 * RATE : 2], 440) > 7900
    assert not any(sound[2 * RATE :])
    assert [p.body for p in pieces if p.kind == EVENT and b'"recording_paused"' in p.body]


def test_the_media_thread_is_not_held_up(seat: Seat) -> None:
    """Generous: a frame of a pause costs microseconds, as any other does."""
    rules = RecordingRules(pause_reasons=("identity",), pause_limit_s=600)
    session = seat.recorder.start(facts(), rules)
    frame = bytes(2 * FRAME)
    session.pause("identity")
    costs = []
    for i in range(500):
        began = time.perf_counter()
        session.frames(i * FRAME, frame, frame)
        costs.append(time.perf_counter() - began)
    assert sorted(costs)[250] < 0.0005
    session.close("hung_up")
