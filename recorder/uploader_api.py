"""The store's upload protocol over HTTP (docs/guides/http-api.md). Only this module imports requests."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import quote, urljoin, urlsplit

from recorder.canonical import canonical_json
from recorder.evidence import Manifest
from recorder.throttle import Throttle

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
MAX_PARTS = 100_000
MAX_PART = 256 * 1024 * 1024

_BUSY = {408, 429, 503, 507}
_NOT_NOW = {409, 425}
_LONGEST_WAIT = 3600.0
_LONGEST_MANIFEST = 32_768


class UploadError(Exception):
    """A request that did not do what it should."""


class ServerAway(UploadError):
    """No answer, or none that can be used. Whether that is the server or this recording tells ``healthy``."""


class ServerBusy(ServerAway):
    """The server says to come back; ``wait`` is its own wish in seconds, 0 when it has none."""

    def __init__(self, detail: str, wait: float = 0.0) -> None:
        super().__init__(detail)
        self.wait = wait


class SignedOut(UploadError):
    """There is no token, or the server does not take it any more."""


class NotNow(UploadError):
    """The server cannot take this recording at the moment; others it may. ``code`` is the server's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(UploadError):
    """The server does not want this recording, now or later. ``code`` is the server's, or ``http_STATUS``."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class PartRefused(Refused):
    """A part came damaged, or its address is not good any more: ask for a new plan."""


class AddressExpired(PartRefused):
    """The object store does not take the address any more: ask for another one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the file and where to send it."""

    number: int
    url: str
    size: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """That must go with it, where the address is an object store's."""


