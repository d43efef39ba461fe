"""Whatever comes in: a clear answer, no crash, no echo, nothing personal in the log."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.support.server import RunningServer
from tests.support.server_api import Seat, new_id, note_op

SignIn = Callable[..., Seat]
JSON = {"Content-Type": "application/json"}

BODIES: dict[str, bytes] = {
    "empty": b"",
    "not json": b"{",
    "bad utf-8": b'{"operations": "\xff\xfe"}',
    "utf-16": '{"operations": []}'.encode("utf-16"),
    "deep": b'{"operations":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "huge number": b'{"operations": ' + b"9" * 10_000 + b"}",
    "null": b"null",
    "array": b"[]",
    "nul": b'{"operations": "\\u0000"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_none_is_a_bad_request(server: RunningServer, sign_in: SignIn, name: str) -> None:
    seat = sign_in("liting")
    for path in ("/v1/operations", f"/v1/recordings/{new_id()}/upload", "/v1/session"):
        answer = seat.call("POST", path, data=BODIES[name], headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
        assert answer.headers["content-type"] == "application/problem+json"
    assert requests.get(f"{server.url}/v1/health", timeout=5).json()["ok"] is True


DATA: list[Any] = [
    {"text": "\ud800"},
    {"id": "\ud800"},
    {"x": float("nan")},
    {"created_at": 1e400},
    {"text": {"a": [1]}},
    {"created_at": "9999-12-31T23:59:59Z"},
    {"promise": {"id": 5}},
    {"promise": [[[[[]]]]]},
]


@pytest.mark.parametrize("index", range(len(DATA)))
def test_an_operation_with_odd_values_is_refused_by_itself(sign_in: SignIn, index: int) -> None:
    seat = sign_in("liting")
    case_id = seat.case(66)["id"]
    odd = note_op(seat.user_id, case_id)
    odd["data"] |= DATA[index]
    body = json.dumps({"operations": [odd, note_op(seat.user_id, case_id)]})
    answer = seat.post("/v1/operations", data=body.encode(), headers=JSON)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [r["status"] for r in results] == ["refused", "done"]
    assert results[0]["code"] == "bad_request"


def test_an_error_does_not_repeat_what_was_sent(server: RunningServer) -> None:
    body = {"login": ["张建国"], "password": {"secret": 1}, "seat_id": "座席 13801386021", "seat_public_key": 7}
    answer = requests.post(f"{server.url}/v1/session", json=body, timeout=5)
    assert answer.status_code == 400
    assert {e["where"] for e in answer.json()["errors"]} == {
        "body.login",
        "body.password",
        "body.seat_id",
        "body.seat_public_key",
    }
    for value in ("张建国", "secret", "13801386021", "座席"):
        assert value not in answer.text


def test_a_large_body_is_refused_by_its_announced_length(sign_in: SignIn) -> None:
    answer = sign_in("liting").call("POST", "/v1/operations", data=b"x" * (1024 * 1024 + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_large_body_without_a_length_is_refused_as_it_comes(sign_in: SignIn) -> None:
    def pieces() -> Any:
        for _ in range(20):
            yield b" " * 65_536
        yield b"{}"

    answer = sign_in("liting").call("POST", "/v1/operations", data=pieces(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def raw(server: RunningServer, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        with suppress(OSError):  # it may have hung up already
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):  # it need not listen to the end
            while chunk := connection.recv(65_536):
                answer += chunk
        return answer


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /v1/sync?since=%00%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"\x00" * 1000,
    ],
    ids=range(7),
)
def test_bytes_that_are_no_request_do_no_harm(server: RunningServer, data: bytes) -> None:
    answer = raw(server, data)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert requests.get(f"{server.url}/v1/health", timeout=5).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/cases/not-a-uuid",
        "/v1/cases/..%2f..%2fetc",
        "/v1/recordings/x/audio",
        "/v1/sync?since=-1",
        "/v1/sync?since=99999999999999999999999",
        "/v1/sync?limit=abc",
        "/v1/cases?cursor=%00",
        "/v1/cases?cursor=WyJcdTAwMDAiXQ",
        "/v1/audit?cursor=WzFd.",
    ],
)
def test_paths_and_queries_that_are_none(sign_in: SignIn, path: str) -> None:
    answer = sign_in("admin" if "audit" in path else "liting").get(path)
    if "recordings" in path:
        assert answer.status_code in (400, 403)
        return
    assert answer.status_code in (400, 404)
    assert answer.json()["code"] in ("bad_request", "not_found")


def test_unknown_places_and_methods_are_problems_too(server: RunningServer) -> None:
    for path, status in (("/", 404), ("/docs", 404), ("/openapi.json", 404), ("/v1/session", 405)):
        answer = requests.request("PATCH", server.url + path, timeout=5)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_answers_stay_out_of_caches(sign_in: SignIn) -> None:
    for path in ("/v1/cases", "/v1/session", "/v1/nothing"):
        assert sign_in("liting").get(path).headers["cache-control"] == "no-store"


def test_the_log_holds_no_query_and_no_personal_data(server: RunningServer, sign_in: SignIn) -> None:
    seat, reviewer = sign_in("liting"), sign_in("chenyu")
    seat.get("/v1/lookup", params={"number": "+8613801386021"})
    reviewer.get("/v1/recordings", params={"text": "张建国"})
    lines = "\n".join(server.errors)
    assert "/lookup" in lines
    for secret in ("13801386021", "张建国", "%E5%BC%A0", "text=", seat.token):
        assert secret not in lines
