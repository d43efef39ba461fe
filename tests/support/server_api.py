"""A seat that speaks to a running collection server as a client would."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from nacl.signing import SigningKey

from tests.support.server import DEMO_PASSWORD

Json = dict[str, Any]


def new_id() -> str:
    return str(uuid.uuid4())


def iso(at: datetime | None = None) -> str:
    return (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z")


class Seat:
    """A signed-in user at a seat with a key of its own."""

    def __init__(
        self,
        url: str,
        login: str,
        password: str = DEMO_PASSWORD,
        *,
        seat_id: str | None = None,
        key: SigningKey | None = None,
    ) -> None:
        self.url = url
        self.seat_id = seat_id or f"seat-{uuid.uuid4().hex[:12]}"
        self.key = key or SigningKey.generate()
        answer = requests.post(
            f"{url}/v1/session", json=sign_in_body(login, password, self.seat_id, self.key), timeout=10
        )
        assert answer.status_code == 200, answer.text
        self.session: Json = answer.json()
        self.token: str = self.session["token"]
        self.user_id: str = self.session["user"]["id"]

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        url = path if path.startswith("http") else f"{self.url}{path}"
        return requests.request(method, url, headers=headers, timeout=20, **kwargs)

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return self.call("POST", path, json=body, **kwargs)

    def put(self, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return self.call("PUT", path, json=body, **kwargs)

    def sync(self, since: int = 0, limit: int = 2000) -> Json:
        answer = self.get("/v1/sync", params={"since": since, "limit": limit})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sync_all(self, since: int = 0, limit: int = 2000) -> tuple[list[Json], int]:
        """Every change since then, and the number to ask from next."""
        changes: list[Json] = []
        while True:
            page = self.sync(since, limit)
            changes += page["changes"]
            since = page["next"]
            if not page["more"]:
                return changes, since

    def operate(self, *operations: Json) -> list[Json]:
        answer = self.post("/v1/operations", {"operations": list(operations)})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    def cases(self) -> list[Json]:
        return list(self.get("/v1/cases", params={"limit": 500}).json()["cases"])

    def case(self, index: int) -> Json:
        """One of the user's cases; a test that changes it takes an index of its own."""
        return self.cases()[index]


def sign_in_body(login: str, password: str, seat_id: str, key: SigningKey) -> Json:
    public = base64.b64encode(bytes(key.verify_key)).decode()
    return {"login": login, "password": password, "seat_id": seat_id, "seat_public_key": public}


def note_op(author_id: str, case_id: str, **changes: Any) -> Json:
    """A ``note.add`` operation; ``changes`` go into its data."""
    data: Json = {
        "id": new_id(),
        "case_id": case_id,
        "call_id": "",
        "contact_id": "",
        "author_id": author_id,
        "created_at": iso(),
        "outcome": "willing",
        "text": "愿意协商分期。",
        "next_follow_up_at": None,
        "promise": None,
    }
    return {"id": new_id(), "kind": "note.add", "at": iso(), "data": data | changes}


def promise(amount: int = 300_000, days: int = 2, currency: str = "CNY") -> Json:
    due = (datetime.now(UTC) + timedelta(days=days)).date()
    return {
        "id": new_id(),
        "amount": {"minor": amount, "currency": currency},
        "due": due.isoformat(),
        "state": "open",
    }


def call_op(agent_id: str, case_id: str = "", **changes: Any) -> Json:
    """A ``call.add`` operation; ``changes`` go into its data."""
    start = datetime.now(UTC) - timedelta(seconds=90)
    data: Json = {
        "id": new_id(),
        "case_id": case_id,
        "contact_id": "",
        "agent_id": agent_id,
        "line_id": "line-1",
        "direction": "outbound",
        "number": "+8613801386021",
        "started_at": iso(start),
        "answered_at": iso(start + timedelta(seconds=10)),
        "ended_at": iso(start + timedelta(seconds=85)),
        "cause": "hung_up",
        "sip_code": 200,
        "talk_ms": 75_000,
        "recording_id": "",
        "quality": {"codec": "PCMA", "rtt_ms": 21.5},
    }
    return {"id": new_id(), "kind": "call.add", "at": iso(), "data": data | changes}


def contact_op(contact_id: str, state: str, at: datetime | None = None) -> Json:
    return {
        "id": new_id(),
        "kind": "contact.state",
        "at": iso(at),
        "data": {"contact_id": contact_id, "state": state},
    }
