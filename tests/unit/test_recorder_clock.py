"""A wall clock that is set during a call: noted, and nothing else; and the call's facts, sealed and salted."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recorder.canonical import canonical_json
from recorder.clock import CallClock
from recorder.container import EVENT, JOURNAL
from recorder.finalise import FinaliseError
from recorder.session import RecordingFacts
from tests.support.recording import RATE, Seat, facts, feed, tone

ROOT = Path(__file__).parents[2]

CHILD = """
import json, sys, time
from pathlib import Path
real, offset = time.time, 0.0
time.time = lambda: real() + offset
from tests.support.recording import Seat, facts, feed, tone

seat = Seat(Path(sys.argv[1]))
session = seat.recorder.start(facts())
reached, began = 0, time.monotonic()
for jump in [float(text) for text in sys.argv[2:]]:
    reached = feed(session, tone(440, 0.5), tone(1000, 0.5), start=reached)
    seat.wait_for(lambda s: s.sealed_ms == reached // 8)
    seen = len(seat.states)
    offset += jump
    seat.wait_for(lambda s: len(seat.states) >= seen + 2)  # the keeper has looked at the clock
reached = feed(session, tone(440, 0.5), tone(1000, 0.5), start=reached)
session.close("hung_up")
took = time.monotonic() - began
seat.wait_for(lambda s: s.state == "sealed")
(manifest,) = seat.spool.ready()
opened = seat.open(manifest)
print(json.dumps([manifest.to_json(), opened.events, opened.closing, took]))
seat.recorder.stop(10)
"""


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    made = Seat(tmp_path / "spool")
    yield made
    made.recorder.stop(10)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def run(folder: Path, *jumps: float) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any], float]:
    command = [sys.executable, "-c", CHILD, str(folder), *map(str, jumps)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    manifest, events, closing, took = json.loads(done.stdout.splitlines()[-1])
    return manifest, events, closing, took


def test_a_clock_that_jumps_is_marked_and_lengths_stay_right(tmp_path: Path) -> None:
    manifest, events, closing, took = run(tmp_path / "spool", 3600.0, -7200.0)
    assert (manifest["samples"], manifest["lost_frames"]) == (3 * RATE // 2, 0)
    jumps = [event for event in events if event["kind"] == "clock"]
    assert [jump["jump_ms"] for jump in jumps] == [
        pytest.approx(3_600_000, abs=100),
        pytest.approx(-7_200_000, abs=100),
    ]
    for jump, seconds in zip(jumps, (3600, -7200), strict=True):
        assert (at(jump["after"]) - at(jump["before"])).total_seconds() == pytest.approx(seconds, abs=0.1)
    assert [jump["start"] for jump in jumps] == [RATE // 2, RATE]
    began, ended = at(manifest["started_at"]), at(manifest["ended_at"])
    assert (ended - began) == timedelta(milliseconds=manifest["monotonic_ms"])
    assert manifest["monotonic_ms"] / 1000 == pytest.approx(took, abs=0.3)
    assert closing["ended_at"] == manifest["ended_at"]
    assert closing["monotonic_ms"] == manifest["monotonic_ms"]
    assert closing["wall_ended_at"] < jumps[0]["before"]


def test_a_clock_that_runs_on_is_not_marked(tmp_path: Path) -> None:
    _, events, _, _ = run(tmp_path / "spool", 0.3)
    assert events == []


def test_a_start_that_is_no_time_is_taken_as_now() -> None:
    end = CallClock("yesterday").end()
    assert abs((at(end.at) - at(end.wall_at)).total_seconds()) < 1
    assert 0 <= end.monotonic_ms < 1000


# --- the call's facts ---


def known(**more: Any) -> RecordingFacts:
    base = facts()
    return RecordingFacts(base.call_id, base.line_id, base.direction, base.started_at, base.rate, **more)


def test_the_calls_facts_are_sealed_and_only_their_hash_is_told(seat: Seat) -> None:
    compliance = {"decision": "allowed", "rules": ["day", "hours"], "at": 1}
    told = known(far_number="+8613800138000", agent_id="a-17", compliance=compliance)
    for _ in range(2):
        session = seat.recorder.start(told)
        reached = feed(session, tone(440, 0.2), tone(1000, 0.2))
        session.event("answered", {})
        feed(session, tone(440, 0.2), tone(1000, 0.2), start=reached)
        session.close("far_hung_up")
    assert seat.recorder.stop(15)
    found = []
    for manifest in seat.spool.ready():
        opened = seat.open(manifest)
        (event,) = (e for e in opened.bodies(EVENT) if e["kind"] == "facts")
        sealed = event["facts"]
        assert manifest.facts_sha256 == hashlib.sha256(canonical_json(sealed)).hexdigest()
        assert sealed.pop("answered_at").endswith("Z")
        found.append((manifest.facts_sha256, sealed.pop("salt")))
        assert sealed == {
            "line": "line-1",
            "direction": "outbound",
            "far_number": "+8613800138000",
            "agent_id": "a-17",
            "cause": "far_hung_up",
            "compliance": compliance,
        }
        assert b"13800138000" not in canonical_json(manifest.to_json())
    assert len({digest for digest, _ in found}) == len({salt for _, salt in found}) == 2


@pytest.mark.parametrize("compliance", [{"half": 0.5}, {"text": "x" * 3000}, {"it": object()}])
def test_a_decision_that_cannot_be_sealed_costs_no_recording(seat: Seat, compliance: dict[str, Any]) -> None:
    session = seat.recorder.start(known(compliance=compliance))
    feed(session, tone(440, 0.2), tone(1000, 0.2))
    session.close("hung_up")
    seat.wait_for(lambda s: s.state == "sealed")
    (manifest,) = seat.spool.ready()
    assert seat.open(manifest).facts["compliance"] == {"detail_lost": True}


def test_a_journal_begins_and_ends_with_the_facts(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_encoder(*_: object) -> None:
        raise FinaliseError("as if FFmpeg were broken")

    monkeypatch.setattr("recorder.session.finalise", no_encoder)
    seat.record(tone(440, 0.2), tone(1000, 0.2))
    (manifest,) = seat.spool.ready()
    opened = seat.open(manifest)
    told = [e["facts"] for e in opened.bodies(EVENT) if e["kind"] == "facts"]
    assert (manifest.kind, [t["cause"] for t in told]) == (JOURNAL, ["", "hung_up"])
    assert opened.pieces[0].kind == EVENT
    assert manifest.facts_sha256 == hashlib.sha256(canonical_json(told[-1])).hexdigest()
