"""Our lines at a real Kamailio with the settings of resources/pbx: registrar and proxy, UDP, TCP and TLS."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from telephony.messages import AddLine, Answer, CallIncoming, HangUp, LineConfig, LineState, Reject, RemoveLine
from tests.lab.certificates import Authority
from tests.lab.kamailio import Kamailio
from tests.lab.phones import PATIENCE_S, PRESENTED, Tape, connect, line_config, ring, set_up, sign_in
from tests.lab.seats import BY_USER, CARRIER_HOST, HOST, SEATS, Seat
from tests.line.parts import LineProcess, free_port, wait_until

Lines = Callable[..., LineProcess]
FIRST, SECOND = 1000.0, 440.0
MOBILE = "13800138000"


@pytest.fixture
def debtor(line_process: Lines, kamailio: Kamailio) -> LineProcess:
    """A telephone of the public network."""
    line = line_process("debtor", tone=SECOND, local_host=CARRIER_HOST, local_port=kamailio.carrier_port)
    line.client.request(AddLine("", LineConfig("l1", "", MOBILE, f"{HOST}:{kamailio.port}")))
    return line


@pytest.fixture
def agent(line_process: Lines, kamailio: Kamailio) -> LineProcess:
    line = line_process("agent", tone=FIRST)
    sign_in(line, kamailio, BY_USER["1001"])
    return line


def test_tls_and_srtp(line_process: Lines, kamailio: Kamailio, authority: Authority) -> None:
    first, second = line_process("first", tone=FIRST), line_process("second", tone=SECOND)
    for line, user in ((first, "1101"), (second, "1102")):
        sign_in(line, kamailio, BY_USER[user], authority.file)
    calls = connect(first, "1102", second)
    time.sleep(1.5)
    second.client.request(HangUp("", calls[1]))
    assert first.ended(PATIENCE_S).quality["encrypted"] is True
    assert Tape(first, calls[0]).far_share(SECOND) > 0.98
    assert Tape(second, calls[1]).far_share(FIRST) > 0.98


def test_a_certificate_with_an_elliptic_key(line_process: Lines, authority: Authority, tmp_path: Path) -> None:
    server = authority.server(HOST, elliptic=True)
    running = Kamailio(tmp_path / "elliptic", SEATS, server.certificate, server.key)
    try:
        sign_in(line_process(), running, BY_USER["1101"], authority.file)
    finally:
        running.stop()


def test_it_is_a_backup_registrar(line_process: Lines, kamailio: Kamailio) -> None:
    away = f"{HOST}:{free_port()}"
    here = f"{HOST}:{kamailio.port}"
    line = line_process()
    config = line_config(kamailio, BY_USER["1001"], peer=away, backup_peer=here)
    line.client.request(AddLine("", config))
    state = line.wait(LineState, lambda e: e.state == "registered", 60)
    assert state.registrar == "backup"


@pytest.mark.parametrize("transports", [("udp", "udp"), ("tcp", "udp"), ("tcp", "tcp")], ids="-".join)
def test_both_hear_each_other(line_process: Lines, kamailio: Kamailio, transports: tuple[str, str]) -> None:
    first, second = line_process("first", tone=FIRST), line_process("second", tone=SECOND)
    for line, user, transport in zip((first, second), ("1001", "1002"), transports, strict=True):
        sign_in(line, kamailio, BY_USER[user], transport=transport)
    calls = connect(first, "1002", second)
    time.sleep(1.5)
    second.client.request(HangUp("", calls[1]))
    assert first.ended(PATIENCE_S).cause == "far_hung_up"
    assert Tape(first, calls[0]).far_share(SECOND) > 0.98
    assert Tape(second, calls[1]).far_share(FIRST) > 0.98


@pytest.mark.parametrize(
    "seat", [Seat("1001", "not the password"), Seat("1666", "nobody has this number")], ids=["password", "user"]
)
def test_a_seat_that_may_not_sign_in(line_process: Lines, kamailio: Kamailio, seat: Seat) -> None:
    state = set_up(line_process(), line_config(kamailio, seat))
    assert (state.state, state.sip_code, state.problem) == ("failed", 401, "wrong_password")


def test_nobody_signs_in_as_somebody_else(line_process: Lines, kamailio: Kamailio) -> None:
    config = line_config(kamailio, Seat("1002", BY_USER["1001"].password), auth_user="1001")
    state = set_up(line_process(), config)
    assert (state.state, state.sip_code, state.problem) == ("failed", 403, "forbidden")


def test_numbers_that_do_not_ring(agent: LineProcess) -> None:
    for number, cause in (("1777", "unreachable"), ("008613800138000", "not_found"), ("9123", "not_found")):
        agent.dial(number)
        assert agent.ended(PATIENCE_S).cause == cause, number


def test_a_seat_that_signed_out_is_unreachable(agent: LineProcess, line_process: Lines, kamailio: Kamailio) -> None:
    other = line_process("other")
    sign_in(other, kamailio, BY_USER["1002"])
    other.client.request(RemoveLine("", "l1"))

    def gone() -> bool:
        agent.dial("1002")
        return agent.ended(PATIENCE_S).cause == "unreachable"

    wait_until(gone, PATIENCE_S)


@pytest.mark.parametrize(("asked", "shown"), PRESENTED)
def test_a_debtor_sees_a_number_of_ours(
    agent: LineProcess, debtor: LineProcess, kamailio: Kamailio, asked: str, shown: str
) -> None:
    sign_in(agent, kamailio, BY_USER["1001"], presented_number=asked)
    _, ringing = ring(agent, MOBILE, debtor)
    assert (ringing.number, ringing.dialled) == (shown, MOBILE)
    debtor.client.request(Reject("", ringing.call_id))
    assert agent.ended(PATIENCE_S).cause == "busy"


def test_a_debtor_is_called(agent: LineProcess, debtor: LineProcess) -> None:
    call_id, ringing = ring(agent, MOBILE, debtor)
    debtor.client.request(Answer("", ringing.call_id))
    agent.state("active", PATIENCE_S)
    time.sleep(1.5)
    debtor.client.request(HangUp("", ringing.call_id))
    assert agent.ended(PATIENCE_S).cause == "far_hung_up"
    assert Tape(agent, call_id).far_share(SECOND) > 0.98


def test_a_debtor_calls_a_direct_number(agent: LineProcess, debtor: LineProcess) -> None:
    _, ringing = ring(debtor, "02161234568", agent)
    assert (ringing.number, ringing.dialled) == (MOBILE, "1001")
    agent.client.request(Answer("", ringing.call_id))
    debtor.state("active", PATIENCE_S)
    agent.client.request(HangUp("", ringing.call_id))
    assert debtor.ended(PATIENCE_S).cause == "far_hung_up"


@pytest.mark.parametrize("number", ["1001", "13900139000"])
def test_the_public_network_reaches_direct_numbers_only(debtor: LineProcess, agent: LineProcess, number: str) -> None:
    debtor.dial(number)
    assert debtor.ended(PATIENCE_S).cause == "not_found"
    assert not [event for event in agent.seen if isinstance(event, CallIncoming)]


def test_a_seat_without_a_number_calls_nobody_outside(line_process: Lines, kamailio: Kamailio) -> None:
    line = line_process("mute")
    sign_in(line, kamailio, BY_USER["1003"])
    line.dial(MOBILE)
    assert line.ended(PATIENCE_S).sip_code == 403
