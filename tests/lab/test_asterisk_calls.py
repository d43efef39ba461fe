"""Two of our lines through a real Asterisk with the settings of resources/pbx: calls, hold, DTMF, what is shown."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from telephony.messages import (
    Answer,
    CallEnded,
    CallState,
    DtmfReceived,
    HangUp,
    LineState,
    Reject,
    RemoveLine,
    SendDtmf,
    SetHold,
)
from tests.lab.asterisk import Asterisk
from tests.lab.certificates import Authority
from tests.lab.phones import PATIENCE_S, Tape, connect, line_config, ring, set_up, sign_in
from tests.lab.seats import BY_USER, Seat
from tests.line.parts import LineProcess, wait_until

pytestmark = [pytest.mark.pbx, pytest.mark.usefixtures("long_call")]

Lines = Callable[..., LineProcess]
FIRST, SECOND = 1000.0, 440.0
PLAIN = (BY_USER["1001"], BY_USER["1002"])
MIXED = (BY_USER["1101"], BY_USER["1001"])
SECURE = (BY_USER["1101"], BY_USER["1102"])
Pair = tuple[LineProcess, LineProcess]


@pytest.fixture
def seats() -> tuple[Seat, Seat]:
    """Who the two lines of ``pair`` are; a test that wants others has a parameter of this name."""
    return PLAIN


@pytest.fixture
def pair(line_process: Lines, asterisk: Asterisk, authority: Authority, seats: tuple[Seat, Seat]) -> Pair:
    """Two lines that are signed in; the first one's microphone hears 1000 Hz, the other's 440 Hz."""
    lines = line_process("first", tone=FIRST), line_process("second", tone=SECOND)
    for line, seat in zip(lines, seats, strict=True):
        sign_in(line, asterisk, seat, authority.file)
    return lines


def test_it_is_the_asterisk_that_the_settings_are_for(asterisk: Asterisk) -> None:
    assert int(asterisk.version.split()[1].split(".")[0]) >= 22
    assert not [line for line in asterisk.complaints() if "users.conf is deprecated" not in line]


@pytest.mark.parametrize("seats", [PLAIN, MIXED, SECURE], ids=["udp", "tls-udp", "tls"])
def test_both_hear_each_other(pair: Pair, seats: tuple[Seat, Seat]) -> None:
    first, second = pair
    calls = connect(first, seats[1].user, second)
    time.sleep(1.5)
    first.client.request(HangUp("", calls[0]))
    assert second.ended(PATIENCE_S).cause == "far_hung_up"
    first.ended(PATIENCE_S)
    both = ((first, calls[0], SECOND, FIRST), (second, calls[1], FIRST, SECOND))
    for (line, call_id, frequency, own), seat in zip(both, seats, strict=True):
        states = [e for e in line.seen if isinstance(e, CallState) and e.state == "active"]
        assert states[-1].encrypted is seat.secure
        record = next(e for e in line.seen if isinstance(e, CallEnded))
        assert record.quality["encrypted"] is seat.secure
        assert record.quality["rx_packets"] > 50
        tape = Tape(line, call_id)
        assert tape.far_share(frequency) > 0.98
        assert tape.far_share(own) < 0.01


def test_a_seat_over_tcp(pair: Pair, line_process: Lines, asterisk: Asterisk) -> None:
    third = line_process("third")
    sign_in(third, asterisk, BY_USER["1005"])
    calls = connect(pair[0], "1005", third)
    third.client.request(HangUp("", calls[1]))
    assert pair[0].ended(PATIENCE_S).cause == "far_hung_up"


def test_a_call_in_shows_who_calls(pair: Pair) -> None:
    first, second = pair
    call_id, ringing = ring(second, "1001", first)
    assert (ringing.number, ringing.dialled) == ("1002", "1001")
    first.client.request(Reject("", ringing.call_id))
    record = second.ended(PATIENCE_S)
    assert (record.call_id, record.cause, record.sip_code) == (call_id, "busy", 486)


def test_hold_is_silence_and_resume_is_sound(pair: Pair) -> None:
    first, second = pair
    calls = connect(first, "1002", second)
    time.sleep(1.2)
    first.client.request(SetHold("", calls[0], True))
    first.wait(CallState, lambda e: e.held, PATIENCE_S)
    second.wait(CallState, lambda e: e.far_held, PATIENCE_S)
    time.sleep(2.0)
    first.client.request(SetHold("", calls[0], False))
    first.wait(CallState, lambda e: not e.held, PATIENCE_S)
    second.wait(CallState, lambda e: not e.far_held, PATIENCE_S)
    time.sleep(1.5)
    second.client.request(HangUp("", calls[1]))
    first.ended(PATIENCE_S)
    tape = Tape(second, calls[1])
    assert tape.far_share(FIRST, 0.4, 1.0) > 0.98
    assert tape.far_share(FIRST, -1.2, -0.2) > 0.98
    quiet = tape.part(1.7, 2.7)
    assert float((quiet**2).mean()) ** 0.5 < 100, "sound came through a call on hold"


@pytest.mark.parametrize("way", ["rfc4733", "info"])
def test_digits(pair: Pair, asterisk: Asterisk, way: str) -> None:
    first, second = pair
    sign_in(first, asterisk, PLAIN[0], dtmf=way)
    calls = connect(first, "1002", second)
    first.client.request(SendDtmf("", calls[0], "12#A"))
    assert [second.wait(DtmfReceived, timeout=PATIENCE_S).digit for _ in range(4)] == list("12#A")
    second.client.request(HangUp("", calls[1]))
    first.ended(PATIENCE_S)


@pytest.mark.parametrize(("number", "cause", "code"), [("1777", "unreachable", 480), ("9123", "not_found", 404)])
def test_numbers_that_do_not_ring(pair: Pair, number: str, cause: str, code: int) -> None:
    first, _ = pair
    first.dial(number)
    record = first.ended(PATIENCE_S)
    assert (record.cause, record.sip_code) == (cause, code)


def test_a_cancelled_call_stops_ringing(pair: Pair) -> None:
    first, second = pair
    call_id, ringing = ring(first, "1002", second)
    first.client.request(HangUp("", call_id))
    assert first.ended(PATIENCE_S).cause == "cancelled"
    record = second.ended(PATIENCE_S)
    assert (record.call_id, record.cause) == (ringing.call_id, "missed")


@pytest.mark.parametrize(
    "seat", [Seat("1001", "not the password"), Seat("1666", "nobody has this number")], ids=["password", "user"]
)
def test_a_seat_that_may_not_sign_in(line_process: Lines, asterisk: Asterisk, seat: Seat) -> None:
    state = set_up(line_process(), line_config(asterisk, seat))
    assert (state.state, state.sip_code, state.problem) == ("failed", 401, "wrong_password")


def test_signing_in_elsewhere_takes_the_extension_along(pair: Pair, line_process: Lines, asterisk: Asterisk) -> None:
    first, second = pair
    third = line_process("third")
    sign_in(third, asterisk, BY_USER["1002"])
    call_id, ringing = ring(first, "1002", third)
    third.client.request(Answer("", ringing.call_id))
    first.state("active", PATIENCE_S)
    first.client.request(HangUp("", call_id))
    third.ended(PATIENCE_S)
    assert not [event for event in second.seen if isinstance(event, CallState)]


def test_the_pbx_sees_a_seat_come_and_go(line_process: Lines, asterisk: Asterisk) -> None:
    line = line_process()
    sign_in(line, asterisk, BY_USER["1003"])
    asterisk.qualify("1003")
    line.client.request(RemoveLine("", "l1"))
    assert line.wait(LineState).state == "removed"
    wait_until(lambda: not asterisk.contacts("1003"), PATIENCE_S)
