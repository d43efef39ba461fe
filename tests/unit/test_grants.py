from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from nacl.signing import SigningKey

from agent_desktop.grants import GrantVerifier
from telephony.interfaces import GrantRefused

KEY = SigningKey(b"k" * 32)
NOW = 1_800_000_000.0


def _token(key: SigningKey = KEY, **changes: Any) -> str:
    payload = {
        "grant_id": "g1",
        "lead_id": "u9",
        "lead_name": "徐静",
        "seat_id": "seat-1",
        "mode": "listen",
        "not_before": int(NOW),
        "expires": int(NOW) + 30,
        **changes,
    }
    body = json.dumps({k: v for k, v in payload.items() if v is not None}).encode()
    return ".".join(base64.urlsafe_b64encode(x).decode().rstrip("=") for x in (body, key.sign(body).signature))


def _verifier(now: float = NOW) -> GrantVerifier:
    return GrantVerifier(bytes(KEY.verify_key), "seat-1", lambda: now)


def test_a_good_grant_is_good_once() -> None:
    check = _verifier()
    grant = check(_token())
    assert (grant.grant_id, grant.lead_name, grant.mode) == ("g1", "徐静", "listen")
    with pytest.raises(GrantRefused) as refused:
        check(_token())
    assert refused.value.code == "used"


@pytest.mark.parametrize(
    ("token", "now", "code"),
    [
        (_token(SigningKey(b"x" * 32)), NOW, "forged"),
        (_token(seat_id="seat-2"), NOW, "other_seat"),
        (_token(), NOW + 36, "expired"),
        (_token(), NOW - 6, "expired"),
        (_token(grant_id=None), NOW, "malformed"),
        (_token(expires="soon"), NOW, "malformed"),
        ("", NOW, "malformed"),
        ("a.b.c", NOW, "malformed"),
        ("§.§", NOW, "malformed"),
        ("A" * 5000, NOW, "malformed"),
    ],
)
def test_anything_else_is_refused(token: str, now: float, code: str) -> None:
    with pytest.raises(GrantRefused) as refused:
        _verifier(now)(token)
    assert refused.value.code == code


def test_used_ids_are_remembered_past_the_expiry_that_would_refuse_them() -> None:
    now = [NOW]
    check = GrantVerifier(bytes(KEY.verify_key), "seat-1", lambda: now[0])
    check(_token())
    now[0] += 34
    with pytest.raises(GrantRefused) as refused:
        check(_token())
    assert refused.value.code == "used"
