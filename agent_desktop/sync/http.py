"""The collection server's HTTP API, as one client object."""

from __future__ import annotations

import base64
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from agent_desktop.domain.models import CaseMatch, RecordingRow, SeatState, User
from agent_desktop.domain.sync import ChangePage, Operation, OperationResult
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.sync import shapes
from agent_desktop.sync.pull import SyncAhead

log = logging.getLogger(__name__)

TIMEOUT_S = (3.05, 15.0)
"""To connect, and between two reads."""
MAX_AUDIO_BYTES = 256 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """The server's answer to a sign-in; keys are 32 raw bytes each."""

    token: str = field(repr=False)
    user: User
    store_key: bytes
    receipt_key: bytes
    grant_key: bytes
    policy: dict[str, Any]
    recording_policy: str = ""
    """Signed; for the line process."""


@dataclass(frozen=True, slots=True)
class GrantAnswer:
    """A monitoring grant and where to take it."""

    grant: str = field(repr=False)
    uri: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """Who did what with a recording, and when."""

    who: str
    what: str
    at: datetime


class CollectionApi:
    """Calls block for ``TIMEOUT_S`` at most and raise ``DeskError``. Any thread: each has connections of its own.

    ``verify``: True for the machine's certificates or the path of a PEM file of a private CA. Plain HTTP is taken to
    this machine only, since it would carry passwords. Redirects are not followed: a token must not leave for another
    host.
    """

    def __init__(self, base_url: str, verify: bool | str = True) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DeskError(Problem.BAD_CONFIG, "the server's address is not an http(s) URL")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise DeskError(Problem.BAD_CONFIG, "the server must be reached over https")
        if isinstance(verify, str) and not Path(verify).is_file():
            raise DeskError(Problem.BAD_CONFIG, "there is no CA file at the configured place")
        self.base_url = base_url.rstrip("/")
        self.verify = verify
        self._token: str | None = None
        self._sessions: list[requests.Session] = []
        self._local = threading.local()
        self._lock = threading.Lock()

    def token(self) -> str | None:
        """The bearer token now, for the uploader and the push channel; a secret."""
        return self._token

    def sign_in(self, login: str, password: str, seat_id: str, seat_public_key: bytes) -> SessionInfo:
        """Open a session; later calls use its token."""
        body = self._json(
            "POST",
            "/v1/session",
            {
                "login": login,
                "password": password,
                "seat_id": seat_id,
                "seat_public_key": base64.b64encode(seat_public_key).decode("ascii"),
            },
        )
        with _understood():
            keys = {name: base64.b64decode(body["keys"][name], validate=True) for name in ("store", "receipt", "grant")}
            if any(len(key) != 32 for key in keys.values()):
                raise shapes.ShapeError("key of another length")
            info = SessionInfo(
                token=str(body["token"]),
                user=shapes.user(body["user"]),
                store_key=keys["store"],
                receipt_key=keys["receipt"],
                grant_key=keys["grant"],
                policy=dict(body.get("policy") or {}),
                recording_policy=str(body.get("recording_policy") or ""),
            )
        self._token = info.token
        return info

    def sign_out(self) -> None:
        """Close the session on the server; the token is forgotten even when the server is away."""
        try:
            if self._token:
                self._request("DELETE", "/v1/session").close()
        finally:
            self._token = None

    def health(self) -> None:
        """Raises when the server cannot be reached or does not answer as one."""
        self._json("GET", "/v1/health")

    def changes(self, since: int, limit: int) -> ChangePage:
        """Changes after sequence number ``since``. Raises ``SyncAhead`` when the server has not come that far."""
        try:
            body = self._json("GET", "/v1/sync", params={"since": since, "limit": limit})
        except DeskError as error:
            if error.detail.endswith("sync_ahead"):
                raise SyncAhead from None
            raise
        with _understood():
            return shapes.change_page(body)

    def send(self, operations: Sequence[Operation]) -> list[OperationResult]:
        """Hand over up to 50 operations; a result for each."""
        body = self._json("POST", "/v1/operations", {"operations": [shapes.operation_json(o) for o in operations]})
        with _understood():
            return [OperationResult(str(r["id"]), str(r["status"]), str(r.get("code") or "")) for r in body["results"]]

    def lookup(self, number: str) -> list[CaseMatch]:
        """Cases of the whole agency that an E.164 number belongs to."""
        body = self._json("GET", "/v1/lookup", params={"number": number})
        with _understood():
            return [CaseMatch(shapes.case(m["case"]), shapes.contact(m["contact"])) for m in body["matches"]]

    def recordings(self, conditions: dict[str, str]) -> list[RecordingRow]:
        """Rows that fit the conditions (query parameters), newest first."""
        body = self._json("GET", "/v1/recordings", params=conditions)
        with _understood():
            return [shapes.recording_row(row) for row in body["recordings"]]

    def recording_audio(self, recording_id: str) -> bytes:
        """The whole Ogg/Opus file. The server logs it as replayed."""
        with contextlib.closing(
            self._request("GET", f"/v1/recordings/{quote(recording_id, safe='')}/audio", stream=True)
        ) as response:
            data = bytearray()
            with _network():
                for piece in response.iter_content(256 * 1024):
                    data += piece
                    if len(data) > MAX_AUDIO_BYTES:
                        raise DeskError(Problem.RECORDING_DAMAGED, "recording too long")
            return bytes(data)

    def accesses(self, recording_id: str) -> list[AccessEntry]:
        """Who replayed or exported the recording, newest first."""
        body = self._json("GET", f"/v1/recordings/{quote(recording_id, safe='')}/accesses")
        with _understood():
            return [AccessEntry(str(a["who"]), str(a["what"]), shapes.from_iso(a["at"])) for a in body["accesses"]]

    def put_seat_state(self, seat_id: str, state: dict[str, object]) -> None:
        """What this seat is doing, for the wallboard."""
        self._request("PUT", f"/v1/seats/{quote(seat_id, safe='')}/state", json=state).close()

    def wallboard(self) -> list[SeatState]:
        """Every seat of the team."""
        body = self._json("GET", "/v1/wallboard")
        with _understood():
            return [shapes.seat_state(row) for row in body["seats"]]

    def grant(self, seat_id: str, mode: str) -> GrantAnswer:
        """Ask to listen to a seat. Raises ``DeskError``: ``GRANT_REFUSED``, or ``SEAT_OFFLINE`` if nobody is there."""
        try:
            body = self._json("POST", "/v1/monitor/grants", {"seat_id": seat_id, "mode": mode})
        except DeskError as error:
            if error.problem in (Problem.FORBIDDEN, Problem.NOT_FOUND, Problem.BAD_REQUEST):
                raise DeskError(Problem.GRANT_REFUSED, error.detail) from None
            raise
        with _understood():
            return GrantAnswer(str(body["grant"]), str(body["uri"]), str(body["expires_at"]))

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()

    def _json(
        self,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
        params: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        with contextlib.closing(self._request(method, path, json=body, params=params)) as response, _understood():
            answer = response.json()
            if not isinstance(answer, dict):
                raise shapes.ShapeError("not an object")
            return answer

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        session = self._session()
        with _network():
            response = session.request(
                method,
                self.base_url + path,
                auth=_Bearer(self.token),
                timeout=TIMEOUT_S,
                verify=self.verify,
                allow_redirects=False,
                **options,
            )
        if response.status_code not in (200, 201, 204, 206):
            with contextlib.closing(response):
                raise _problem(response)
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # No .netrc, no proxy and no CA from the environment: they could send the token or a password elsewhere.
            session.trust_env = False
            self._local.session = session
            with self._lock:
                self._sessions.append(session)
        return session


class _Bearer(AuthBase):
    def __init__(self, token: Callable[[], str | None]) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._token()
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


@contextlib.contextmanager
def _network() -> Iterator[None]:
    """Turn what can go wrong on the way into ``DeskError``."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise DeskError(Problem.SERVER_UNTRUSTED, "TLS: the server's certificate was not accepted") from error
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        raise DeskError(Problem.SERVER_AWAY, type(error).__name__) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise DeskError(Problem.SERVER_AWAY, "the answer was cut off") from error
    except (requests.exceptions.RequestException, OSError) as error:
        raise DeskError(Problem.SERVER_ERROR, type(error).__name__) from error


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """An answer that is not what the API promises is the server's error, not a crash here."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DeskError(Problem.SERVER_ERROR, f"answer not understood: {type(error).__name__}") from None


_OF_CODE = {
    "wrong_password": Problem.WRONG_PASSWORD,
    "seat_key_changed": Problem.FORBIDDEN,
    "damaged": Problem.RECORDING_DAMAGED,
    "seat_offline": Problem.SEAT_OFFLINE,
}
_OF_STATUS = {
    401: Problem.SIGNED_OUT,
    403: Problem.FORBIDDEN,
    404: Problem.NOT_FOUND,
    429: Problem.SERVER_AWAY,
    502: Problem.SERVER_AWAY,
    503: Problem.SERVER_AWAY,
    504: Problem.SERVER_AWAY,
}


def _problem(response: requests.Response) -> DeskError:
    """The ``DeskError`` for an answer that is an error, by its problem+json code, else by its status."""
    code = ""
    with contextlib.suppress(ValueError, AttributeError):
        code = str(response.json().get("code") or "")
    status = response.status_code
    detail = f"HTTP {status} {code}".strip()
    if code in _OF_CODE:
        return DeskError(_OF_CODE[code], detail)
    if status in _OF_STATUS:
        return DeskError(_OF_STATUS[status], detail)
    if 400 <= status < 500:
        return DeskError(Problem.BAD_REQUEST, detail)
    return DeskError(Problem.SERVER_ERROR, detail)
