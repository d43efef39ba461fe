"""Sessions against a clock that the test turns: idle expiry, use that keeps alive, waiting after wrong passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from collection_server.app import create_app, make_server
from collection_server.auth.permissions import PERMISSIONS, Permission, Role
from collection_server.context import Server
from collection_server.settings import Settings
from collection_server.setup import add_account, initialise
from tests.support.server_api import sign_in_body


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Place:
    """A server in this process with one collector, ``wang``."""

    def __init__(self, data: Path) -> None:
        self.clock = Clock()
        self.password = ""
        settings = Settings(data=data)

        def fill(session: object, server: Server) -> None:
            self.password = add_account(
                session,
                server.passwords,
                self.clock(),
                login="wang",
                name="王",
                role=Role.COLLECTOR,
                team="一组",  # type: ignore[arg-type]
            )

        initialise(settings, fill)
        self.server = make_server(settings, self.clock)
        self.app = create_app(self.server)
        self.key = SigningKey.generate()

    def sign_in(self, password: str | None = None, login: str = "wang") -> tuple[int, str]:
        body = sign_in_body(login, self.password if password is None else password, "seat-1", self.key)
        answer = self.request("POST", json=body)
        return answer.status_code, answer.json().get("token", "")

    def status(self, token: str) -> int:
        return self.request("GET", headers={"Authorization": f"Bearer {token}"}).status_code

    def request(self, method: str, **kwargs: Any) -> httpx.Response:
        """``/v1/session`` of this process's server, without a socket."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, "/v1/session", **kwargs)

        return asyncio.run(ask())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "data")
    yield made
    made.server.db.dispose()


def test_a_session_that_is_idle_for_eight_hours_ends(place: Place) -> None:
    _, token = place.sign_in()
    place.clock.forward(hours=8, seconds=1)
    assert place.status(token) == 401


def test_use_keeps_a_session_alive(place: Place) -> None:
    _, token = place.sign_in()
    for _ in range(4):
        place.clock.forward(hours=7)
        assert place.status(token) == 200
    place.clock.forward(hours=8, seconds=61)
    assert place.status(token) == 401


def test_only_the_hash_of_a_token_is_kept(place: Place) -> None:
    _, token = place.sign_in()
    place.server.db.dispose()
    stored = b"".join(p.read_bytes() for p in place.server.settings.data.glob("collection.db*"))
    assert token.encode() not in stored
    assert place.password.encode() not in stored


def test_after_five_wrong_passwords_even_the_right_one_waits_a_minute(place: Place) -> None:
    assert [place.sign_in("wrong")[0] for _ in range(5)] == [401] * 5
    assert place.sign_in()[0] == 429
    place.clock.forward(seconds=59)
    assert place.sign_in()[0] == 429
    place.clock.forward(seconds=1)
    assert place.sign_in()[0] == 200


def test_after_the_wait_there_are_five_more_attempts(place: Place) -> None:
    for _ in range(5):
        place.sign_in("wrong")
    place.clock.forward(seconds=61)
    assert [place.sign_in("wrong")[0] for _ in range(6)] == [401] * 5 + [429]


def test_a_right_password_forgets_the_wrong_ones(place: Place) -> None:
    for _ in range(3):
        assert [place.sign_in("wrong")[0] for _ in range(4)] == [401] * 4
        assert place.sign_in()[0] == 200


def test_one_login_waits_without_the_others(place: Place) -> None:
    for _ in range(6):
        place.sign_in("wrong", login="somebody")
    assert place.sign_in(login="somebody")[0] == 429
    assert place.sign_in()[0] == 200


def test_a_disabled_account_is_out_at_once(place: Place) -> None:
    from collection_server.auth.tables import User

    _, token = place.sign_in()
    with place.server.db.write() as session:
        session.query(User).update({"disabled_at": place.clock()})
    assert place.status(token) == 401
    assert place.sign_in()[0] == 401


def test_every_role_has_permissions_and_only_the_data_officer_exports() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert [r for r in Role if Permission.RECORDINGS_EXPORT in PERMISSIONS[r]] == [Role.DATA_OFFICER]
    assert [r for r in Role if Permission.AUDIT_READ in PERMISSIONS[r]] == [Role.ADMINISTRATOR]
    assert not PERMISSIONS[Role.COLLECTOR] & {Permission.RECORDINGS_SEARCH, Permission.RECORDINGS_REPLAY}
    assert Permission.CASES_READ not in PERMISSIONS[Role.ADMINISTRATOR]
