"""Checks monitoring grants in the line process: signature, seat, time, and that each is used once."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from telephony.interfaces import Grant, GrantRefused

MAX_TOKEN = 4096
CLOCK_SKEW_S = 5
"""How far the server's clock and the seat's may be apart before grants are refused."""


class GrantVerifier:
    """A ``telephony.interfaces.GrantCheck`` for one seat. Engine thread only.

    ``clock`` gives Unix seconds. Used grant ids are kept until they would have expired anyway.
    """

    def __init__(self, grant_key: bytes, seat_id: str, clock: Callable[[], float] = time.time) -> None:
        self._key = VerifyKey(grant_key)
        self._seat_id = seat_id
        self._clock = clock
        self._used: dict[str, float] = {}

    def __call__(self, token: str) -> Grant:
        payload = self._verified_payload(token)
        now = self._clock()
        try:
            grant = Grant(str(payload["grant_id"]), str(payload["lead_name"]), str(payload["mode"]))
            seat_id, not_before, expires = (
                payload["seat_id"],
                float(payload["not_before"]),
                float(payload["expires"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise GrantRefused("malformed") from error
        if seat_id != self._seat_id:
            raise GrantRefused("other_seat")
        if not not_before - CLOCK_SKEW_S <= now <= expires + CLOCK_SKEW_S:
            raise GrantRefused("expired")
        self._used = {used: until for used, until in self._used.items() if until >= now}
        if grant.grant_id in self._used:
            raise GrantRefused("used")
        self._used[grant.grant_id] = expires + CLOCK_SKEW_S
        return grant

    def _verified_payload(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise GrantRefused("malformed")
        try:
            payload, signature = (_unbase64(part) for part in token.split("."))
            self._key.verify(payload, signature)
            body = json.loads(payload)
        except BadSignatureError as error:
            raise GrantRefused("forged") from error
        except (ValueError, binascii.Error) as error:
            raise GrantRefused("malformed") from error
        if not isinstance(body, dict):
            raise GrantRefused("malformed")
        return body


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
