"""The recording policy as a seat's line process gets it: signed, so that no window and no file can change it."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from nacl.signing import SigningKey

from collection_server.canonical import canonical_json
from collection_server.settings import Settings

DOMAIN = b"agent-desktop policy v1\n"
"""Before the signed bytes: the same key signs monitoring grants, and neither may be taken for the other."""


def recording_policy(key: SigningKey, settings: Settings, *, seat_id: str, role: str, now: datetime) -> str:
    """The token for this seat and role: base64url of canonical JSON, a dot, base64url of the Ed25519 signature."""
    payload = canonical_json(
        {"kind": "recording", "version": 1, "seat_id": seat_id, "role": role, "issued_at": int(now.timestamp() * 1000)}
        | _rules(settings, role)
    )
    return f"{_base64url(payload)}.{_base64url(key.sign(DOMAIN + payload).signature)}"


def _rules(settings: Settings, role: str) -> dict[str, Any]:
    """The mode of a line comes before that of the role, that before the seat's."""
    return {
        "mode": settings.recording_roles.get(role, settings.recording_mode),
        "lines": dict(settings.recording_lines),
        "codec": settings.recording_codec,
        "bit_rates": {"8000": settings.opus_bit_rate_narrow, "16000": settings.opus_bit_rate_wide},
        "look_back_seconds": settings.recording_look_back_seconds,
        "pause_reasons": list(settings.recording_pause_reasons),
        "pause_limit_seconds": settings.recording_pause_limit_seconds,
        "pause_code": settings.recording_pause_code,
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
