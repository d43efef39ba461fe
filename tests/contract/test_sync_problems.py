"""Every way in which a server, or what stands in its place, can answer badly is one clear error."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.sync.http import CollectionApi


class Stand(HTTPServer):
    """Answers every request with ``status`` and ``body``; keeps the requests' headers."""

    status = 200
    body = b""
    extra: dict[str, str]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.extra = {}
        self.seen: list[tuple[str, str, str | None]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Stand

    def _answer(self) -> None:
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.server.status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def stand() -> Iterator[Stand]:
    httpd = Stand()
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def api(stand: Stand) -> Iterator[CollectionApi]:
    made = CollectionApi(f"http://127.0.0.1:{stand.server_port}")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [
        (400, "bad_request", Problem.BAD_REQUEST),
        (401, "wrong_password", Problem.WRONG_PASSWORD),
        (401, "signed_out", Problem.SIGNED_OUT),
        (403, "forbidden", Problem.FORBIDDEN),
        (404, "not_found", Problem.NOT_FOUND),
        (409, "seat_key_changed", Problem.FORBIDDEN),
        (409, "damaged", Problem.RECORDING_DAMAGED),
        (409, "conflict", Problem.BAD_REQUEST),
        (429, "too_many_attempts", Problem.SERVER_AWAY),
        (500, "server_error", Problem.SERVER_ERROR),
        (503, "server_error", Problem.SERVER_AWAY),
    ],
)
def test_problems_by_code_and_status(
    stand: Stand, api: CollectionApi, status: int, code: str, problem: Problem
) -> None:
    stand.status, stand.body = status, json.dumps({"code": code, "detail": "not for the log: 张三"}).encode()
    with pytest.raises(DeskError) as caught:
        api.wallboard()
    assert caught.value.problem is problem
    assert "张三" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"<html>log in to the hotel</html>", b"[]", b"null", b'{"seats": [{}]}', b"\xff"]
)
def test_what_is_no_answer_is_the_servers_error(stand: Stand, api: CollectionApi, body: bytes) -> None:
    stand.body = body
    with pytest.raises(DeskError) as caught:
        api.wallboard()
    assert caught.value.problem is Problem.SERVER_ERROR


def test_a_bad_gateway_page_is_the_server_being_away(stand: Stand, api: CollectionApi) -> None:
    stand.status, stand.body = 502, b"<html>nginx</html>"
    with pytest.raises(DeskError) as caught:
        api.changes(0, 10)
    assert caught.value.problem is Problem.SERVER_AWAY


def test_a_token_never_follows_a_redirect(stand: Stand, api: CollectionApi) -> None:
    elsewhere = Stand()
    api._token = "secret"
    stand.status, stand.extra = 307, {"Location": f"http://127.0.0.1:{elsewhere.server_port}/v1/wallboard"}
    with pytest.raises(DeskError):
        api.wallboard()
    elsewhere.server_close()
    assert stand.seen == [("GET", "/v1/wallboard", "Bearer secret")]
    assert elsewhere.seen == []


def test_a_netrc_does_not_replace_the_token(
    stand: Stand, api: CollectionApi, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    stand.body = b'{"seats": []}'
    api._token = "secret"
    assert api.wallboard() == []
    assert stand.seen[-1][2] == "Bearer secret"


@pytest.mark.parametrize("change", [{"kind": "poem"}, {"data": {}}, {"op": "upsert", "data": None}, {"seq": "x"}])
def test_one_change_that_is_not_understood_does_not_stop_the_rest(
    stand: Stand, api: CollectionApi, change: dict[str, object]
) -> None:
    bad = {"seq": 1, "kind": "case", "id": "a", "op": "upsert", "data": {"id": "a"}, **change}
    good = {"seq": 2, "kind": "case", "id": "b", "op": "delete", "data": None}
    stand.body = json.dumps({"changes": [bad, good], "next": 2, "more": False}).encode()
    page = api.changes(0, 10)
    assert ([c.id for c in page.changes], page.skipped, page.next) == (["b"], 1, 2)


def test_a_key_of_another_length_is_no_key(stand: Stand, api: CollectionApi) -> None:
    user = {"id": "1", "login": "a", "name": "b", "role": "collector", "team": ""}
    keys = {"store": "AAAA", "receipt": "AAAA", "grant": "AAAA"}
    stand.body = json.dumps({"token": "t", "user": user, "keys": keys, "policy": {}}).encode()
    with pytest.raises(DeskError) as caught:
        api.sign_in("a", "b", "seat", bytes(32))
    assert caught.value.problem is Problem.SERVER_ERROR
    assert api.token() is None
