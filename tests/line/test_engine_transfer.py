"""Transfers: blind and attended, done, refused and silent; and far ends that want to transfer us."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable

import pytest

from telephony.errors import LineError
from telephony.messages import (
    AddLine,
    CallEnded,
    CallState,
    Dial,
    GetSnapshot,
    HangUp,
    LineConfig,
    SetHold,
    Transfer,
    TransferState,
    TransferToCall,
)
from tests.line.far_end import FarEnd
from tests.line.parts import FarPhone, LineProcess, Sipp
from tests.line.three import AGENT, FIRST, SECOND, Ears, Span, tones_in

Start = Callable[..., Sipp]
Phones = Callable[..., FarPhone]


def begin(line: LineProcess, far: Sipp) -> str:
    """A call up with this far end, transferred to 1002."""
    line.add_line(far.port)
    call_id = line.dial("13812345678")
    line.wait(CallState, lambda e: e.state == "active" and e.codec != "")
    time.sleep(0.2)
    line.client.request(Transfer("", call_id, "1002", "91002"))
    return call_id


def states(line: LineProcess) -> list[str]:
    return [e.state for e in line.seen if isinstance(e, TransferState)]


def marks(line: LineProcess, call_id: str) -> list[str]:
    return [kind for _, kind, _ in json.loads((line.folder / f"{call_id}.json").read_text())["events"]]


def test_blind_transfer_with_progress(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().held().recv("REFER", (("Refer-To", "sip:91002@127.0.0.1"), ("Referred-By", "sip:agent@")))
    far.reply(202, "Accepted", tag="").notifies("100 Trying").notifies("180 Ringing").pause(200)
    far.notifies("200 OK", last=True).until_bye()
    peer = sipp(far.text())
    call_id = begin(line, peer)
    with pytest.raises(LineError) as twice:
        line.client.request(Transfer("", call_id, "1003"))
    assert twice.value.code == "wrong_state"
    done = line.wait(TransferState, lambda e: e.state == "done")
    assert (done.call_id, done.target, done.sip_code) == (call_id, "1002", 200)
    record = line.ended()
    assert (record.cause, record.number) == ("transferred", "13812345678")
    assert states(line) == ["trying", "ringing", "done"]
    assert [k for k in marks(line, call_id) if k.startswith("transfer")] == ["transfer_started", "transfer_done"]
    peer.finished()


def test_a_transfer_that_fails_resumes_the_call(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().held().recv("REFER").reply(202, "Accepted", tag="").notifies("100 Trying")
    far.notifies("486 Busy Here", last=True).resumed().until_bye()
    peer = sipp(far.text())
    call_id = begin(line, peer)
    failed = line.wait(TransferState, lambda e: e.state == "failed")
    assert (failed.call_id, failed.sip_code, failed.reason) == (call_id, 486, "Busy Here")
    line.wait(CallState, lambda e: not e.held)
    time.sleep(0.4)
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    peer.finished()


@pytest.mark.parametrize("status", ["603 Decline", "405 Method Not Allowed"])
def test_a_refer_that_is_refused(line: LineProcess, sipp: Start, status: str) -> None:
    code, reason = status.split(" ", 1)
    far = FarEnd().answers().held().recv("REFER").reply(int(code), reason, tag="").resumed().until_bye()
    peer = sipp(far.text())
    call_id = begin(line, peer)
    failed = line.wait(TransferState)
    assert (failed.state, failed.sip_code) == ("failed", int(code))
    line.wait(CallState, lambda e: not e.held)
    time.sleep(0.4)
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    assert states(line) == ["failed"]
    peer.finished()


def test_a_call_that_was_held_stays_held_when_its_transfer_fails(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().held().recv("REFER").reply(603, "Decline", tag="").until_bye()
    peer = sipp(far.text())
    line.add_line(peer.port)
    call_id = line.dial()
    line.state("active")
    time.sleep(0.2)
    line.client.request(SetHold("", call_id, True))
    time.sleep(0.3)
    line.client.request(Transfer("", call_id, "1002"))
    assert line.wait(TransferState).state == "failed"
    time.sleep(0.5)
    assert line.client.request(GetSnapshot(""))["calls"][0]["held"]
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    peer.finished()


def test_the_far_end_hangs_up_before_it_says_how_it_went(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().held().recv("REFER").reply(202, "Accepted", tag="").notifies("100 Trying")
    far.sends("BYE").expect(200)
    peer = sipp(far.text())
    begin(line, peer)
    assert line.wait(TransferState, lambda e: e.state == "failed").sip_code == 0
    assert line.ended().cause == "far_hung_up"
    peer.finished()


def test_the_agent_hangs_up_during_a_transfer(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().held().recv("REFER").reply(202, "Accepted", tag="").notifies("180 Ringing").until_bye()
    peer = sipp(far.text())
    call_id = begin(line, peer)
    line.wait(TransferState, lambda e: e.state == "ringing")
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    assert states(line)[-1] == "failed"
    peer.finished()


def test_what_cannot_be_transferred(line: LineProcess, sipp: Start) -> None:
    far = sipp("ring")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("ringing")
    for command, code in (
        (Transfer("", call_id, "1002"), "wrong_state"),
        (Transfer("", "nothing", "1002"), "no_such_call"),
    ):
        with pytest.raises(LineError) as refused:
            line.client.request(command)
        assert refused.value.code == code
    line.client.request(HangUp("", call_id))
    line.ended()
    far.finished()
    answering = sipp("answer")
    line.add_line(answering.port)
    up = line.dial()
    line.state("active")
    for number in ("", "1 2", "1@evil.example", "1\r\nX: 1"):
        with pytest.raises(LineError) as wrong:
            line.client.request(Transfer("", up, number))
        assert wrong.value.code == "bad_number"
    line.client.request(HangUp("", up))
    line.ended()
    answering.finished()


class Desk:
    """The agent between two phones: ``l1`` calls the first, ``l2`` the second."""

    def __init__(self, line: LineProcess, phones: Phones) -> None:
        self.line, self.phones = line, (phones(FIRST), phones(SECOND))
        self.calls: list[str] = []
        for number, phone in enumerate(self.phones, 1):
            config = LineConfig(f"l{number}", "Agent", f"agent{number}", f"127.0.0.1:{phone.port}")
            line.client.request(AddLine("", config))

    def reach(self, number: int) -> str:
        call_id = str(uuid.uuid4())
        self.line.client.request(Dial("", call_id, f"l{number}", "phone"))
        self.line.wait(CallState, lambda e: e.call_id == call_id and e.state == "active" and e.codec != "")
        self.phones[number - 1].state("CONFIRMED")
        return call_id


def test_attended_transfer_connects_the_two(line: LineProcess, far_phone: Phones) -> None:
    desk = Desk(line, far_phone)
    first, second = desk.reach(1), desk.reach(2)
    time.sleep(0.3)
    line.client.request(TransferToCall("", first, second))
    done = line.wait(TransferState, lambda e: e.state == "done")
    assert (done.call_id, done.target) == (first, "phone")
    causes = {record.call_id: record.cause for record in (line.ended(), line.ended())}
    assert causes == {first: "transferred", second: "transferred"}
    desk.phones[1].wait(lambda told: "replaced" in told)
    time.sleep(1.5)
    for phone, wanted in zip(desk.phones, (SECOND, FIRST), strict=True):
        phone.order("hang_up")
        assert tones_in(*phone.heard_last(0.8)) == {wanted}
    assert line.client.request(GetSnapshot(""))["calls"] == []


def test_an_attended_transfer_that_nobody_takes_leaves_both_calls(line: LineProcess, sipp: Start) -> None:
    far = FarEnd().answers().held().recv("REFER", (("Refer-To", "Replaces=.*to-tag.*Require=replaces"),))
    far.reply(202, "Accepted", tag="").notifies("100 Trying").notifies("481 Call Does Not Exist", last=True).until_bye()
    first_far, second_far = sipp(far.text()), sipp("answer")
    line.add_line(first_far.port)
    line.client.request(AddLine("", LineConfig("l2", "Agent", "agent2", f"127.0.0.1:{second_far.port}")))
    first = line.dial("1001")
    line.state("active")
    time.sleep(0.2)
    second = str(uuid.uuid4())
    line.client.request(Dial("", second, "l2", "1002"))
    line.wait(CallState, lambda e: e.call_id == second and e.state == "active")
    with pytest.raises(LineError) as itself:
        line.client.request(TransferToCall("", first, first))
    assert itself.value.code == "wrong_state"
    line.client.request(TransferToCall("", first, second))
    assert line.wait(TransferState, lambda e: e.state == "failed").sip_code == 481
    calls = {c["call_id"]: c["held"] for c in line.client.request(GetSnapshot(""))["calls"]}
    assert calls == {first: True, second: False}  # the second still has the headset
    for call_id in (second, first):
        line.client.request(HangUp("", call_id))
        assert line.wait(CallEnded, lambda e, ended=call_id: e.call_id == ended).cause == "hung_up"
    first_far.finished()
    second_far.finished()


def test_a_colleague_connects_a_caller_with_us(line: LineProcess, far_phone: Phones) -> None:
    """INVITE with Replaces from a configured peer: the call goes on with another far end, on one tape."""
    colleague, caller = far_phone(FIRST), far_phone(SECOND)
    line.add_line(colleague.port)
    call_id = line.dial("1002")
    line.wait(CallState, lambda e: e.state == "active" and e.codec != "")
    dialog = colleague.wait(lambda told: "dialog" in told)["dialog"]
    before = Span(0.9)
    wrong = f"{dialog['Call-ID']};to-tag=nothing;from-tag={dialog['To']}"
    caller.order(f"replace sip:agent@127.0.0.1:{line.port} {wrong}")
    assert caller.state("DISCONNECTED")["code"] == 481
    right = f"{dialog['Call-ID']};to-tag={dialog['From']};from-tag={dialog['To']}"
    caller.order(f"replace sip:agent@127.0.0.1:{line.port} {right}")
    caller.state("CONFIRMED")
    assert colleague.state("DISCONNECTED")["code"] == 200
    line.wait(CallState, lambda e: e.call_id == call_id and e.number == "phone")
    after = Span(1.2)
    assert [c["state"] for c in line.client.request(GetSnapshot(""))["calls"]] == ["active"]
    caller.order("hang_up")
    record = line.ended()
    assert (record.call_id, record.cause, record.number) == (call_id, "far_hung_up", "phone")
    assert record.talk_ms > 1800
    ears = Ears(line, call_id)
    assert ears.between(before.start, before.end) == {FIRST}
    assert ears.between(after.start, after.end) == {SECOND}
    assert ears.between(after.start, after.end, "agent") == {AGENT}
    assert "far_end_replaced" in [kind for _, kind, _ in ears.facts["events"]]
    assert AGENT in tones_in(*caller.heard_last(0.8))


def test_a_held_call_that_gets_another_far_end_stays_held(line: LineProcess, far_phone: Phones) -> None:
    colleague, caller = far_phone(FIRST), far_phone(SECOND)
    line.add_line(colleague.port)
    call_id = line.dial("1002")
    line.wait(CallState, lambda e: e.state == "active" and e.codec != "")
    dialog = colleague.wait(lambda told: "dialog" in told)["dialog"]
    line.client.request(SetHold("", call_id, True))
    time.sleep(0.3)
    right = f"{dialog['Call-ID']};to-tag={dialog['From']};from-tag={dialog['To']}"
    caller.order(f"replace sip:agent@127.0.0.1:{line.port} {right}")
    caller.state("CONFIRMED")
    span = Span(1.2, settle=0.7)
    assert line.client.request(GetSnapshot(""))["calls"][0]["held"]
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    ears = Ears(line, call_id)
    assert ears.between(span.start, span.end) == ears.between(span.start, span.end, "agent") == set()
    assert not (abs(caller.heard_last(9)[0]) > 300).any()


def test_the_other_far_end_hangs_up_while_the_transfer_is_open(line: LineProcess, sipp: Start) -> None:
    """Its end is recorded once, when it is known whether the transfer was why."""
    far = FarEnd().answers().held().recv("REFER").reply(202, "Accepted", tag="").notifies("100 Trying").pause(800)
    first_far = sipp(far.notifies("603 Decline", last=True).until_bye().text())
    second_far = sipp(FarEnd().answers().pause(900).sends("BYE").expect(200).text())
    line.add_line(first_far.port)
    line.client.request(AddLine("", LineConfig("l2", "Agent", "agent2", f"127.0.0.1:{second_far.port}")))
    first = line.dial("1001")
    line.state("active")
    second = str(uuid.uuid4())
    line.client.request(Dial("", second, "l2", "1002"))
    line.wait(CallState, lambda e: e.call_id == second and e.state == "active")
    time.sleep(0.5)
    line.client.request(TransferToCall("", first, second))
    record = line.ended()
    assert (record.call_id, record.cause) == (second, "far_hung_up")
    assert states(line)[-1] == "failed"
    line.client.request(HangUp("", first))
    assert line.ended().cause == "hung_up"
    assert len([e for e in line.seen if isinstance(e, CallEnded)]) == 2
    first_far.finished()
    second_far.finished()


def test_a_stranger_may_not_take_a_call_over(line: LineProcess, far_phone: Phones) -> None:
    phone, stranger = far_phone(FIRST), far_phone(SECOND, host="127.0.0.2")
    line.add_line(phone.port)
    call_id = line.dial("1002")
    line.wait(CallState, lambda e: e.state == "active" and e.codec != "")
    dialog = phone.wait(lambda told: "dialog" in told)["dialog"]
    right = f"{dialog['Call-ID']};to-tag={dialog['From']};from-tag={dialog['To']}"
    stranger.order(f"replace sip:agent@127.0.0.1:{line.port} {right}")
    assert stranger.state("DISCONNECTED")["code"] in (403, 603)
    assert [c["call_id"] for c in line.client.request(GetSnapshot(""))["calls"]] == [call_id]
    line.client.request(HangUp("", call_id))
    assert line.ended().cause == "hung_up"
    assert "far_end_replaced" not in marks(line, call_id)
