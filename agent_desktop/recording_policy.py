"""The recording policy in the line process: the server's signed word, checked here and kept; no other is followed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from recorder.files import write_durably
from recorder.rules import CODECS, DEFAULT_BIT_RATES, MODES, RecordingRules

log = logging.getLogger(__name__)

DOMAIN = b"agent-desktop policy v1\n"
MAX_TOKEN = 16_384
FILE = "policy.token"


class PolicyRefused(Exception):
    """``code``: ``malformed``, ``forged``, ``other_seat`` or ``older`` than the one that holds."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """What the server says; the default records every call whole."""

    rules: RecordingRules = field(default_factory=RecordingRules)
    lines: dict[str, str] = field(default_factory=dict)
    """Mode by line, before that of the rules."""
    pause_code: str = ""
    """Keys that pause and resume instead of going to the far end."""
    issued_at: int = 0
    """Milliseconds since 1970 by the server's clock."""

    def for_line(self, line_id: str) -> RecordingRules:
        """The rules of a call on this line."""
        mode = self.lines.get(line_id, self.rules.mode)
        values = {name: getattr(self.rules, name) for name in self.rules.__slots__}
        return RecordingRules(**{**values, "mode": mode})


class PolicyKeeper:
    """The policy that holds: the newest that this seat's server has signed, over restarts. Any thread.

    Without one, or when the kept one was tampered with, every call is recorded whole: who hides the policy gains
    nothing by it.
    """

    def __init__(self, grant_key: bytes, seat_id: str, folder: Path) -> None:
        self._key = VerifyKey(grant_key)
        self._seat_id = seat_id
        self._file = folder / FILE
        self._policy = self._kept()

    @property
    def policy(self) -> RecordingPolicy:
        return self._policy

    def take(self, token: str) -> None:
        """Follow this one from the next call on. Raises ``PolicyRefused``, and the one before holds."""
        policy = read_policy(self._key, self._seat_id, token)
        if policy.issued_at < self._policy.issued_at:
            raise PolicyRefused("older")
        self._policy = policy
        try:
            write_durably(self._file, token.encode("ascii"))
        except OSError as error:
            log.error("the recording policy cannot be kept on the disk: %s", error.strerror)

    def _kept(self) -> RecordingPolicy:
        try:
            return read_policy(self._key, self._seat_id, self._file.read_text("ascii"))
        except FileNotFoundError:
            return RecordingPolicy()
        except (OSError, ValueError, PolicyRefused) as error:
            code = error.code if isinstance(error, PolicyRefused) else "unreadable"
            log.error("the kept recording policy is %s: every call is recorded whole", code)
            return RecordingPolicy()


def read_policy(key: VerifyKey, seat_id: str, token: str) -> RecordingPolicy:
    """The policy in a token. Raises ``PolicyRefused``."""
    body = _verified(key, token)
    if body.get("kind") != "recording" or body.get("version") != 1:
        raise PolicyRefused("malformed")
    if body.get("seat_id") != seat_id:
        raise PolicyRefused("other_seat")
    try:
        return _policy(body, hashlib.sha256(token.encode("ascii")).hexdigest())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyRefused("malformed") from error


def _policy(body: dict[str, Any], sha256: str) -> RecordingPolicy:
    lines = {str(line_id): _one_of(mode, MODES) for line_id, mode in body["lines"].items()}
    rates = {int(rate): int(bits) for rate, bits in body["bit_rates"].items()}
    rules = RecordingRules(
        mode=_one_of(body["mode"], MODES),
        codec=_one_of(body["codec"], CODECS),
        bit_rates={**DEFAULT_BIT_RATES, **rates},
        look_back_s=float(body["look_back_seconds"]),
        pause_reasons=tuple(str(reason) for reason in body["pause_reasons"]),
        pause_limit_s=int(body["pause_limit_seconds"]),
        policy_sha256=sha256,
    )
    return RecordingPolicy(rules, lines, str(body["pause_code"]), int(body["issued_at"]))


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError("not a value of the policy")
    return str(value)


def _verified(key: VerifyKey, token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN:
        raise PolicyRefused("malformed")
    try:
        payload, signature = (_unbase64(part) for part in token.split("."))
        key.verify(DOMAIN + payload, signature)
        body = json.loads(payload)
    except BadSignatureError as error:
        raise PolicyRefused("forged") from error
    except (ValueError, binascii.Error) as error:
        raise PolicyRefused("malformed") from error
    if not isinstance(body, dict):
        raise PolicyRefused("malformed")
    return body


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
