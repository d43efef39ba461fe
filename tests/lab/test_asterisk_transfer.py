"""Transfers and call waiting through a real Asterisk: an agent between a debtor and a third seat, each with a tone."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from telephony.messages import (
    AddLine,
    Answer,
    CallEnded,
    CallIncoming,
    CallState,
    HangUp,
    LineConfig,
    Reject,
    SetConference,
    SwitchTo,
    Transfer,
    TransferState,
    TransferToCall,
)
from tests.lab.asterisk import Asterisk
from tests.lab.certificates import Authority
from tests.lab.phones import PATIENCE_S, Tape, sign_in
from tests.lab.seats import BY_USER, CARRIER_HOST, HOST
from tests.line.parts import LineProcess
from tests.line.three import AGENT, FIRST, SECOND, Ears, Span

pytestmark = pytest.mark.pbx

Lines = Callable[..., LineProcess]
MOBILE = "13800138000"


class Desk:
    """An agent, a debtor on the public network and a colleague."""

    def __init__(self, lines: Lines, asterisk: Asterisk, authority: Authority, users: tuple[str, str]) -> None:
        self.agent = lines("agent", tone=AGENT)
        self.debtor = lines("debtor", tone=FIRST, local_host=CARRIER_HOST, local_port=asterisk.carrier_port)
        self.colleague = lines("colleague", tone=SECOND)
        self.debtor.client.request(AddLine("", LineConfig("l1", "", MOBILE, f"{HOST}:{asterisk.port}")))
        asterisk.qualify("carrier")
        for line, user in zip((self.agent, self.colleague), users, strict=True):
            sign_in(line, asterisk, BY_USER[user], authority.file)

    def call(self, number: str, callee: LineProcess) -> tuple[str, str]:
        """The agent calls; the call's id at the agent's and at the callee's."""
        call_id = self.agent.dial(number)
        theirs = self.answer(callee).call_id
        self.agent.wait(CallState, lambda e: e.call_id == call_id and e.state == "active", PATIENCE_S)
        return call_id, theirs

    def answer(self, line: LineProcess) -> CallIncoming:
        """Answer what rings there."""
        ringing = line.wait(CallIncoming, timeout=PATIENCE_S)
        line.client.request(Answer("", ringing.call_id))
        line.wait(CallState, lambda e: e.call_id == ringing.call_id and e.state == "active", PATIENCE_S)
        return ringing

    def ended(self, line: LineProcess, call_id: str) -> CallEnded:
        """The record of a call, which may have come already."""
        for event in line.seen:
            if isinstance(event, CallEnded) and event.call_id == call_id:
                return event
        return line.wait(CallEnded, lambda e: e.call_id == call_id, PATIENCE_S)


@pytest.fixture
def users() -> tuple[str, str]:
    """Extensions of the agent and the colleague; a test that wants others has a parameter of this name."""
    return "1001", "1002"


@pytest.fixture
def desk(line_process: Lines, asterisk: Asterisk, authority: Authority, users: tuple[str, str]) -> Desk:
    return Desk(line_process, asterisk, authority, users)


def _heard(line: LineProcess, call_id: str, span: Span) -> set[float]:
    return Ears(line, call_id).between(span.start, span.end)


def test_blind_transfer_to_a_seat(desk: Desk) -> None:
    call_id, theirs = desk.call(MOBILE, desk.debtor)
    desk.agent.client.request(Transfer("", call_id, "1002"))
    arrived = desk.answer(desk.colleague)
    assert (arrived.number, arrived.dialled, arrived.transferred_by) == (MOBILE, "1002", "1001")
    assert desk.agent.wait(TransferState, lambda e: e.state in ("done", "failed"), PATIENCE_S).state == "done"
    assert desk.ended(desk.agent, call_id).cause == "transferred"
    talk = Span(1.5)
    desk.debtor.client.request(HangUp("", theirs))
    assert desk.ended(desk.colleague, arrived.call_id).cause == "far_hung_up"
    desk.ended(desk.debtor, theirs)
    assert _heard(desk.debtor, theirs, talk) == {SECOND}
    assert _heard(desk.colleague, arrived.call_id, talk) == {FIRST}


def test_blind_transfer_to_the_pbxs_own_tone(desk: Desk) -> None:
    call_id, theirs = desk.call(MOBILE, desk.debtor)
    desk.agent.client.request(Transfer("", call_id, "*44"))
    assert desk.ended(desk.agent, call_id).cause == "transferred"
    time.sleep(1.5)
    desk.debtor.client.request(HangUp("", theirs))
    desk.ended(desk.debtor, theirs)
    assert Tape(desk.debtor, theirs).far_share(1004.0, -1.0, -0.1) > 0.9


