"""Two calls at a time: consultation, call waiting, toggling, redial; who hears whom, and two recordings."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable

import numpy as np
import pytest

from telephony.errors import LineError
from telephony.messages import (
    Answer,
    CallEnded,
    CallIncoming,
    CallState,
    Dial,
    GetSnapshot,
    HangUp,
    Redial,
    Reject,
    SetHold,
    SetMute,
    SwitchTo,
)
from tests.line.far_end import FarEnd
from tests.line.parts import LineProcess, Sipp, free_port
from tests.line.three import AGENT, FIRST, SECOND, Ears, Lines, Span, Three

Start = Callable[..., Sipp]


def test_consultation_and_toggle_who_hears_whom(line_process: Lines) -> None:
    three = Three(line_process)
    agent = three.agent
    first, theirs = three.reach("l1")
    alone = Span(0.9)
    second, others = three.reach("l2")
    assert three.told(first, lambda e: e.held).state == "active"
    three.first.wait(CallState, lambda e: e.far_held)
    consulting = Span()
    agent.client.request(SwitchTo("", first))
    assert {c["call_id"]: c["held"] for c in _calls(agent)} == {first: False, second: True}
    three.second.wait(CallState, lambda e: e.far_held)
    three.first.wait(CallState, lambda e: not e.far_held)
    toggled = Span()
    agent.client.request(HangUp("", first))
    agent.wait(CallEnded, lambda e: e.call_id == first)
    agent.client.request(SetHold("", second, False))
    three.second.wait(CallState, lambda e: not e.far_held)
    resumed = Span()
    agent.client.request(HangUp("", second))
    agent.wait(CallEnded, lambda e: e.call_id == second)
    three.first.ended()
    three.second.ended()
    with_first, with_second = Ears(agent, first), Ears(agent, second)
    at_first, at_second = Ears(three.first, theirs), Ears(three.second, others)
    assert at_first.between(alone.start, alone.end) == {AGENT}
    assert at_first.between(consulting.start, consulting.end) == set()
    assert at_second.between(consulting.start, consulting.end) == {AGENT}
    assert at_first.between(toggled.start, toggled.end) == {AGENT}
    assert at_second.between(toggled.start, toggled.end) == set()
    assert at_second.between(resumed.start, resumed.end) == {AGENT}
    for ears, span, far, voice in (
        (with_first, alone, {FIRST}, {AGENT}),
        (with_first, consulting, set(), set()),
        (with_first, toggled, {FIRST}, {AGENT}),
        (with_second, consulting, {SECOND}, {AGENT}),
        (with_second, toggled, set(), set()),
        (with_second, resumed, {SECOND}, {AGENT}),
    ):
        assert ears.between(span.start, span.end) == far
        assert ears.between(span.start, span.end, "agent") == voice
    for ears in (with_first, with_second):  # one recording a call, without a hole
        assert set(np.diff(ears.facts["starts"])) == {ears.rate // 50}
        assert [kind for _, kind, _ in ears.facts["events"] if kind in ("hold", "resume")] == ["hold", "resume"]


def test_call_waiting_rings_and_its_answer_holds_the_first(line_process: Lines) -> None:
    three = Three(line_process)
    agent = three.agent
    first, _ = three.reach("l1")
    theirs = three.second.dial("agent2")
    waiting = agent.wait(CallIncoming)
    three.told(waiting.call_id, lambda e: e.state == "ringing")
    assert [c["state"] for c in _calls(agent)] == ["active", "ringing"]
    assert not _calls(agent)[0]["held"]
    agent.client.request(Answer("", waiting.call_id))
    three.told(waiting.call_id, lambda e: e.state == "active")
    three.first.wait(CallState, lambda e: e.far_held)
    span = Span()
    three.second.client.request(HangUp("", theirs))
    record = agent.wait(CallEnded, lambda e: e.call_id == waiting.call_id)
    assert record.cause == "far_hung_up"
    assert [(c["call_id"], c["held"]) for c in _calls(agent)] == [(first, True)]
    agent.client.request(HangUp("", first))
    assert agent.ended().cause == "hung_up"
    assert Ears(agent, waiting.call_id).between(span.start, span.end) == {SECOND}
    assert Ears(agent, first).between(span.start, span.end) == set()


def test_a_third_caller_is_told_busy_and_recorded_as_missed(line: LineProcess, sipp: Start) -> None:
    line.add_line(free_port())
    first = _call_in(line, sipp, "13711111111")
    one = line.wait(CallIncoming)
    second = _call_in(line, sipp, "13722222222")
    two = line.wait(CallIncoming)
    third = _call_in(line, sipp, "13733333333", "call_in_refused")
    missed = line.ended()
    assert (missed.cause, missed.sip_code, missed.number) == ("missed", 486, "13733333333")
    third.finished()
    assert "SIP/2.0 486" in third.messages()
    with pytest.raises(LineError) as refused:
        line.dial()
    assert refused.value.code == "line_busy"
    line.client.request(Answer("", one.call_id))
    line.state("active")
    line.client.request(Reject("", two.call_id))
    assert line.wait(CallEnded, lambda e: e.call_id == two.call_id).cause == "rejected"
    line.client.request(HangUp("", one.call_id))
    assert line.wait(CallEnded, lambda e: e.call_id == one.call_id).cause == "hung_up"
    assert len([e for e in line.seen if isinstance(e, CallIncoming)]) == 2
    assert len([e for e in line.seen if isinstance(e, CallEnded)]) == 3
    first.finished()
    assert second.process.wait(10) == 1  # it wanted to be answered


def test_the_waiting_caller_gives_up_and_the_first_goes_on(line: LineProcess, sipp: Start) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    call_id = line.dial()
    line.state("active")
    waiting = _call_in(line, sipp, "13722222222", "call_in_cancelled")
    ringing = line.wait(CallIncoming)
    missed = line.wait(CallEnded)
    assert (missed.call_id, missed.cause) == (ringing.call_id, "missed")
    waiting.finished()
    assert [(c["call_id"], c["held"]) for c in _calls(line)] == [(call_id, False)]
    line.client.request(HangUp("", call_id))
    line.ended()
    far.finished()


def test_nothing_else_while_one_is_dialled_and_the_first_is_resumed_by_hand(line: LineProcess, sipp: Start) -> None:
    far, ringing = sipp("held"), sipp("ring")
    line.add_line(far.port)
    first = line.dial()
    line.state("active")
    time.sleep(0.2)
    line.client.request(_line_to("l2", ringing.port))
    second = str(uuid.uuid4())
    line.client.request(Dial("", second, "l2", "1002"))
    line.wait(CallState, lambda e: e.call_id == first and e.held)
    line.wait(CallState, lambda e: e.call_id == second and e.state == "ringing")
    for early in (SwitchTo("", first), SetHold("", first, False)):
        with pytest.raises(LineError) as refused:
            line.client.request(early)
        assert refused.value.code == "line_busy"
    line.client.request(HangUp("", second))
    assert line.wait(CallEnded).cause == "cancelled"
    ringing.finished()
    line.client.request(SwitchTo("", first))
    line.wait(CallState, lambda e: e.call_id == first and not e.held)
    time.sleep(0.4)
    line.client.request(HangUp("", first))
    line.ended()
    far.finished()


def test_a_second_call_that_cannot_begin_leaves_the_first_alone(line: LineProcess, sipp: Start) -> None:
    far = sipp("answer")
    line.add_line(far.port)
    first = line.dial()
    line.state("active")
    with pytest.raises(LineError) as refused:
        line.client.request(Dial("", first, "l1", "1002"))
    assert refused.value.code == "bad_message"
    with pytest.raises(LineError) as refused:
        line.dial("not a number")
    assert refused.value.code == "bad_number"
    assert [c["held"] for c in _calls(line)] == [False]
    line.client.request(HangUp("", first))
    line.ended()
    far.finished()


def test_mute_belongs_to_one_call(line_process: Lines) -> None:
    three = Three(line_process)
    first, second = three.both()
    three.agent.client.request(SetMute("", second, True))
    muted = Span()
    three.agent.client.request(SwitchTo("", first))
    three.first.wait(CallState, lambda e: not e.far_held)
    speaking = Span()
    three.agent.client.request(HangUp("", second))
    three.agent.client.request(HangUp("", first))
    for _ in range(2):
        three.agent.ended()
    three.first.ended()
    assert Ears(three.agent, second).between(muted.start, muted.end, "agent") == set()
    assert Ears(three.agent, first).between(speaking.start, speaking.end, "agent") == {AGENT}


def test_dialled_digits_and_redial(line: LineProcess, sipp: Start) -> None:
    with pytest.raises(LineError) as nothing:
        line.client.request(Redial("", "r0", "l1"))
    assert nothing.value.code == "bad_number"
    far = sipp("refuse", status="486 Busy Here")
    line.add_line(far.port)
    line.client.request(Dial("", "d1", "l1", "+8613812345678", "013812345678"))
    assert line.ended().number == "+8613812345678"
    assert f"INVITE sip:013812345678@127.0.0.1:{far.port} SIP/2.0" in far.messages()
    again = sipp("refuse", status="486 Busy Here")
    line.add_line(again.port)
    line.client.request(Redial("", "r1", "l1"))
    record = line.ended()
    assert (record.call_id, record.number, record.cause) == ("r1", "+8613812345678", "busy")
    assert "INVITE sip:013812345678@" in again.messages()


def test_a_stop_with_two_calls_ends_both(line_process: Lines) -> None:
    three = Three(line_process)
    first, second = three.both()
    assert three.agent.stop() == 0
    assert three.first.ended().cause == three.second.ended().cause == "far_hung_up"
    for call_id in (first, second):
        assert (three.agent.folder / f"{call_id}.json").exists()


def test_a_call_for_which_the_library_has_no_room_is_recorded_too(line: LineProcess, sipp: Start) -> None:
    """Four calls to a peer that died keep PJSIP's four slots for 32 s, though their records are out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        line.add_line(dead.getsockname()[1])
        for _ in range(4):
            call_id = line.dial()
            line.client.request(HangUp("", call_id))
            line.ended()
        caller = sipp(FarEnd(calls=True, caller="13744444444").invites().refused(486).text(), line.port)
        missed = line.ended()
        assert (missed.cause, missed.sip_code, missed.number) == ("missed", 486, "13744444444")
        caller.finished()


def _calls(line: LineProcess) -> list[dict[str, object]]:
    calls: list[dict[str, object]] = line.client.request(GetSnapshot(""))["calls"]
    return calls


def _call_in(line: LineProcess, sipp: Start, caller: str, scenario: str = "call_in") -> Sipp:
    return sipp(scenario, line.port, caller=caller, caller_name="x")


def _line_to(line_id: str, port: int) -> object:
    from telephony.messages import AddLine, LineConfig

    return AddLine("", LineConfig(line_id, "Agent", "agent2", f"127.0.0.1:{port}"))
