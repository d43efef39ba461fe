"""What keeps a call and a registration alive: session timers (RFC 4028) and OPTIONS, between our lines and Asterisk."""

from __future__ import annotations

import re

import pytest

from telephony.messages import CallState, GetSnapshot, HangUp
from tests.lab.asterisk import Asterisk
from tests.lab.phones import PATIENCE_S, LongCall, Tape
from tests.line.parts import LineProcess

pytestmark = pytest.mark.pbx


def test_a_long_call_is_refreshed_and_its_seats_are_asked_after(long_call: LongCall, asterisk: Asterisk) -> None:
    """Waits up to 48 s, less what the tests before it took."""
    long_call.wait_for_upkeep()
    for line in long_call.lines:
        assert [call["state"] for call in line.client.request(GetSnapshot(""))["calls"]] == ["active"]
    first, second = long_call.lines
    first.client.request(HangUp("", long_call.calls[0]))
    for line, call_id, frequency in ((first, long_call.calls[0], 440.0), (second, long_call.calls[1], 1000.0)):
        assert line.ended(PATIENCE_S).talk_ms > 1000 * LongCall.timer_s / 2
        assert Tape(line, call_id).far_share(frequency, -5.0) > 0.98
        assert [s.encrypted for s in _active(line)][-1] is (line is second)
    log = asterisk.log()
    for user in ("1004", "1103"):
        assert _refreshes(log, user) >= 1, user
        assert _answered_options(log, user) >= 1, user


def _active(line: LineProcess) -> list[CallState]:
    return [event for event in line.seen if isinstance(event, CallState) and event.state == "active"]


def _messages(log: str) -> list[str]:
    """The SIP messages in Asterisk's log."""
    return re.split(r"<--- (?=Received|Transmitting)", log)[1:]


def _refreshes(log: str, user: str) -> int:
    """Requests within this user's dialogs that carry the session timer."""
    wanted = re.compile(r"^(UPDATE|INVITE) sip:", re.MULTILINE)
    return sum(
        1
        for message in _messages(log)
        if wanted.search(message)
        and f"sip:{user}@" in message
        and re.search(r"^To:.*;tag=", message, re.MULTILINE | re.IGNORECASE)
        and re.search(rf"^Session-Expires: *{LongCall.timer_s}\b", message, re.MULTILINE | re.IGNORECASE)
    )


def _answered_options(log: str, user: str) -> int:
    """200 responses that came to OPTIONS that were sent there."""
    return sum(
        1
        for message in _messages(log)
        if message.startswith("Received")
        and re.search(r"^SIP/2\.0 200", message, re.MULTILINE)
        and re.search(r"^CSeq: *\d+ OPTIONS", message, re.MULTILINE)
        and f"<sip:{user}@" in message
    )
