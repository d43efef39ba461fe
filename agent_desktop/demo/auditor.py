"""Looks at the server from outside the seats: is the note there, give me the recording."""

from __future__ import annotations

import base64
import json
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

TIMEOUT_S = 15.0


class Auditor:
    """A session of its own with the server, for a lead or QA. Any thread."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self._url = url
        self._token = ""
        body = {
            "login": login,
            "password": password,
            "seat_id": str(uuid.uuid4()),
            "seat_public_key": _b64(bytes(SigningKey.generate().verify_key)),
        }
        session = json.loads(self._ask("POST", "/v1/session", body))
        self._token = str(session["token"])
        self.receipt_key = base64.b64decode(session["keys"]["receipt"])

    def has_note(self, case_id: str, text: str) -> bool:
        """Whether the case holds exactly one note with that text."""
        case: dict[str, Any] = json.loads(self._ask("GET", f"/v1/cases/{case_id}"))
        return [note["text"] for note in case["notes"]].count(text) == 1

    def has_call(self, case_id: str, call_id: str) -> bool:
        """Whether the case holds the record of that call."""
        case: dict[str, Any] = json.loads(self._ask("GET", f"/v1/cases/{case_id}"))
        return call_id in [call["id"] for call in case["calls"]]

    def export(self, recording_id: str, path: Path) -> None:
        """Save a recording as the server gives it out, decrypted."""
        path.write_bytes(self._ask("GET", f"/v1/recordings/{recording_id}/audio?export=1"))

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the demo's own server on loopback
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return bytes(answer.read())


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
