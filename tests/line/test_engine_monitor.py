"""A lead listens to an agent's call: three engines, or SIPp for the lead."""

from __future__ import annotations

import json
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
    HangUp,
    LineState,
    Monitor,
    MonitorState,
    SetMute,
)
from tests.line.parts import BOTH_CLOCKS, LineProcess, Sipp, free_port
from tests.line.sound import samples, tone_power

Lines = Callable[..., LineProcess]
AGENT, CUSTOMER, LEAD = 1000.0, 440.0, 700.0


def listen(lead: LineProcess, agent: LineProcess, grant: str) -> str:
    call_id = str(uuid.uuid4())
    lead.client.request(Monitor("", call_id, "l1", f"sip:agent@127.0.0.1:{agent.port}", grant))
    return call_id


def connect(agent: LineProcess, customer: LineProcess) -> str:
    call_id = agent.dial("customer")
    customer.client.request(Answer("", customer.wait(CallIncoming).call_id))
    agent.state("active")
    return call_id


def share(pcm: bytes, frequency: float) -> float:
    """Share of a tone in the middle of what a speaker played, 16 kHz."""
    heard = samples(pcm)
    size = 1600
    parts = [heard[i : i + size] for i in range(len(heard) // 4, len(heard) - size, size)]
    return float(np.median([tone_power(part, frequency, 16000) for part in parts]))


@pytest.fixture
def three(line_process: Lines) -> tuple[LineProcess, LineProcess, LineProcess]:
    """Agent, customer and lead; the lead is not among the peers that may call the agent."""
    agent = line_process("agent", tone=AGENT, monitor_wait_s=1.0)
    customer = line_process("customer", tone=CUSTOMER)
    lead = line_process("lead", tone=LEAD)
    agent.add_line(customer.port)
    customer.add_line(agent.port, user="customer")
    lead.add_line(free_port(), user="lead")
    return agent, customer, lead


@BOTH_CLOCKS
def test_the_lead_hears_both_and_nobody_hears_the_lead(three: tuple[LineProcess, ...]) -> None:
    agent, customer, lead = three
    call_id = connect(agent, customer)
    leg = listen(lead, agent, "good-1")
    assert lead.wait(CallState, lambda e: e.state == "active").monitored
    began = agent.wait(MonitorState)
    assert (began.call_id, began.grant_id, began.mode, began.on) == (call_id, "good-1", "listen", True)
    time.sleep(1.5)
    lead.client.request(HangUp("", leg))
    record = lead.ended()
    assert (record.monitored, record.cause, record.recording_id) == (True, "hung_up", "")
    assert not agent.wait(MonitorState).on
    agent.client.request(HangUp("", call_id))
    agent.ended()
    customer.ended()
    assert not [e for e in agent.seen if isinstance(e, CallIncoming)]
    assert {e.call_id for e in agent.seen if isinstance(e, CallState)} == {call_id}
    meta = json.loads((agent.folder / f"{call_id}.json").read_text())
    marks = [(kind, detail) for _, kind, detail in meta["events"]]
    assert ("monitor_started", {"grant_id": "good-1", "mode": "listen"}) in marks
    assert "monitor_ended" in [kind for kind, _ in marks]
    assert not (lead.folder / f"{leg}.json").exists()
    assert [process.stop() for process in three] == [0, 0, 0]
    heard = (lead.folder / "heard.raw").read_bytes()
    assert 0.3 < share(heard, AGENT) < 0.7
    assert 0.3 < share(heard, CUSTOMER) < 0.7
    for ears in (agent, customer):
        assert share((ears.folder / "heard.raw").read_bytes(), LEAD) < 0.001
    assert share((agent.folder / f"{call_id}.agent").read_bytes(), LEAD) < 0.001


def test_the_lead_does_not_hear_a_muted_microphone(three: tuple[LineProcess, ...]) -> None:
    agent, customer, lead = three
    call_id = connect(agent, customer)
    agent.client.request(SetMute("", call_id, True))
    listen(lead, agent, "good-1")
    lead.state("active")
    time.sleep(1.0)
    assert [process.stop() for process in three] == [0, 0, 0]
    heard = (lead.folder / "heard.raw").read_bytes()
    assert share(heard, CUSTOMER) > 0.95
    assert share(heard, AGENT) < 0.01


def test_the_leg_waits_follows_to_the_next_call_and_ends(three: tuple[LineProcess, ...]) -> None:
    agent, customer, lead = three
    listen(lead, agent, "good-1")
    lead.state("active")
    assert agent.wait(MonitorState).call_id == ""
    call_id = connect(agent, customer)
    assert agent.wait(MonitorState).call_id == call_id
    time.sleep(1.2)  # longer than a leg may wait, but there is a call
    agent.client.request(HangUp("", call_id))
    idle = agent.wait(MonitorState)
    assert (idle.call_id, idle.on) == ("", True)
    assert not agent.wait(MonitorState, timeout=3).on
    assert lead.ended().cause == "far_hung_up"


@pytest.mark.parametrize("grant", ["bad", "good-1-whisper", "good-1-barge"])
def test_grants_that_are_not_good_for_this(three: tuple[LineProcess, ...], grant: str) -> None:
    agent, _, lead = three
    listen(lead, agent, grant)
    record = lead.ended()
    assert (record.cause, record.sip_code) == ("failed", 403)
    assert not [e for e in agent.seen if isinstance(e, CallIncoming | MonitorState)]


def test_a_grant_is_good_once(three: tuple[LineProcess, ...]) -> None:
    agent, _, lead = three
    leg = listen(lead, agent, "good-1")
    lead.state("active")
    lead.client.request(HangUp("", leg))
    lead.ended()
    listen(lead, agent, "good-1")
    assert lead.ended().sip_code == 403


def test_a_second_lead_is_told_busy_and_a_stranger_nothing(three: tuple[LineProcess, ...]) -> None:
    agent, _, lead = three
    first = listen(lead, agent, "good-1")
    lead.state("active")
    second = listen(lead, agent, "good-2")
    record = lead.wait(CallEnded)
    assert (record.call_id, record.cause, record.sip_code) == (second, "busy", 486)
    listen(lead, agent, "forged")
    assert lead.wait(CallEnded).sip_code == 403
    lead.client.request(HangUp("", first))
    lead.wait(CallEnded, lambda e: e.call_id == first)
    agent.wait(MonitorState, lambda e: not e.on)
    listen(lead, agent, "good-3")
    assert agent.wait(MonitorState).grant_id == "good-3"


def test_the_leg_is_answered_without_ringing(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    line.add_line(free_port())
    good = sipp("call_in_grant", line.port, caller="lead", caller_name="x", grant="good-1")
    line.wait(MonitorState)
    assert "180 Ringing" not in good.messages()
    bad = sipp("call_in_bad_grant", line.port, caller="lead", caller_name="x", grant="forged")
    bad.finished()
    line.client.close()
    assert line.stop() == 0  # the engine's end hangs up the leg
    good.finished()


def test_what_a_monitor_command_may_not_hold(line: LineProcess) -> None:
    line.add_line(free_port())
    for uri, grant, code in (
        ("http://x", "g", "bad_number"),
        ("sip:a@b\r\nX: 1", "g", "bad_number"),
        ("sip:a@127.0.0.1:9", "", "bad_message"),
        ("sip:a@127.0.0.1:9", "g\r\nX-Evil: 1", "bad_message"),
    ):
        with pytest.raises(LineError) as refused:
            line.client.request(Monitor("", str(uuid.uuid4()), "l1", uri, grant))
        assert refused.value.code == code
    assert [e for e in line.seen if isinstance(e, LineState | CallEnded)] == []
