"""Grants to listen: for a lead of the team, signed, short, and audited."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from agent_desktop.grants import GrantVerifier
from telephony.interfaces import GrantRefused
from tests.support.server import RunningServer, add_user, start_server
from tests.support.server_api import Json, Seat, new_id

SignIn = Callable[..., Seat]


def on_a_line(seat: Seat, uri: str = "sip:agent@127.0.0.1:5070") -> None:
    body = {"state": "on_call", "call": {"id": new_id()}, "line_state": "registered", "line_uri": uri}
    assert seat.put(f"/v1/seats/{seat.seat_id}/state", body).status_code == 204


def unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("mode", ["listen", "whisper", "barge", "take_over"])
def test_a_grant_is_signed_for_lead_seat_and_mode_and_thirty_seconds(sign_in: SignIn, mode: str) -> None:
    lead, seat = sign_in("xujing"), sign_in("liting")
    on_a_line(seat)
    answer = lead.post("/v1/monitor/grants", {"seat_id": seat.seat_id, "mode": mode})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["uri"] == "sip:agent@127.0.0.1:5070"
    payload, signature = (unbase64(part) for part in body["grant"].split("."))
    VerifyKey(base64.b64decode(lead.session["keys"]["grant"])).verify(payload, signature)
    grant = json.loads(payload)
    assert payload == json.dumps(grant, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert (grant["lead_id"], grant["lead_name"]) == (lead.user_id, "徐静")
    assert (grant["seat_id"], grant["mode"]) == (seat.seat_id, mode)
    assert grant["expires"] - grant["not_before"] == 30
    assert abs(grant["not_before"] - time.time()) < 5


def test_the_seats_engine_takes_it_once(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("liting")
    on_a_line(seat)
    token = lead.post("/v1/monitor/grants", {"seat_id": seat.seat_id, "mode": "listen"}).json()["grant"]
    verifier = GrantVerifier(base64.b64decode(seat.session["keys"]["grant"]), seat.seat_id)
    assert verifier(token).lead_name == "徐静"
    with pytest.raises(GrantRefused):
        verifier(token)
    with pytest.raises(GrantRefused):
        GrantVerifier(base64.b64decode(seat.session["keys"]["grant"]), "other-seat")(token)


def test_a_lead_of_another_team_gets_none_and_that_is_audited(server: RunningServer, sign_in: SignIn) -> None:
    seat = sign_in("liting")
    on_a_line(seat)
    login = f"lead-{new_id()[:8]}"
    stranger = sign_in(login, password=add_user(server.data_dir, login, "lead", "二组"))
    for seat_id in (seat.seat_id, "seat-that-is-none"):
        answer = stranger.post("/v1/monitor/grants", {"seat_id": seat_id, "mode": "listen"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert stranger.get("/v1/wallboard").json() == {"seats": []}
    entries = sign_in("admin").get("/v1/audit", params={"limit": 50}).json()["entries"]
    refused = [e for e in entries if e["action"] == "grant.refused" and e["user_id"] == stranger.user_id]
    assert {e["object_id"] for e in refused} == {seat.seat_id, "seat-that-is-none"}


def test_a_seat_without_a_line_cannot_be_listened_to(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("guowei")
    seat.put(f"/v1/seats/{seat.seat_id}/state", {"state": "ready"})
    answer = lead.post("/v1/monitor/grants", {"seat_id": seat.seat_id, "mode": "listen"})
    assert (answer.status_code, answer.json()["code"]) == (409, "seat_offline")
    assert lead.post("/v1/monitor/grants", {"seat_id": seat.seat_id, "mode": "spy"}).status_code == 400


@pytest.fixture
def fresh(private_data: Path, tmp_path: Path) -> Iterator[RunningServer]:
    """The demo as it was made: nobody has ever signed in."""
    running = start_server(tmp_path, data_dir=private_data)
    yield running
    running.stop()


def team(lead: Seat) -> dict[str, Json]:
    """The wallboard by agents; no agent is on it twice."""
    rows = lead.get("/v1/wallboard").json()["seats"]
    found = {row["agent_name"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def say(seat: Seat, state: str) -> None:
    assert seat.put(f"/v1/seats/{seat.seat_id}/state", {"state": state}).status_code == 204


def test_collectors_who_are_not_signed_in_are_on_the_wallboard(fresh: RunningServer) -> None:
    lead = Seat(fresh.url, "xujing")
    rows = team(lead)
    assert set(rows) == {"李婷", "郭伟", "何敏"}
    assert all(row["seat_id"] == f"user:{row['agent_id']}" and row["state"] == "offline" for row in rows.values())
    assert lead.get("/v1/wallboard").json() == lead.get("/v1/wallboard").json()
    first = Seat(fresh.url, "liting")
    say(first, "ready")
    assert (team(lead)["李婷"]["seat_id"], team(lead)["李婷"]["state"]) == (first.seat_id, "ready")
    assert [row["state"] for row in lead.get("/v1/wallboard").json()["seats"]] == ["ready", "offline", "offline"]


def test_a_collector_who_moves_to_another_seat_is_one_row(fresh: RunningServer) -> None:
    lead, first, second = Seat(fresh.url, "xujing"), Seat(fresh.url, "liting"), Seat(fresh.url, "liting")
    say(first, "ready")
    first.call("DELETE", "/v1/session")
    assert (team(lead)["李婷"]["seat_id"], team(lead)["李婷"]["state"]) == (first.seat_id, "offline")
    say(second, "break")
    assert (team(lead)["李婷"]["seat_id"], team(lead)["李婷"]["state"]) == (second.seat_id, "break")
    second.call("DELETE", "/v1/session")
    assert team(lead)["李婷"]["seat_id"] == second.seat_id
    after = Seat(fresh.url, "guowei", seat_id=second.seat_id, key=second.key)
    say(after, "ready")
    rows = team(lead)
    assert rows["郭伟"]["seat_id"] == second.seat_id
    assert (rows["李婷"]["seat_id"], rows["李婷"]["state"]) == (first.seat_id, "offline")


def test_a_closed_account_is_not_missed(fresh: RunningServer) -> None:
    with sqlite3.connect(next(fresh.data_dir.rglob("*.db"))) as db:
        db.execute("UPDATE users SET disabled_at = created_at WHERE login = 'hemin'")
    db.close()
    assert set(team(Seat(fresh.url, "xujing"))) == {"李婷", "郭伟"}


def test_who_is_not_signed_in_cannot_be_listened_to(fresh: RunningServer) -> None:
    lead = Seat(fresh.url, "xujing")
    absent = team(lead)["何敏"]["seat_id"]
    answer = lead.post("/v1/monitor/grants", {"seat_id": absent, "mode": "listen"})
    assert (answer.status_code, answer.json()["code"]) == (409, "seat_offline")
    stranger = Seat(fresh.url, "other", add_user(fresh.data_dir, "other", "lead", "二组"))
    for seat_id in (absent, f"user:{new_id()}"):
        answer = stranger.post("/v1/monitor/grants", {"seat_id": seat_id, "mode": "listen"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    collector = Seat(fresh.url, "liting")
    assert collector.put(f"/v1/seats/{absent}/state", {"state": "ready"}).status_code == 403
