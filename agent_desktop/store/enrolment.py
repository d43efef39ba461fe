"""The server's public keys as a seat got them at sign-in: what recording needs when the server is away.

Public, but not for anyone to change: a recording would be sealed to a stranger. The file carries a MAC under a key that
is derived from the seat's own.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from pathlib import Path

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.store.keys import SeatKeys, write_private

FILE = "enrolment.json"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """``store_key``: X25519, to seal recordings to. ``grant_key``: Ed25519, to check monitoring grants with."""

    store_key: bytes
    grant_key: bytes


def is_enrolled(data_dir: Path) -> bool:
    """Somebody has signed in at this seat."""
    return (data_dir / FILE).exists()


def keep_enrolment(data_dir: Path, seat: SeatKeys, enrolment: Enrolment) -> None:
    """Remember the server's keys. Raises ``OSError``."""
    body = {"version": 1, "store_key": _b64(enrolment.store_key), "grant_key": _b64(enrolment.grant_key)}
    text = json.dumps({**body, "mac": _mac(seat, body)}).encode()
    path = data_dir / FILE
    if not path.exists() or path.read_bytes() != text:
        data_dir.mkdir(parents=True, exist_ok=True)
        write_private(path, text)


def read_enrolment(data_dir: Path, seat: SeatKeys) -> Enrolment:
    """The server's keys. Raises ``DeskError`` (``STORE_DAMAGED``) for a file that this seat did not write so."""
    try:
        body = json.loads((data_dir / FILE).read_bytes())
        mac = body.pop("mac")
        good = isinstance(mac, str) and hmac.compare_digest(mac, _mac(seat, body))
        keys = [base64.b64decode(body[name], validate=True) for name in ("store_key", "grant_key")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeskError(Problem.STORE_DAMAGED, "the enrolment cannot be read") from error
    if not good or [len(key) for key in keys] != [32, 32]:
        raise DeskError(Problem.STORE_DAMAGED, "the enrolment was changed by somebody else")
    return Enrolment(*keys)


def _mac(seat: SeatKeys, body: dict[str, object]) -> str:
    key = hmac.digest(seat.signing_seed, b"agent-desktop enrolment v1", "sha256")
    text = json.dumps([seat.seat_id, body["version"], body["store_key"], body["grant_key"]])
    return hmac.digest(key, text.encode(), "sha256").hex()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
