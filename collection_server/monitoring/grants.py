"""Signed permission for one lead to listen to one seat, once, within seconds."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime

from nacl.signing import SigningKey

from collection_server.canonical import canonical_json

LIFE_SECONDS = 30


def make_grant(
    key: SigningKey, *, lead_id: str, lead_name: str, seat_id: str, mode: str, now: datetime
) -> tuple[str, str, int]:
    """The grant's id, the grant itself and when it expires (Unix seconds)."""
    grant_id = str(uuid.uuid4())
    start = int(now.timestamp())
    payload = canonical_json(
        {
            "grant_id": grant_id,
            "lead_id": lead_id,
            "lead_name": lead_name,
            "seat_id": seat_id,
            "mode": mode,
            "not_before": start,
            "expires": start + LIFE_SECONDS,
        }
    )
    signature = key.sign(payload).signature
    return grant_id, f"{_base64url(payload)}.{_base64url(signature)}", start + LIFE_SECONDS


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
