"""The store's upload protocol over HTTP (docs/guides/http-api.md). Only this module imports requests."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import quote, urljoin, urlsplit

from recorder.evidence import Manifest

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
MAX_PARTS = 100_000
MAX_PART = 256 * 1024 * 1024

_LATER = {408, 429}
_NOT_NOW = {409, 425}
_LONGEST_WAIT = 3600.0


class UploadError(Exception):
    """A request that did not do what it should."""


class ServerAway(UploadError):
    """No answer, or one that says to come back; ``wait`` is the server's own wish in seconds, 0 when it has none."""

    def __init__(self, detail: str, wait: float = 0.0) -> None:
        super().__init__(detail)
        self.wait = wait


class SignedOut(UploadError):
    """There is no token, or the server does not take it any more."""


class NotNow(UploadError):
    """The server cannot take this recording at the moment; others it may."""


class Refused(UploadError):
    """The server does not want this recording, now or later. ``code`` is the server's, or ``http_STATUS``."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class PartRefused(Refused):
    """A part came damaged, or its address is not good any more: ask for a new plan."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the file and where to send it."""

    number: int
    url: str
    size: int


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What the server wants. Parts follow each other in the order of their numbers."""

    parts: tuple[Part, ...]
    received: frozenset[int]
    receipt: dict[str, Any] | None


class Api(Protocol):
    """What the uploader needs of the store. Each method raises ``UploadError``."""

    def begin(self, manifest: Manifest) -> UploadPlan: ...

    def put_part(self, part: Part, data: bytes, bytes_per_second: int) -> None: ...

    def complete(self, recording_id: str) -> dict[str, Any]: ...

    def close(self) -> None: ...


class UploadApi:
    """Speaks to one server. One thread at a time.

    ``base_url`` is the server's root (``https://host``); ``token`` gives the session's bearer token or None; ``verify``
    is True for the system's certificate authorities or the path of a private one. The token goes to the server itself
    only, never to an object store that the server names for the parts.
    """

    def __init__(self, base_url: str, token: Callable[[], str | None], verify: bool | str | Path = True) -> None:
        self._root = base_url.rstrip("/").removesuffix("/v1") + "/"
        self._token = token
        self._verify = str(verify) if isinstance(verify, Path) else verify
        self._session: requests.Session | None = None

    def begin(self, manifest: Manifest) -> UploadPlan:
        """Announce a recording, or go on with one."""
        path = f"v1/recordings/{quote(manifest.recording_id)}/upload"
        return _plan(self._json("POST", path, json=manifest.to_json()), manifest.size)

    def put_part(self, part: Part, data: bytes, bytes_per_second: int = 0) -> None:
        """Send one part, no faster than ``bytes_per_second`` (0: as fast as it goes)."""
        headers = {"X-Content-SHA256": hashlib.sha256(data).hexdigest(), "Content-Type": "application/octet-stream"}
        body = _Paced(data, bytes_per_second) if bytes_per_second else data
        try:
            self._send("PUT", urljoin(self._root, part.url), headers=headers, data=body)
        except Refused as error:
            raise PartRefused(error.status, error.code) from error

    def complete(self, recording_id: str) -> dict[str, Any]:
        """All parts are there: the receipt, not yet verified."""
        return self._json("POST", f"v1/recordings/{quote(recording_id)}/complete")

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._session is not None:
            self._session.close()

    def _json(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        response = self._send(method, urljoin(self._root, path), **how)
        try:
            body = response.json()
        except (ValueError, RecursionError) as error:
            raise ServerAway("the answer is not JSON") from error
        if not isinstance(body, dict):
            raise ServerAway("the answer is not a JSON object")
        return body

    def _send(self, method: str, url: str, **how: Any) -> requests.Response:
        import requests

        if self._session is None:
            self._session = requests.Session()
        headers = dict(how.pop("headers", {}))
        if _origin(url) == _origin(self._root):
            token = self._token()
            if not token:
                raise SignedOut("there is no token")
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = self._session.request(
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
            raise NotNow("whoever signed in may not upload this")
        if not 200 <= response.status_code < 300:
            _raise(response)
        return response


class _Paced(io.BytesIO):
    """A body that is read no faster than the line may be used."""

    def __init__(self, data: bytes, bytes_per_second: int) -> None:
        super().__init__(data)
        self._rate = bytes_per_second
        self._began = time.monotonic()
        self._size = len(data)

    def __len__(self) -> int:
        return self._size

    def read(self, size: int | None = -1) -> bytes:
        ahead = self.tell() / self._rate - (time.monotonic() - self._began)
        if ahead > 0:
            time.sleep(ahead)
        return super().read(size)


def _raise(response: requests.Response) -> NoReturn:
    status = response.status_code
    if status == 401:
        raise SignedOut("the server does not take the token")
    if status in _NOT_NOW:
        raise NotNow(f"status {status}")
    if status in _LATER or not 400 <= status < 500:
        raise ServerAway(f"status {status}", _retry_after(response.headers))
    code = f"http_{status}"
    with suppress(ValueError, RecursionError):
        body = response.json()
        if isinstance(body, dict) and isinstance(body.get("code"), str):
            code = body["code"][:64]
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
    except (KeyError, TypeError, ValueError) as error:
        raise ServerAway("the answer to an announced upload cannot be understood") from error
    if receipt is None and (len(parts) > MAX_PARTS or sum(part.size for part in parts) != size):
        raise ServerAway("the parts that the server asks for are not the file")
    return UploadPlan(parts, received, receipt)


def _part(item: Any) -> Part:
    number, url, size = item["number"], item["url"], item["size"]
    if type(number) is not int or type(size) is not int or not isinstance(url, str) or not 0 < size <= MAX_PART:
        raise ValueError("a part has the wrong fields")
    return Part(number, url, size)
