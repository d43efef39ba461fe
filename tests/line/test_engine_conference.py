"""Three-way conferences: who hears whom, what each recording holds, and every way one can end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import numpy as np
import pytest

from telephony.errors import LineError
from telephony.messages import (
    AddLine,
    CallEnded,
    CallState,
    Dial,
    GetSnapshot,
    HangUp,
    LeaveConference,
    LineConfig,
    Monitor,
    MonitorState,
    SetConference,
    SetHold,
    SetMute,
    TransferState,
)
from tests.line.parts import BOTH_CLOCKS, FarPhone, LineProcess, Sipp
from tests.line.sound import samples
from tests.line.three import AGENT, FIRST, SECOND, Ears, Lines, Span, Three, tones_in


def joined(three: Three) -> tuple[str, str]:
    first, second = three.both()
    three.agent.client.request(SetConference("", True))
    for call_id in (first, second):
        three.told(call_id, lambda e: e.conference and not e.held)
    three.first.wait(CallState, lambda e: not e.far_held)
    return first, second


@BOTH_CLOCKS
def test_three_hear_each_other_and_each_tape_has_what_its_far_side_heard(line_process: Lines) -> None:
    three = Three(line_process)
    first, theirs = three.reach("l1")
    second, others = three.reach("l2")
    three.first.wait(CallState, lambda e: e.far_held)
    three.agent.client.request(SetConference("", True))
    three.first.wait(CallState, lambda e: not e.far_held)
    together = Span(1.2)
    three.agent.client.request(SetMute("", first, True))
    muted = Span(1.0)
    three.agent.client.request(SetMute("", first, False))
    three.agent.client.request(SetConference("", False))
    states = {c["call_id"]: (c["held"], c["conference"]) for c in three.agent.client.request(GetSnapshot(""))["calls"]}
    assert states[first] == (False, False) and states[second] == (True, False)  # the first was resumed last
    three.second.wait(CallState, lambda e: e.far_held)
    parted = Span(1.0)
    for call_id in (first, second):
        three.agent.client.request(HangUp("", call_id))
        three.agent.ended()
    three.first.ended()
    three.second.ended()
    at_first, at_second = Ears(three.first, theirs), Ears(three.second, others)
    assert at_first.between(together.start, together.end) == {AGENT, SECOND}
    assert at_second.between(together.start, together.end) == {AGENT, FIRST}
    assert at_first.between(muted.start, muted.end) == {SECOND}
    assert at_second.between(muted.start, muted.end) == {AGENT, FIRST}
    assert at_first.between(parted.start, parted.end) == {AGENT}
    assert at_second.between(parted.start, parted.end) == set()
    one, two = Ears(three.agent, first), Ears(three.agent, second)
    for ears, far, other in ((one, FIRST, SECOND), (two, SECOND, FIRST)):
        assert ears.between(together.start, together.end) == {far}
        assert ears.between(together.start, together.end, "agent") == {AGENT, other}
        assert set(np.diff(ears.facts["starts"])) == {ears.rate // 50}
        marks = [kind for _, kind, _ in ears.facts["events"]]
        assert marks.count("conference_started") == marks.count("conference_ended") == 1
    assert one.between(muted.start, muted.end, "agent") == {SECOND}
    assert two.between(parted.start, parted.end, "agent") == set()


def test_the_agent_without_a_microphone_still_tapes_the_other_party(line_process: Lines) -> None:
    three = Three(line_process)
    three.agent.stop()
    three.agent = line_process("silent", tone=0)
    for line_id, other in (("l1", three.first), ("l2", three.second)):
        config = LineConfig(line_id, "Agent", "agent", f"127.0.0.1:{other.port}")
        three.agent.client.request(AddLine("", config))
    first, _ = joined(three)
    span = Span(1.0)
    three.agent.client.request(HangUp("", first))
    three.agent.wait(CallEnded)
    assert Ears(three.agent, first).between(span.start, span.end, "agent") == {SECOND}


def test_one_party_hangs_up_and_the_other_goes_on(line_process: Lines) -> None:
    three = Three(line_process)
    first, second = joined(three)
    theirs = three.first.client.request(GetSnapshot(""))["calls"][0]["call_id"]
    three.first.client.request(HangUp("", theirs))
    assert three.agent.wait(CallEnded).call_id == first
    three.told(second, lambda e: not e.conference and not e.held)
    span = Span(1.0)
    three.agent.client.request(HangUp("", second))
    assert three.agent.wait(CallEnded).cause == "hung_up"
    ears = Ears(three.agent, second)
    assert ears.between(span.start, span.end) == {SECOND}
    assert ears.between(span.start, span.end, "agent") == {AGENT}


def test_the_agent_hangs_up_one_and_holds_nobody(line_process: Lines) -> None:
    three = Three(line_process)
    first, second = joined(three)
    three.agent.client.request(HangUp("", second))
    assert three.agent.wait(CallEnded).call_id == second
    state = three.told(first, lambda e: not e.conference)
    assert not state.held
    three.agent.client.request(HangUp("", first))
    assert three.agent.wait(CallEnded).cause == "hung_up"


def test_one_party_on_hold_hears_nothing_of_the_others(line_process: Lines) -> None:
    three = Three(line_process)
    first, second = joined(three)
    three.agent.client.request(SetHold("", first, True))
    three.first.wait(CallState, lambda e: e.far_held)
    held = Span(1.0)
    three.agent.client.request(SetHold("", first, False))
    three.first.wait(CallState, lambda e: not e.far_held)
    back = Span(1.0)
    for call_id in (first, second):
        three.agent.client.request(HangUp("", call_id))
        three.agent.wait(CallEnded)
    ears = Ears(three.agent, second)
    assert ears.between(held.start, held.end, "agent") == {AGENT}
    assert ears.between(back.start, back.end, "agent") == {AGENT, FIRST}


def test_leaving_connects_the_two(line: LineProcess, far_phone: Callable[..., FarPhone]) -> None:
    phones = far_phone(FIRST), far_phone(SECOND)
    calls = []
    for number, phone in enumerate(phones):
        line_id = f"l{number}"
        line.client.request(AddLine("", LineConfig(line_id, "", f"agent{number}", f"127.0.0.1:{phone.port}")))
        calls.append(str(uuid.uuid4()))
        line.client.request(Dial("", calls[-1], line_id, "phone"))
        line.wait(CallState, lambda e: e.call_id == calls[-1] and e.state == "active" and e.codec != "")
    with pytest.raises(LineError) as early:
        line.client.request(LeaveConference(""))
    assert early.value.code == "wrong_state"
    time.sleep(0.3)
    line.client.request(SetConference("", True))
    time.sleep(0.8)
    line.client.request(LeaveConference(""))
    assert line.wait(TransferState, lambda e: e.state in ("done", "failed")).state == "done"
    assert [line.ended().cause for _ in calls] == ["transferred", "transferred"]
    assert not [e for e in line.seen if isinstance(e, CallState) and e.held and e.conference]
    phones[1].wait(lambda told: "replaced" in told)
    time.sleep(1.2)
    for phone, wanted in zip(phones, (SECOND, FIRST), strict=True):
        phone.order("hang_up")
        assert tones_in(*phone.heard_last(0.8)) == {wanted}


def test_what_cannot_be_joined(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    far, ringing = sipp("held"), sipp("ring")
    line.add_line(far.port)
    line.client.request(AddLine("", LineConfig("l2", "", "agent2", f"127.0.0.1:{ringing.port}")))
    call_id = line.dial()
    line.state("active")
    _refused(line)
    second = str(uuid.uuid4())
    line.client.request(Dial("", second, "l2", "1002"))
    line.wait(CallState, lambda e: e.call_id == second and e.state == "ringing")
    _refused(line)
    line.client.request(HangUp("", second))
    line.ended()
    line.client.request(SetHold("", call_id, False))
    time.sleep(0.4)
    line.client.request(HangUp("", call_id))
    line.ended()
    far.finished()


def test_a_lead_hears_all_three(line_process: Lines) -> None:
    three = Three(line_process)
    first, second = joined(three)
    lead = line_process("lead", tone=0)
    lead.add_line(three.agent.port, user="lead")
    leg = str(uuid.uuid4())
    lead.client.request(Monitor("", leg, "l1", f"sip:agent@127.0.0.1:{three.agent.port}", "good-1"))
    lead.state("active")
    assert three.agent.wait(MonitorState).call_id == first
    time.sleep(1.5)
    lead.client.request(HangUp("", leg))
    lead.ended()
    for call_id in (first, second):
        three.agent.client.request(HangUp("", call_id))
        three.agent.wait(CallEnded)
        marks = [kind for _, kind, _ in Ears(three.agent, call_id).facts["events"]]
        assert "monitor_started" in marks and "monitor_ended" in marks
    assert lead.stop() == 0
    heard = samples((lead.folder / "heard.raw").read_bytes())
    assert tones_in(heard[len(heard) // 3 : -1600], 16000) == {AGENT, FIRST, SECOND}


def _refused(line: LineProcess) -> None:
    with pytest.raises(LineError) as refused:
        line.client.request(SetConference("", True))
    assert refused.value.code == "wrong_state"
