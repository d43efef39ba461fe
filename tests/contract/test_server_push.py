"""The push channel: hints within a second, the wallboard live, and sockets that are not let in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.server import RunningServer, add_user
from tests.support.server_api import Seat, call_op, new_id, note_op

SignIn = Callable[..., Seat]
Json = dict[str, Any]


@contextmanager
def opened(url: str) -> Iterator[ClientConnection]:
    with connect(url.replace("http", "ws", 1) + "/v1/events", open_timeout=5) as socket:
        yield socket


@contextmanager
def listening(seat: Seat) -> Iterator[ClientConnection]:
    with opened(seat.url) as socket:
        socket.send(json.dumps({"type": "auth", "token": seat.token}))
        ready = json.loads(socket.recv(timeout=5))
        assert ready["type"] == "ready"
        assert ready["seq"] >= 0
        yield socket


def wait_for(socket: ClientConnection, wanted: Callable[[Json], bool], seconds: float = 1.0) -> Json:
    """The first message that is wanted; fails when it takes longer."""
    end = time.monotonic() + seconds
    while True:
        message = json.loads(socket.recv(timeout=max(0.001, end - time.monotonic())))
        if wanted(message):
            return dict(message)


def close_code(socket: ClientConnection, seconds: float = 7.0) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(timeout=seconds)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_change_is_hinted_to_its_holder_within_a_second(sign_in: SignIn) -> None:
    writer, elsewhere, other = sign_in("liting"), sign_in("liting"), sign_in("guowei")
    case_id = writer.case(90)["id"]
    with listening(elsewhere) as socket, listening(other) as bystander:
        _, since = elsewhere.sync_all()
        start = time.monotonic()
        writer.operate(note_op(writer.user_id, case_id))
        hint = wait_for(socket, lambda m: m["type"] == "sync")
        assert time.monotonic() - start < 1.0
        assert since < hint["seq"] <= elsewhere.sync(since)["next"]
        with pytest.raises(TimeoutError):
            wait_for(bystander, lambda m: m["type"] == "sync", 0.3)


def test_a_refused_operation_is_no_hint(sign_in: SignIn) -> None:
    writer = sign_in("hemin")
    with listening(writer) as socket:
        writer.operate(note_op(writer.user_id, new_id()))
        with pytest.raises(TimeoutError):
            wait_for(socket, lambda m: m["type"] == "sync", 0.3)


def seat_message(state: str, **fields: Any) -> str:
    return json.dumps({"type": "seat_state", "state": state, **fields})


def test_a_lead_sees_a_seat_change_within_a_second(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("liting")
    case = seat.case(91)
    call_id = new_id()
    with listening(lead) as board, listening(seat) as socket:
        start = time.monotonic()
        call = {"id": call_id, "case_id": case["id"], "direction": "outbound", "started_at": "2026-01-01T00:00:00Z"}
        socket.send(seat_message("on_call", call=call, line_state="registered", line_uri="sip:1@x", recording=True))
        row = wait_for(board, lambda m: m.get("seat_id") == seat.seat_id)
        assert time.monotonic() - start < 1.0
        assert row["type"] == "seat"
        assert (row["state"], row["agent_name"], row["call_id"]) == ("on_call", "李婷", call_id)
        assert (row["case_number"], row["debtor_name"]) == (case["number"], case["debtor_name"])
        assert row["recording"] is True
        listed = lead.get("/v1/wallboard").json()["seats"]
        assert {k: v for k, v in row.items() if k != "type"} in listed
        socket.send(seat_message("wrap_up", line_state="registered"))
        row = wait_for(board, lambda m: m.get("seat_id") == seat.seat_id and m["state"] == "wrap_up")
        assert (row["call_id"], row["case_number"], row["debtor_name"]) == ("", "", "")


def test_figures_of_today_move_with_what_is_taken(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("guowei")
    with listening(lead) as board, listening(seat) as socket:
        socket.send(seat_message("ready"))
        before = wait_for(board, lambda m: m.get("seat_id") == seat.seat_id)
        seat.operate(
            note_op(seat.user_id, seat.case(92)["id"]), call_op(seat.user_id, seat.case(92)["id"], talk_ms=61_000)
        )
        after = wait_for(board, lambda m: m.get("seat_id") == seat.seat_id)
        assert after["talk_seconds"] >= before["talk_seconds"]
        assert after["cases_handled"] >= 1
        assert after["since"] == before["since"]


def test_a_seat_is_offline_when_its_socket_has_been_away(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("hemin")
    with listening(lead) as board:
        with listening(seat) as socket:
            socket.send(seat_message("on_call", call={"id": new_id()}, recording=True))
            wait_for(board, lambda m: m.get("seat_id") == seat.seat_id)
        row = wait_for(board, lambda m: m.get("seat_id") == seat.seat_id, 5)
        assert (row["state"], row["call_id"], row["recording"]) == ("offline", "", False)


def test_a_socket_that_comes_back_in_time_keeps_the_seat(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("hemin")
    with listening(lead) as board:
        with listening(seat) as socket:
            socket.send(seat_message("ready"))
            wait_for(board, lambda m: m.get("seat_id") == seat.seat_id)
        with listening(seat), pytest.raises(TimeoutError):
            wait_for(board, lambda m: m.get("seat_id") == seat.seat_id, 1.5)


def test_a_seat_may_put_its_state_and_only_its_own(server: RunningServer, sign_in: SignIn) -> None:
    login = f"c-{new_id()[:8]}"
    lead, seat = sign_in("xujing"), sign_in(login, password=add_user(server.data_dir, login, "collector", "一组"))
    assert seat.put(f"/v1/seats/{seat.seat_id}/state", {"state": "break"}).status_code == 204
    rows = {row["seat_id"]: row for row in lead.get("/v1/wallboard").json()["seats"]}
    assert rows[seat.seat_id]["state"] == "break"
    assert seat.put("/v1/seats/other-seat/state", {"state": "break"}).status_code == 403
    assert seat.put(f"/v1/seats/{seat.seat_id}/state", {"state": "dancing"}).status_code == 400
    seat.call("DELETE", "/v1/session")
    rows = {row["seat_id"]: row for row in lead.get("/v1/wallboard").json()["seats"]}
    assert rows[seat.seat_id]["state"] == "offline"


def test_collectors_are_told_of_no_seats(sign_in: SignIn) -> None:
    watcher, seat = sign_in("liting"), sign_in("guowei")
    with listening(watcher) as socket:
        seat.put(f"/v1/seats/{seat.seat_id}/state", {"state": "ready"})
        with pytest.raises(TimeoutError):
            wait_for(socket, lambda m: m["type"] == "seat", 0.3)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (json.dumps({"type": "auth", "token": "nonsense"}), 4401),
        (json.dumps({"type": "auth"}), 4400),
        (json.dumps({"type": "hello"}), 4400),
        ("not json", 4400),
        ("[" * 50_000, 4400),
        (b"\xff\xfe", 4400),
    ],
)
def test_a_socket_that_does_not_sign_in_is_closed(server: RunningServer, first: str | bytes, code: int) -> None:
    with opened(server.url) as socket:
        socket.send(first)
        assert close_code(socket) == code


def test_a_socket_that_says_nothing_is_closed_after_five_seconds(server: RunningServer) -> None:
    start = time.monotonic()
    with opened(server.url) as socket:
        assert close_code(socket) == 4408
    assert 4.5 < time.monotonic() - start < 7


def test_signing_out_closes_the_socket(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    with listening(seat) as socket:
        seat.call("DELETE", "/v1/session")
        assert close_code(socket, 1.0) == 4401


def test_a_message_that_is_not_understood_closes_the_socket(sign_in: SignIn) -> None:
    for message in (seat_message("dancing"), json.dumps({"type": "order"}), "x", json.dumps([1])):
        with listening(sign_in("liting")) as socket:
            socket.send(message)
            assert close_code(socket) == 4400