@dataclass(frozen=True, slots=True)
class PartSums:
    """Of a part's bytes, in hex."""

    number: int
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What the server wants. Parts follow each other in the order of their numbers. ``direct``: they go to an object
    store, whose addresses are asked for with the parts' sums.
    """

    parts: tuple[Part, ...]
    received: frozenset[int]
    receipt: dict[str, Any] | None
    upload_id: str = ""
    direct: bool = False
    whole_limit: int = 0
    """Bytes up to which the server takes recordings at once, unannounced."""


class Api(Protocol):
    """What the uploader needs of the store. Any thread. Each method but ``healthy`` raises ``UploadError``."""

    def begin(self, manifest: Manifest) -> UploadPlan: ...

    def put_whole(self, manifest: Manifest, data: bytes, throttle: Throttle) -> dict[str, Any] | None: ...

    def addresses(self, plan: UploadPlan, sums: list[PartSums]) -> dict[int, Part]: ...

    def put_part(self, part: Part, data: bytes, sha256: str, throttle: Throttle) -> dict[str, Any] | None: ...

    def complete(self, recording_id: str) -> dict[str, Any]: ...

    def healthy(self) -> bool: ...

    def close(self) -> None: ...


class UploadApi:
    """Speaks to one server, with connections of its own for each thread.

    ``base_url`` is the server's root (``https://host``); ``token`` gives the session's bearer token or None; ``verify``
    is True for the system's certificate authorities or the path of a private one. The token goes to the server itself
    only, never to an object store that the server names for the parts.
    """

    def __init__(self, base_url: str, token: Callable[[], str | None], verify: bool | str | Path = True) -> None:
        self._root = base_url.rstrip("/").removesuffix("/v1") + "/"
        self._token = token
        self._verify = str(verify) if isinstance(verify, Path) else verify
        self._whole_limit = 0
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def begin(self, manifest: Manifest) -> UploadPlan:
        """Announce a recording, or go on with one."""
        path = f"v1/recordings/{quote(manifest.recording_id)}/upload"
        plan = _plan(self._json("POST", path, json=manifest.to_json()), manifest.size)
        if plan.receipt is None:
            self._whole_limit = plan.whole_limit
        return plan

    def put_whole(self, manifest: Manifest, data: bytes, throttle: Throttle) -> dict[str, Any] | None:
        """Send a small recording with its manifest: the receipt, not yet verified.

        None, and nothing was sent, when it is to be announced: it is too large, or nobody knows whether the server
        takes it so.
        """
        if len(data) > self._whole_limit:
            return None
        text = base64.b64encode(canonical_json(manifest.to_json())).decode()
        if len(text) > _LONGEST_MANIFEST:
            return None
        headers = {"X-Manifest": text, "Content-Type": "application/octet-stream"}
        url = urljoin(self._root, f"v1/recordings/{quote(manifest.recording_id)}/whole")
        try:
            return _json_object(self._send("PUT", url, headers=headers, data=throttle.body(data)))
        except UploadError:
            self._whole_limit = 0  # the next one is announced, and says what the server takes now
            raise

    def addresses(self, plan: UploadPlan, sums: list[PartSums]) -> dict[int, Part]:
        """Where to send these parts (at most 100), by number: good for a while and these bytes only."""
        path = f"v1/uploads/{quote(plan.upload_id)}/addresses"
        wanted = [{"number": one.number, "sha256": one.sha256, "md5": one.md5} for one in sums]
        body = self._json("POST", path, json={"parts": wanted})
        sizes = {part.number: part.size for part in plan.parts}
        try:
            found = {item["number"]: self._address(item, sizes[item["number"]]) for item in body["parts"]}
        except (KeyError, TypeError, ValueError) as error:
            raise ServerAway("the addresses of parts cannot be understood") from error
        if set(found) != {one.number for one in sums}:
            raise ServerAway("the addresses are not those of the parts")
        return found

    def put_part(self, part: Part, data: bytes, sha256: str, throttle: Throttle) -> dict[str, Any] | None:
        """Send one part, whose SHA-256 in hex is ``sha256``, no faster than ``throttle`` allows.

        The receipt, not yet verified, when it was the only one and the server completed the upload with it.
        """
        url = urljoin(self._root, part.url)
        own = self._is_own(url)
        headers = {"X-Content-SHA256": sha256, "Content-Type": "application/octet-stream", "X-Complete": "1"}
        if part.headers:  # signed into an object store's address: these and no others
            headers = dict(part.headers)
        try:
            response = self._send("PUT", url, headers=headers, data=throttle.body(data))
            return _json_object(response) if own and response.status_code == 200 and response.content else None
        except Refused as error:
            expired = error.status == 403 and not own
            raise (AddressExpired if expired else PartRefused)(error.status, error.code) from error
        except (SignedOut, NotNow) as error:
            if own:
                raise
            raise PartRefused(401 if isinstance(error, SignedOut) else 409, "object_store") from error
        except ServerAway as error:
            if own or isinstance(error, ServerBusy):
                raise
            raise ServerBusy("the object store is away") from error

    def complete(self, recording_id: str) -> dict[str, Any]:
        """All parts are there: the receipt, not yet verified."""
        return self._json("POST", f"v1/recordings/{quote(recording_id)}/complete")

    def healthy(self) -> bool:
        """The server answers and says that it is well: what fails now fails because of what was sent."""
        try:
            return self._json("GET", "v1/health").get("ok") is True
        except UploadError:
            return False

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        sessions, self._sessions, self._local = self._sessions, [], threading.local()
        for session in sessions:
            session.close()

    def _address(self, item: Any, size: int) -> Part:
        url, headers = item["url"], item["headers"]
        if not isinstance(url, str) or not isinstance(headers, dict):
            raise ValueError("an address has the wrong fields")
        if self._root.startswith("https:") and not urljoin(self._root, url).startswith("https:"):
            raise ValueError("an address without TLS, named by a server with TLS")
        return Part(item["number"], url, size, {str(name): str(value) for name, value in headers.items()})

    def _is_own(self, url: str) -> bool:
        return _origin(url) == _origin(self._root)

    def _json(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        return _json_object(self._send(method, urljoin(self._root, path), **how))

    def _session(self) -> requests.Session:
        import requests

        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            self._sessions.append(session)
        return session

    def _send(self, method: str, url: str, **how: Any) -> requests.Response:
        import requests

        headers = dict(how.pop("headers", {}))
        if self._is_own(url) and not url.endswith("v1/health"):
            token = self._token()
            if not token:
                raise SignedOut("there is no token")
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = self._session().request(
                method,
                url,
                headers=headers,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                verify=self._verify,
                allow_redirects=False,
                **how,
            )
        except (requests.RequestException, OSError) as error:
            raise ServerAway(type(error).__name__) from error
        if response.status_code == 403 and "Authorization" in headers:
            # This says who may upload, not what: the recording waits for somebody who may.
            raise NotNow("forbidden")
        if not 200 <= response.status_code < 300:
            _raise(response)
        return response


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError) as error:
        raise ServerAway("the answer is not JSON") from error
    if not isinstance(body, dict):
        raise ServerAway("the answer is not a JSON object")
    return body


def _raise(response: requests.Response) -> NoReturn:
    status = response.status_code
    if status == 401:
        raise SignedOut("the server does not take the token")
    if status in _BUSY:
        raise ServerBusy(f"status {status}", _retry_after(response.headers))
    if not 400 <= status < 500:
        raise ServerAway(f"status {status}")
    code = f"http_{status}"
    with suppress(ValueError, RecursionError):
        body = response.json()
        if isinstance(body, dict) and isinstance(body.get("code"), str):
            code = body["code"][:64]
    if status in _NOT_NOW:
        raise NotNow(code)
    raise Refused(status, code)


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() else 0.0


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _plan(body: dict[str, Any], size: int) -> UploadPlan:
    try:
        receipt = body.get("receipt")
        if receipt is not None and not isinstance(receipt, dict):
            raise ValueError("the receipt is not an object")
        parts = tuple(sorted((_part(item) for item in body["parts"]), key=lambda part: part.number))
        received = frozenset(int(number) for number in body["received"])
        direct = body.get("direct", False) is True
        upload_id = str(body.get("upload_id", ""))
        whole_limit = int(body["part_size"]) if body.get("whole") is True else 0
    except (KeyError, TypeError, ValueError) as error:
        raise ServerAway("the answer to an announced upload cannot be understood") from error
    if receipt is None and (len(parts) > MAX_PARTS or sum(part.size for part in parts) != size):
        raise ServerAway("the parts that the server asks for are not the file")
    return UploadPlan(parts, received, receipt, upload_id, direct, whole_limit)


def _part(item: Any) -> Part:
    number, url, size = item["number"], item["url"], item["size"]
    if type(number) is not int or type(size) is not int or not isinstance(url, str) or not 0 < size <= MAX_PART:
        raise ValueError("a part has the wrong fields")
    return Part(number, url, size)