def test_blind_transfer_to_nowhere_keeps_the_debtor(desk: Desk) -> None:
    call_id, theirs = desk.call(MOBILE, desk.debtor)
    desk.agent.client.request(Transfer("", call_id, "9123"))
    failed = desk.agent.wait(TransferState, lambda e: e.state in ("done", "failed"), PATIENCE_S)
    assert (failed.state, failed.sip_code) == ("failed", 404)
    desk.agent.wait(CallState, lambda e: not e.held, PATIENCE_S)
    talk = Span(1.5)
    desk.agent.client.request(HangUp("", call_id))
    desk.ended(desk.debtor, theirs)
    assert _heard(desk.debtor, theirs, talk) == {AGENT}


@pytest.mark.parametrize("refuses", [False, True], ids=["away", "busy"])
def test_blind_transfer_to_who_does_not_answer_comes_back(desk: Desk, refuses: bool) -> None:
    call_id, theirs = desk.call(MOBILE, desk.debtor)
    desk.agent.client.request(Transfer("", call_id, "1002" if refuses else "1777"))
    if refuses:
        desk.colleague.client.request(Reject("", desk.colleague.wait(CallIncoming, timeout=PATIENCE_S).call_id))
    back = desk.answer(desk.agent)
    desk.ended(desk.agent, call_id)
    assert (back.number, back.dialled, back.transferred_by) == (MOBILE, "1001", "1001")
    talk = Span(1.5)
    desk.agent.client.request(HangUp("", back.call_id))
    desk.ended(desk.debtor, theirs)
    assert _heard(desk.debtor, theirs, talk) == {AGENT}


@pytest.mark.parametrize("users", [("1001", "1002"), ("1101", "1102")], ids=["udp", "tls"])
def test_attended_transfer_and_toggling_before_it(desk: Desk, users: tuple[str, str]) -> None:
    first, theirs = desk.call(MOBILE, desk.debtor)
    second, others = desk.call(users[1], desk.colleague)
    consulting = Span(1.2)
    desk.agent.client.request(SwitchTo("", first))
    toggled = Span(1.5)
    desk.agent.client.request(TransferToCall("", first, second))
    assert desk.agent.wait(TransferState, lambda e: e.state in ("done", "failed"), PATIENCE_S).state == "done"
    for call_id in (first, second):
        assert desk.ended(desk.agent, call_id).cause == "transferred"
    talk = Span(1.5)
    desk.colleague.client.request(HangUp("", others))
    desk.ended(desk.debtor, theirs)
    desk.ended(desk.colleague, others)
    assert _heard(desk.debtor, theirs, consulting) == set()
    assert _heard(desk.colleague, others, consulting) == {AGENT}
    assert _heard(desk.debtor, theirs, toggled) == {AGENT}
    assert _heard(desk.debtor, theirs, talk) == {SECOND}
    assert _heard(desk.colleague, others, talk) == {FIRST}


def test_a_conference_of_three(desk: Desk) -> None:
    first, theirs = desk.call(MOBILE, desk.debtor)
    second, others = desk.call("1002", desk.colleague)
    desk.agent.client.request(SetConference("", True))
    desk.agent.wait(CallState, lambda e: e.call_id == first and e.conference and not e.held, PATIENCE_S)
    together = Span(1.8, settle=0.8)
    for call_id in (first, second):
        desk.agent.client.request(HangUp("", call_id))
    desk.ended(desk.debtor, theirs)
    desk.ended(desk.colleague, others)
    assert _heard(desk.debtor, theirs, together) == {AGENT, SECOND}
    assert _heard(desk.colleague, others, together) == {AGENT, FIRST}


def test_a_second_caller_knocks_and_a_third_hears_busy(desk: Desk, line_process: Lines, asterisk: Asterisk) -> None:
    call_id, _ = desk.call(MOBILE, desk.debtor)
    knocking = desk.colleague.dial("1001")
    waiting = desk.agent.wait(CallIncoming, timeout=PATIENCE_S)
    assert waiting.number == "1002"
    third = line_process("third")
    sign_in(third, asterisk, BY_USER["1003"])
    third.dial("1001")
    record = third.ended(PATIENCE_S)
    assert (record.cause, record.sip_code) == ("busy", 486)
    desk.agent.client.request(Answer("", waiting.call_id))
    desk.colleague.state("active", PATIENCE_S)
    desk.agent.wait(CallState, lambda e: e.call_id == call_id and e.held, PATIENCE_S)
    desk.colleague.client.request(HangUp("", knocking))
    desk.ended(desk.agent, waiting.call_id)
    desk.agent.client.request(HangUp("", call_id))
    desk.ended(desk.agent, call_id)
