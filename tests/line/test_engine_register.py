"""Lines that register: at a real Kamailio with digest authentication, and at registrars that answer otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.errors import LineError
from telephony.messages import (
    AddLine,
    Answer,
    CallIncoming,
    Dial,
    GetSnapshot,
    HangUp,
    LineConfig,
    LineState,
    RemoveLine,
)
from tests.line.parts import LineProcess, Sipp, wait_until
from tests.support.registrars import PASSWORD, Registrar, Reply, Request, ScriptedRegistrar, accept, silent

Lines = Callable[..., LineProcess]


@pytest.fixture
def registrar(tmp_path: Path) -> Iterator[Registrar]:
    started = Registrar(tmp_path / "kamailio")
    yield started
    started.stop()


@pytest.fixture
def scripted() -> Iterator[ScriptedRegistrar]:
    started = ScriptedRegistrar()
    yield started
    started.stop()


def line_config(
    peer: str, user: str = "1001", password: str = PASSWORD, line_id: str = "l1", **more: object
) -> LineConfig:
    return LineConfig(line_id, user, user, peer, True, user, password, **more)  # type: ignore[arg-type]


def register(line: LineProcess, port: int, user: str, password: str = PASSWORD, transport: str = "udp") -> None:
    config = line_config(f"127.0.0.1:{port}", user, password, transport=transport)
    assert line.client.request(AddLine("", config))["state"] == "registering"


def settled(line: LineProcess, line_id: str = "l1", timeout: float = 10.0) -> LineState:
    """The next state of this line that is not ``registering``."""
    return line.wait(LineState, lambda e: e.line_id == line_id and e.state != "registering", timeout)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_call_through_the_registrar(line_process: Lines, registrar: Registrar, transport: str) -> None:
    agent, far = line_process("agent"), line_process("far")
    for process, user in ((agent, "1001"), (far, "1002")):
        register(process, registrar.port, user, transport=transport)
        state = settled(process)
        assert (state.state, state.sip_code, state.registrar, state.problem) == ("registered", 200, "primary", "")
    call_id = agent.dial("1002")
    ringing = far.wait(CallIncoming)
    assert (ringing.number, ringing.dialled) == ("1001", "1002")
    far.client.request(Answer("", ringing.call_id))
    agent.state("active")
    far.state("active")
    time.sleep(0.4)
    far.client.request(HangUp("", ringing.call_id))
    record = agent.ended()
    assert (record.cause, record.call_id) == ("far_hung_up", call_id)
    assert record.quality["rx_packets"] > 5
    agent.dial("1999")
    assert agent.ended().cause == "not_found"


def test_several_lines_at_once(line_process: Lines, registrar: Registrar, sipp: Callable[..., Sipp]) -> None:
    seat, far = line_process("seat"), line_process("far")
    direct = sipp("answer")
    for line_id, user, transport in (("over-udp", "1001", "udp"), ("over-tcp", "1003", "tcp")):
        seat.client.request(AddLine("", line_config(registrar.peer, user, line_id=line_id, transport=transport)))
        assert settled(seat, line_id).state == "registered"
    seat.client.request(AddLine("", LineConfig("direct", "Agent", "agent", f"127.0.0.1:{direct.port}")))
    assert settled(seat, "direct").state == "ready"
    register(far, registrar.port, "1002")
    settled(far)
    for number, line_id in (("1001", "over-udp"), ("1003", "over-tcp")):
        call_id = far.dial(number)
        ringing = seat.wait(CallIncoming)
        assert (ringing.line_id, ringing.dialled) == (line_id, number)
        far.client.request(HangUp("", call_id))
        assert seat.ended().cause == "missed"
        far.ended()
    for line_id, seen in (("over-udp", "1001"), ("over-tcp", "1003")):
        seat.client.request(Dial("", line_id, line_id, "1002"))
        ringing = far.wait(CallIncoming)
        assert ringing.number == seen
        seat.client.request(HangUp("", line_id))
        seat.ended()
        far.ended()
    seat.client.request(Dial("", "call", "direct", "13800000000"))
    seat.state("active")
    seat.client.request(HangUp("", "call"))
    assert seat.ended().line_id == "direct"
    direct.finished()


def test_removing_a_line_unregisters_it(line_process: Lines, registrar: Registrar) -> None:
    agent, far = line_process("agent"), line_process("far")
    for process, user in ((agent, "1001"), (far, "1002")):
        register(process, registrar.port, user)
        process.wait(LineState, lambda e: e.state == "registered")
    far.client.request(RemoveLine("", "l1"))
    assert far.wait(LineState).state == "removed"
    assert far.client.request(GetSnapshot(""))["lines"] == []

    def gone() -> bool:
        agent.dial("1002")
        return agent.ended().cause == "not_found"

    wait_until(gone, 3)


@pytest.mark.parametrize(
    ("user", "password", "problem", "codes"),
    [
        ("1001", "wrong", "wrong_password", {401}),
        ("1001", "", "wrong_password", {401}),
        ("banned", "secret", "forbidden", {403}),
    ],
)
def test_a_registrar_that_refuses(
    line: LineProcess, registrar: Registrar, user: str, password: str, problem: str, codes: set[int]
) -> None:
    register(line, registrar.port, user, password)
    state = settled(line)
    assert (state.state, state.problem, state.registrar) == ("failed", problem, "")
    assert state.sip_code in codes
    with pytest.raises(LineError) as refused:
        line.dial("1002")
    assert refused.value.code == "line_not_ready"
    line.client.request(AddLine("", line_config(registrar.peer)))
    line.wait(LineState, lambda e: e.state == "registered")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (404, "unknown_user"),
        (403, "forbidden"),
        (407, "wrong_password"),
        (488, "refused"),
        (603, "refused"),
        (500, "server_error"),
    ],
)
def test_what_a_refusal_means(line: LineProcess, scripted: ScriptedRegistrar, code: int, problem: str) -> None:
    scripted.answer = lambda request: Reply(code) if request.method == "REGISTER" else Reply(200)
    register(line, scripted.port, "1001")
    state = settled(line)
    assert (state.state, state.sip_code, state.problem) == ("failed", code, problem)


def test_a_busy_registrar_is_left_alone_as_long_as_it_asks(line: LineProcess, scripted: ScriptedRegistrar) -> None:
    busy = Reply(503, "Service Unavailable", ("Retry-After: 7 (maintenance)",))
    scripted.answer = lambda request: busy if request.method == "REGISTER" else Reply(200)
    register(line, scripted.port, "1001")
    assert settled(line).problem == "server_error"
    refused_at = scripted.of("REGISTER")[-1].at
    scripted.answer = accept
    state = line.wait(LineState, lambda e: e.state == "registered", 20)
    assert state.problem == ""
    again = scripted.of("REGISTER")[-1].at - refused_at
    assert again > 6.5, f"it came back after {again} s"


def test_an_interval_that_is_too_brief_is_lengthened(line: LineProcess, scripted: ScriptedRegistrar) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "REGISTER" and int(request.header("Expires")) < 900:
            return Reply(423, "Interval Too Brief", ("Min-Expires: 900",))
        return accept(request)

    scripted.answer = answer
    register(line, scripted.port, "1001")
    assert settled(line).state == "registered"
    assert [request.header("Expires") for request in scripted.of("REGISTER")] == ["300", "900"]


def test_intervals_that_are_too_brief_without_end(line: LineProcess, scripted: ScriptedRegistrar) -> None:
    def answer(request: Request) -> Reply:
        if request.method != "REGISTER":
            return Reply(200)
        time.sleep(0.02)
        return Reply(423, "Interval Too Brief", (f"Min-Expires: {int(request.header('Expires') or 0) + 1}",))

    scripted.answer = answer
    register(line, scripted.port, "1001")
    state = settled(line, timeout=20)
    assert (state.state, state.problem) == ("failed", "refused")
    time.sleep(1)  # what was under way
    count = len(scripted.of("REGISTER"))
    time.sleep(2)
    assert len(scripted.of("REGISTER")) == count


def test_a_registrar_that_is_silent_and_one_that_comes_back(line: LineProcess, scripted: ScriptedRegistrar) -> None:
    scripted.answer = silent
    register(line, scripted.port, "1001")
    begun = time.monotonic()
    line.client.request(GetSnapshot(""), 2)  # the engine answers meanwhile
    state = settled(line, timeout=12)
    assert (state.state, state.problem, state.sip_code) == ("failed", "unreachable", 0)
    assert time.monotonic() - begun < 10
    assert len(scripted.requests) < 20, "it is flooded"
    scripted.answer = accept
    assert line.wait(LineState, lambda e: e.state == "registered", 15).problem == ""


def test_a_registrar_that_ignores_options(line: LineProcess, scripted: ScriptedRegistrar) -> None:
    scripted.answer = lambda request: accept(request) if request.method == "REGISTER" else None
    register(line, scripted.port, "1001")
    assert settled(line).state == "registered"
    time.sleep(6)
    assert line.client.request(GetSnapshot(""))["lines"][0]["state"] == "registered"


@pytest.mark.parametrize(
    ("config", "there", "absent"),
    [
        (
            {"presented_number": "02161234567", "session_timer_s": 600},
            ("P-Preferred-Identity: <sip:02161234567@127.0.0.1>", "Session-Expires: 600"),
            ("Require: 100rel",),
        ),
        ({"reliable_provisional": "required"}, ("Require: 100rel", "Session-Expires: 1800"), ("P-Preferred-Identity",)),
        (
            {"session_timer_s": 0, "reliable_provisional": "off"},
            ("Supported:",),
            ("Session-Expires", "Require: 100rel"),
        ),
    ],
)
def test_what_an_invite_carries(
    line: LineProcess,
    sipp: Callable[..., Sipp],
    config: dict[str, object],
    there: tuple[str, ...],
    absent: tuple[str, ...],
) -> None:
    far = sipp("ring_refuse", status="486 Busy Here")
    line.add_line(far.port, **config)
    line.dial()
    line.ended()
    invite = far.messages().partition("INVITE sip:")[2].split("\n\n")[0]
    assert [text for text in there if text not in invite] == []
    assert [text for text in absent if text in invite] == []


def test_a_reliable_provisional_answer_is_acknowledged(line: LineProcess, sipp: Callable[..., Sipp]) -> None:
    far = sipp("prack")
    line.add_line(far.port)
    line.dial()
    assert line.ended().cause == "busy"
    far.finished()


def test_lines_that_cannot_be(line: LineProcess, tmp_path: Path) -> None:
    for config in (
        LineConfig("l1", "n", "agent", "no port here:x"),
        LineConfig("l1", "n", "agent", "127.0.0.1:70000"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", backup_peer="no port here:x"),
        LineConfig("l1", "n", "a b", "127.0.0.1:5060"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", transport="sctp"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", srtp="sometimes"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", srtp="mandatory"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", reliable_provisional="perhaps"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", session_timer_s=30),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", presented_number="1>\r\nX: y"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5061", transport="tls", tls_ca_file=str(tmp_path / "none.pem")),
        LineConfig("", "n", "agent", "127.0.0.1:5060"),
    ):
        with pytest.raises(LineError) as refused:
            line.client.request(AddLine("", config))
        assert refused.value.code == "bad_message", config
    assert line.client.request(GetSnapshot(""))["lines"] == []


def test_more_lines_than_there_is_room_for(line: LineProcess) -> None:
    """PJSIP itself aborts the process at the ninth account."""
    for number in range(7):
        line.client.request(AddLine("", LineConfig(f"l{number}", "n", f"100{number}", "127.0.0.1:9")))
    for _ in range(2):
        with pytest.raises(LineError) as refused:
            line.client.request(AddLine("", LineConfig("l7", "n", "1007", "127.0.0.1:9")))
        assert refused.value.code == "line_busy"
    line.client.request(AddLine("", LineConfig("l3", "n", "1013", "127.0.0.1:9")))
    line.client.request(RemoveLine("", "l0"))
    line.client.request(AddLine("", LineConfig("l7", "n", "1007", "127.0.0.1:9")))
    assert len(line.client.request(GetSnapshot(""))["lines"]) == 7


def test_a_password_stays_out_of_the_logs(line_process: Lines, registrar: Registrar, tmp_path: Path) -> None:
    password = "hunter2-or-not"
    trace = tmp_path / "pjsip.log"
    line = line_process("line", log=str(trace))
    register(line, registrar.port, "1001", password)
    assert settled(line).problem == "wrong_password"
    assert password not in repr(line_config(registrar.peer, password=password))
    assert line.stop() == 0
    texts = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert b"REGISTER sip:" in texts[trace]
    assert [path for path, text in texts.items() if password.encode() in text] == []
    command = Path(f"/proc/{line.process.pid}/cmdline")
    assert not command.exists() or password.encode() not in command.read_bytes()
