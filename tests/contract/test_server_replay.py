"""Finding and replaying recordings: who may, by what, and that every access is known afterwards."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.contract.test_server_uploads import sealed, send
from tests.support.sealed import Sealed
from tests.support.server import RunningServer, add_user
from tests.support.server_api import Seat, call_op, iso, new_id, note_op, promise

SignIn = Callable[..., Seat]


@dataclass
class Told:
    """A recording with its call and its notes."""

    seat: Seat
    recording: Sealed
    case: dict[str, Any]


@pytest.fixture
def told(sign_in: SignIn) -> Told:
    seat = sign_in("hemin")
    recording = sealed(seat, seconds=4.0, started_at=iso(datetime.now(UTC) - timedelta(days=200)))
    recording.finalised()
    send(seat, recording)
    case = seat.case(80)
    call = call_op(seat.user_id, case["id"], id=recording.call_id, number="+8613900005566")
    an_hour_ago = iso(datetime.now(UTC) - timedelta(hours=1))
    early = note_op(seat.user_id, case["id"], call_id=recording.call_id, created_at=an_hour_ago)
    late = note_op(
        seat.user_id, case["id"], call_id=recording.call_id, outcome="promise", promise=promise(amount=123_400)
    )
    assert {r["status"] for r in seat.operate(late, call, early)} == {"done"}
    return Told(seat, recording, case)


def find(reviewer: Seat, told: Told, **conditions: Any) -> list[dict[str, Any]]:
    answer = reviewer.get("/v1/recordings", params={"limit": 500, **conditions})
    assert answer.status_code == 200, answer.text
    return [row for row in answer.json()["recordings"] if row["id"] == told.recording.recording_id]


def test_a_row_joins_call_case_agent_and_the_latest_note(sign_in: SignIn, told: Told) -> None:
    [row] = find(sign_in("chenyu"), told)
    assert row == {
        "id": told.recording.recording_id,
        "call_id": told.recording.call_id,
        "number": told.recording.number,
        "case_id": told.case["id"],
        "case_number": told.case["number"],
        "debtor_name": told.case["debtor_name"],
        "number_masked": "139****5566",
        "agent_id": told.seat.user_id,
        "agent_name": "何敏",
        "direction": "outbound",
        "started_at": told.recording.started_at,
        "seconds": 4.0,
        "outcome": "promise",
        "promised": {"minor": 123_400, "currency": "CNY"},
        "state": "verified",
    }


def test_every_condition_finds_and_excludes(sign_in: SignIn, told: Told) -> None:
    reviewer = sign_in("chenyu")
    at = datetime.fromisoformat(told.recording.started_at)
    finds: list[dict[str, Any]] = [
        {"text": "何敏"},
        {"text": told.case["number"].lower()},
        {"text": told.case["debtor_name"]},
        {"text": "5566"},
        {"text": f"何敏 {told.case['number']}"},
        {"since": iso(at - timedelta(seconds=1)), "until": iso(at + timedelta(seconds=1))},
        {"since": (at - timedelta(seconds=1)).astimezone().isoformat()},
        {"outcome": "promise"},
        {"min_seconds": 3.9},
    ]
    for conditions in finds:
        assert find(reviewer, told, **conditions), conditions
    excludes: list[dict[str, Any]] = [
        {"text": "李婷"},
        {"text": "%"},
        {"text": "_"},
        {"text": "556"},
        {"text": f"何敏 {told.case['number']}x"},
        {"until": iso(at)},
        {"since": iso(at + timedelta(seconds=1))},
        {"outcome": "willing"},
        {"min_seconds": 4.1},
    ]
    for conditions in excludes:
        assert not find(reviewer, told, **conditions), conditions


def test_wrong_conditions_are_refused(sign_in: SignIn) -> None:
    reviewer = sign_in("chenyu")
    for wrong in (
        {"outcome": "x"},
        {"limit": 0},
        {"limit": 10_000},
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"min_seconds": "nan"},
        {"cursor": "x"},
        {"cursor": "WzEsIDJd"},
        {"text": "x" * 101},
    ):
        answer = reviewer.get("/v1/recordings", params=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), wrong


def test_pages_follow_each_other_newest_first(sign_in: SignIn) -> None:
    seat, reviewer = sign_in("guowei"), sign_in("chenyu")
    start = datetime.now(UTC) - timedelta(days=900)
    for minutes in (0, 0, 1, 2, 3):  # two began at the same moment
        recording = sealed(seat, seconds=1.0, started_at=iso(start + timedelta(minutes=minutes)))
        recording.finalised()
        send(seat, recording)
    window = {"since": iso(start), "until": iso(start + timedelta(hours=1)), "limit": 2}
    rows: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(3):
        page = reviewer.get("/v1/recordings", params={**window, "cursor": cursor}).json()
        rows += page["recordings"]
        cursor = page["next"]
    assert cursor == ""
    assert len({row["id"] for row in rows}) == 5
    assert [row["started_at"] for row in rows] == sorted((row["started_at"] for row in rows), reverse=True)


def test_the_audio_is_what_was_said(sign_in: SignIn, told: Told) -> None:
    answer = sign_in("chenyu").get(f"/v1/recordings/{told.recording.recording_id}/audio")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/ogg"
    assert answer.headers["cache-control"] == "no-store"
    pcm, rate = soundfile.read(io.BytesIO(answer.content))
    assert (rate, pcm.shape) == (8000, (32_000, 2))
    peaks = [np.argmax(np.abs(np.fft.rfft(pcm[:, channel]))) * rate / len(pcm) for channel in (0, 1)]
    assert peaks == pytest.approx([300, 700], abs=2)


def test_a_recovered_journal_is_encoded_with_its_gap_as_silence(sign_in: SignIn) -> None:
    seat = sign_in("hemin")
    recording = sealed(seat, seconds=5.0)
    recording.journal(gap_at=2.0)
    send(seat, recording)
    answer = sign_in("chenyu").get(f"/v1/recordings/{recording.recording_id}/audio")
    pcm, rate = soundfile.read(io.BytesIO(answer.content))
    assert (rate, len(pcm)) == (8000, 40_000)
    assert np.abs(pcm[int(2.2 * rate) : int(2.8 * rate)]).max() < 0.01
    assert np.abs(pcm[int(3.2 * rate) : int(3.8 * rate)]).max() > 0.1


def test_ranges(sign_in: SignIn, told: Told) -> None:
    reviewer = sign_in("chenyu")
    path = f"/v1/recordings/{told.recording.recording_id}/audio"
    whole = reviewer.get(path).content
    size = len(whole)
    for header, start, end in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-50", size - 50, size),
        (f"bytes=10-{size * 2}", 10, size),
    ):
        part = reviewer.get(path, headers={"Range": header})
        assert part.status_code == 206
        assert part.content == whole[start:end]
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    for header in ("bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=x"):
        assert reviewer.get(path, headers={"Range": header}).content == whole
    behind = reviewer.get(path, headers={"Range": f"bytes={size}-"})
    assert (behind.status_code, behind.json()["code"]) == (416, "bad_range")
    assert behind.headers["content-range"] == f"bytes */{size}"


def test_every_access_is_listed(sign_in: SignIn, told: Told) -> None:
    reviewer, lead, officer = sign_in("chenyu"), sign_in("xujing"), sign_in("shujv")
    path = f"/v1/recordings/{told.recording.recording_id}"
    assert reviewer.get(f"{path}/accesses").json() == {"accesses": []}
    reviewer.get(f"{path}/audio")
    reviewer.get(f"{path}/audio", headers={"Range": "bytes=0-9"})
    lead.get(f"{path}/audio")
    exported = officer.get(f"{path}/audio", params={"export": 1})
    assert "attachment" in exported.headers["content-disposition"]
    found = [(a["who"], a["what"]) for a in reviewer.get(f"{path}/accesses").json()["accesses"]]
    assert found == [("宋书语", "exported"), ("徐静", "replayed"), ("陈瑜", "replayed"), ("陈瑜", "replayed")]


def test_who_may_not_hear_it_does_not_and_leaves_no_access(sign_in: SignIn, told: Told) -> None:
    path = f"/v1/recordings/{told.recording.recording_id}"
    assert told.seat.get(f"{path}/audio").status_code == 403
    assert sign_in("admin").get(f"{path}/audio").status_code == 403
    assert sign_in("shujv").get(f"{path}/audio").status_code == 403
    assert sign_in("chenyu").get(f"{path}/audio", params={"export": 1}).status_code == 403
    assert sign_in("xujing").get(f"{path}/audio", params={"export": 1}).status_code == 403
    assert sign_in("chenyu").get(f"{path}/accesses").json() == {"accesses": []}
    assert sign_in("chenyu").get(f"/v1/recordings/{new_id()}/audio").status_code == 404


def test_a_lead_hears_the_own_team_only(server: RunningServer, sign_in: SignIn, told: Told) -> None:
    login = f"lead-{new_id()[:8]}"
    stranger = sign_in(login, password=add_user(server.data_dir, login, "lead", "二组"))
    path = f"/v1/recordings/{told.recording.recording_id}"
    assert find(sign_in("xujing"), told) and not find(stranger, told)
    assert stranger.get(f"{path}/audio").status_code == 404
    assert stranger.get(f"{path}/accesses").status_code == 404
    assert stranger.get(f"/v1/cases/{told.case['id']}").status_code == 404
