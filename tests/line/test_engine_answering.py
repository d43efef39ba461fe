"""Do-not-disturb and auto-answer; digits by SIP INFO; who sent a caller here."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from telephony.errors import LineError
from telephony.messages import (
    Answer,
    AnsweringState,
    CallEnded,
    CallIncoming,
    DtmfReceived,
    HangUp,
    SendDtmf,
    SetAnswering,
)
from tests.line.far_end import FarEnd
from tests.line.parts import FarPhone, LineProcess, Sipp, free_port

Start = Callable[..., Sipp]


def test_do_not_disturb_refuses_and_records(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    line.client.request(SetAnswering("", do_not_disturb=True))
    assert line.wait(AnsweringState) == AnsweringState(do_not_disturb=True)
    far = sipp(FarEnd(calls=True).invites().refused(480).text(), line.port)
    record = line.ended()
    assert (record.cause, record.sip_code, record.number, record.direction) == ("missed", 480, "13911112222", "inbound")
    far.finished()
    assert not [e for e in line.seen if isinstance(e, CallIncoming)]
    line.client.request(SetAnswering(""))
    again = sipp("call_in_cancelled", line.port, caller="13911112222", caller_name="x")
    line.wait(CallIncoming)
    line.ended()
    again.finished()


def test_auto_answer_after_its_time(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    with pytest.raises(LineError) as wrong:
        line.client.request(SetAnswering("", False, True, -1))
    assert wrong.value.code == "bad_message"
    line.client.request(SetAnswering("", False, True, 700))
    far = sipp("call_in", line.port, caller="1", caller_name="x")
    ringing = line.wait(CallIncoming)
    active = line.state("active")
    assert active.auto_answered
    assert active.at_ns - ringing.invited_ns > 690_000_000
    waiting = sipp("call_in_cancelled", line.port, caller="2", caller_name="x")
    second = line.wait(CallIncoming)
    assert line.ended().call_id == second.call_id  # a call that waits is left to the agent
    waiting.finished()
    line.client.request(HangUp("", ringing.call_id))
    line.ended()
    far.finished()


def test_the_agent_may_answer_before_auto_answer_does(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    line.client.request(SetAnswering("", False, True, 5000))
    far = sipp("call_in", line.port, caller="1", caller_name="x")
    line.client.request(Answer("", line.wait(CallIncoming).call_id))
    active = line.state("active")
    assert not active.auto_answered
    line.client.request(HangUp("", active.call_id))
    line.ended()
    far.finished()


def test_who_sent_the_caller(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    headers = ('Referred-By: "Colleague" <sip:1005@127.0.0.1>;tag=x',)
    far = FarEnd(calls=True).invites(headers).refused(486)
    peer = sipp(far.text(), line.port)
    ringing = line.wait(CallIncoming)
    assert ringing.transferred_by == "1005"
    line.client.request(HangUp("", ringing.call_id))
    assert line.ended().cause == "rejected"
    peer.finished()


def test_digits_by_sip_info_one_after_the_other(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers()
    for digit in "12#":
        far.recv("INFO", (("Content-Type", "application/dtmf-relay"), ("body", f"Signal= *{digit}"))).pause(100).ok()
    peer = sipp(far.until_bye().text())
    line.add_line(peer.port, dtmf="info")
    call_id = line.dial()
    line.state("active")
    time.sleep(0.2)
    line.client.request(SendDtmf("", call_id, "12#"))
    time.sleep(1.5)
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    peer.finished()


def test_a_far_end_that_refuses_sip_info_gets_no_more(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().recv("INFO").reply(415, "Unsupported Media Type", tag="").until_bye()
    peer = sipp(far.text())
    line.add_line(peer.port, dtmf="info")
    call_id = line.dial()
    line.state("active")
    time.sleep(0.2)
    line.client.request(SendDtmf("", call_id, "123"))
    time.sleep(1.2)
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    peer.finished()


def test_digits_received_by_sip_info_are_told_once(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().pause(300)
    for digit in "559":
        far.sends("INFO", f"Signal={digit}\nDuration=160", kind="application/dtmf-relay").expect(200).pause(100)
    peer = sipp(far.until_bye().text())
    line.add_line(peer.port)
    call_id = line.dial()
    assert [line.wait(DtmfReceived).digit for _ in range(3)] == ["5", "5", "9"]
    time.sleep(0.3)
    line.client.request(HangUp("", call_id))
    line.wait(CallEnded)
    assert len([e for e in line.seen if isinstance(e, DtmfReceived)]) == 3
    peer.finished()


def test_a_digit_that_comes_both_ways_is_told_once(line: LineProcess, far_phone: Callable[..., FarPhone]) -> None:
    phone = far_phone(440.0)
    line.add_line(phone.port)
    call_id = line.dial("phone")
    line.state("active")
    time.sleep(0.4)
    for digit in "7#7":
        phone.order(f"press {digit}")
        time.sleep(0.7)
    line.client.request(HangUp("", call_id))
    line.wait(CallEnded)
    assert [e.digit for e in line.seen if isinstance(e, DtmfReceived)] == ["7", "#", "7"]


def test_do_not_disturb_leaves_a_call_that_is_up_alone(line: LineProcess, sipp: Start) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    line.client.request(SetAnswering("", do_not_disturb=True))
    missed = sipp(FarEnd(calls=True).invites().refused(480).text(), line.port)
    assert line.ended().sip_code == 480
    missed.finished()
    line.client.request(HangUp("", call_id))
    assert line.wait(CallEnded, lambda e: e.call_id == call_id).cause == "hung_up"
    far.finished()
