"""Calls to and from the public network, and a lead's spy codes, through a real Asterisk.

The public network is a direct line of ours at another address of loopback, which the PBX takes for the carrier's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from telephony.messages import AddLine, Answer, CallIncoming, HangUp, LineConfig, Reject
from tests.lab.asterisk import Asterisk
from tests.lab.certificates import Authority
from tests.lab.phones import PATIENCE_S, PRESENTED, Tape, connect, ring, sign_in
from tests.lab.seats import BY_USER, CARRIER_HOST, HOST
from tests.line.parts import LineProcess

pytestmark = pytest.mark.pbx

Lines = Callable[..., LineProcess]
AGENT, DEBTOR, LEAD = 1000.0, 440.0, 700.0
MOBILE = "13800138000"


@pytest.fixture
def debtor(line_process: Lines, asterisk: Asterisk) -> LineProcess:
    """A telephone of the public network."""
    line = line_process("debtor", tone=DEBTOR, local_host=CARRIER_HOST, local_port=asterisk.carrier_port)
    line.client.request(AddLine("", LineConfig("l1", "", MOBILE, f"{HOST}:{asterisk.port}")))
    asterisk.qualify("carrier")
    return line


@pytest.fixture
def agent(line_process: Lines, asterisk: Asterisk) -> LineProcess:
    line = line_process("agent", tone=AGENT)
    sign_in(line, asterisk, BY_USER["1001"])
    return line


@pytest.mark.parametrize(("asked", "shown"), PRESENTED)
def test_a_debtor_sees_a_number_of_ours(
    agent: LineProcess, debtor: LineProcess, asterisk: Asterisk, asked: str, shown: str
) -> None:
    sign_in(agent, asterisk, BY_USER["1001"], presented_number=asked)
    _, ringing = ring(agent, MOBILE, debtor)
    assert (ringing.number, ringing.dialled) == (shown, MOBILE)
    debtor.client.request(Reject("", ringing.call_id))
    assert agent.ended(PATIENCE_S).cause == "busy"


def test_a_debtor_calls_a_direct_number(agent: LineProcess, debtor: LineProcess) -> None:
    call_id, ringing = ring(debtor, "02161234568", agent)
    assert (ringing.number, ringing.dialled) == (MOBILE, "1001")
    agent.client.request(Answer("", ringing.call_id))
    for line in (agent, debtor):
        line.state("active", PATIENCE_S)
    time.sleep(1.5)
    debtor.client.request(HangUp("", call_id))
    assert agent.ended(PATIENCE_S).cause == "far_hung_up"
    assert Tape(agent, ringing.call_id).far_share(DEBTOR) > 0.98


@pytest.mark.parametrize("number", ["1001", "*511001", "008613800138000"])
def test_the_public_network_reaches_direct_numbers_only(debtor: LineProcess, agent: LineProcess, number: str) -> None:
    debtor.dial(number)
    assert debtor.ended(PATIENCE_S).cause == "not_found"
    assert not [event for event in agent.seen if isinstance(event, CallIncoming)]


def test_a_seat_without_a_number_calls_nobody_outside(line_process: Lines, asterisk: Asterisk) -> None:
    line = line_process("mute")
    sign_in(line, asterisk, BY_USER["1003"])
    line.dial(MOBILE)
    assert line.ended(PATIENCE_S).sip_code == 403


@pytest.mark.parametrize(
    ("code", "user", "agent_hears", "debtor_hears"),
    [("*51", "1101", False, False), ("*52", "1101", True, False), ("*53", "1001", True, True)],
    ids=["listen-tls", "whisper-tls", "barge-udp"],
)
def test_a_lead_listens_whispers_and_barges_in(
    debtor: LineProcess,
    line_process: Lines,
    asterisk: Asterisk,
    authority: Authority,
    code: str,
    user: str,
    agent_hears: bool,
    debtor_hears: bool,
) -> None:
    agent, lead = line_process("agent", tone=AGENT), line_process("lead", tone=LEAD)
    sign_in(agent, asterisk, BY_USER[user], authority.file)
    sign_in(lead, asterisk, BY_USER["1900"])
    agents, debtors = connect(agent, MOBILE, debtor)
    spying = lead.dial(f"{code}{user}")
    lead.state("active", PATIENCE_S)
    time.sleep(3.0)
    agent.client.request(HangUp("", agents))
    assert lead.ended(PATIENCE_S).cause == "far_hung_up", "the code ends with the call it follows"
    for line in (agent, debtor):
        line.ended(PATIENCE_S)
    heard = Tape(lead, spying)
    assert heard.far_share(AGENT, -2.0, -0.5) > 0.3
    assert heard.far_share(DEBTOR, -2.0, -0.5) > 0.3
    for line, call_id, expected in ((agent, agents, agent_hears), (debtor, debtors, debtor_hears)):
        share = Tape(line, call_id).far_share(LEAD, -2.0, -0.5)
        assert (share > 0.3) is expected, (code, share)
        assert expected or share < 0.01


def test_only_leads_may_spy(agent: LineProcess) -> None:
    agent.dial("*511002")
    assert agent.ended(PATIENCE_S).cause == "not_found"
