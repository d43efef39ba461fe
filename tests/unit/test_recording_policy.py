"""The recording policy: the server's signed word, and nobody else's."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from agent_desktop.recording_policy import FILE, PolicyKeeper, PolicyRefused, RecordingPolicy, read_policy
from collection_server.monitoring.grants import make_grant
from collection_server.policy.service import DOMAIN, recording_policy
from collection_server.settings import Settings

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEY = SigningKey(b"k" * 32)
GRANT_KEY = bytes(KEY.verify_key)


def token(now: datetime = NOW, *, key: SigningKey = KEY, seat_id: str = "seat", **settings: Any) -> str:
    made = Settings(data=Path("unused"), **settings)
    return recording_policy(key, made, seat_id=seat_id, role="collector", now=now)


def keeper(folder: Path) -> PolicyKeeper:
    return PolicyKeeper(GRANT_KEY, "seat", folder)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PolicyRefused) as refused:
        keeper(folder).take(text)
    return refused.value.code


def altered(text: str, change: dict[str, Any]) -> str:
    """Another content, signed again by the same key."""
    body = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "==")) | change
    payload = json.dumps(body).encode()
    parts = (payload, KEY.sign(DOMAIN + payload).signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_what_the_server_says_is_what_the_line_process_follows(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    assert kept.policy == RecordingPolicy()
    text = token(
        recording_mode="manual",
        recording_roles={"collector": "voice"},
        recording_lines={"court": "automatic"},
        recording_codec="flac",
        opus_bit_rate_wide=64_000,
        recording_look_back_seconds=7,
        recording_pause_reasons=("card_number", "客户隐私"),
        recording_pause_limit_seconds=30,
        recording_pause_code="*77",
    )
    kept.take(text)
    rules = kept.policy.for_line("any")
    assert (rules.mode, kept.policy.for_line("court").mode) == ("voice", "automatic")
    assert (rules.codec, rules.bit_rates, rules.look_back_s) == ("flac", {8000: 37_000, 16000: 64_000}, 7.0)
    assert (rules.pause_reasons, rules.pause_limit_s) == (("card_number", "客户隐私"), 30)
    assert kept.policy.pause_code == "*77"
    assert len(rules.policy_sha256) == 64


def test_it_outlives_the_process_and_goes_back_to_no_older_one(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    kept.take(token(NOW, recording_mode="voice"))
    again = keeper(tmp_path)
    assert again.policy == kept.policy
    assert refusal(tmp_path, token(NOW - timedelta(seconds=1), recording_mode="manual")) == "older"
    assert keeper(tmp_path).policy.rules.mode == "voice"
    again.take(token(NOW + timedelta(seconds=1)))
    assert keeper(tmp_path).policy.rules.mode == "automatic"


def test_nobody_else_can_say_what_is_recorded(tmp_path: Path) -> None:
    good = token(recording_mode="manual")
    payload, signature = good.split(".")
    grant = make_grant(KEY, lead_id="l", lead_name="n", seat_id="seat", mode="listen", now=NOW)[1]
    assert refusal(tmp_path, token(key=SigningKey(b"x" * 32), recording_mode="manual")) == "forged"
    assert refusal(tmp_path, token(seat_id="other", recording_mode="manual")) == "other_seat"
    assert refusal(tmp_path, payload[:-4] + "AAAA." + signature) == "forged"
    assert refusal(tmp_path, grant) == "forged"
    for nonsense in ("", ".", "a.b.c", "é.é", "x" * 20_000, payload):
        assert refusal(tmp_path, nonsense) in ("malformed", "forged")
    assert keeper(tmp_path).policy == RecordingPolicy()


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "off"},
        {"codec": "mp3"},
        {"lines": {"court": "never"}},
        {"lines": []},
        {"bit_rates": {"8000": "many"}},
        {"kind": "grant"},
        {"version": 2},
        {"pause_reasons": None},
    ],
)
def test_what_is_signed_but_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(PolicyRefused, match="malformed"):
        read_policy(KEY.verify_key, "seat", altered(token(), change))


@pytest.mark.logs_errors
@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"a.b", b"forged"])
def test_a_kept_policy_that_was_tampered_with_means_that_all_is_recorded(tmp_path: Path, damage: bytes) -> None:
    keeper(tmp_path).take(token(recording_mode="manual"))
    file = tmp_path / FILE
    file.write_bytes(damage if damage != b"forged" else token(key=SigningKey(b"x" * 32)).encode())
    assert keeper(tmp_path).policy == RecordingPolicy()


@pytest.mark.logs_errors
def test_a_full_disk_does_not_keep_the_policy_from_holding_now(tmp_path: Path) -> None:
    kept = keeper(tmp_path / "missing")
    kept.take(token(recording_mode="voice"))
    assert kept.policy.rules.mode == "voice"
