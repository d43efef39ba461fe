"""A primary and a back-up registrar: the line goes over within 5 s, and back; calls that are up go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.errors import LineError
from telephony.failover import Choice
from telephony.messages import AddLine, Answer, CallIncoming, GetSnapshot, HangUp, LineConfig, LineState
from telephony.probe import Probe
from telephony.trouble import NO_ANSWER, Trouble
from tests.line.parts import LineProcess, Sipp, wait_until
from tests.support.certificates import Authority
from tests.support.registrars import PASSWORD, Registrar, Reply, ScriptedRegistrar, accept, silent

Lines = Callable[..., LineProcess]


@pytest.fixture
def pair() -> Iterator[tuple[ScriptedRegistrar, ScriptedRegistrar]]:
    primary, backup = ScriptedRegistrar(), ScriptedRegistrar()
    yield primary, backup
    primary.stop()
    backup.stop()


def with_backup(primary: str, backup: str, user: str = "1001", transport: str = "udp", **more: object) -> AddLine:
    config = LineConfig("l1", user, user, primary, True, user, PASSWORD, transport, backup_peer=backup, **more)  # type: ignore[arg-type]
    return AddLine("", config)


def registered_at(line: LineProcess, role: str, timeout: float = 12.0) -> LineState:
    return line.wait(LineState, lambda e: e.state == "registered" and e.registrar == role, timeout)


def test_over_within_five_seconds_and_back(
    line: LineProcess, pair: tuple[ScriptedRegistrar, ScriptedRegistrar]
) -> None:
    primary, backup = pair
    line.client.request(with_backup(primary.peer, backup.peer))
    registered_at(line, "primary")
    assert backup.requests == [], "the back-up is left alone while the primary is there"
    time.sleep(2)  # the registration is good for minutes: only its silence tells that the primary is dead
    primary.answer = silent
    died_at = time.monotonic()
    registered_at(line, "backup")
    took = time.monotonic() - died_at
    assert took <= 5.0, f"the line was without a registrar for {took:.1f} s"
    primary.answer = accept
    back_at = time.monotonic()
    registered_at(line, "primary", 20)
    assert time.monotonic() - back_at > 3, "the primary was taken back before it was steady"
    wait_until(lambda: any(request.header("Expires") == "0" for request in backup.of("REGISTER")), 5)


def test_a_primary_that_is_dead_from_the_start(
    line: LineProcess, pair: tuple[ScriptedRegistrar, ScriptedRegistrar]
) -> None:
    primary, backup = pair
    primary.answer = silent
    begun = time.monotonic()
    line.client.request(with_backup(primary.peer, backup.peer))
    registered_at(line, "backup")
    assert time.monotonic() - begun <= 5.0


def test_a_primary_that_is_out_of_order(line: LineProcess, pair: tuple[ScriptedRegistrar, ScriptedRegistrar]) -> None:
    primary, backup = pair
    primary.answer = lambda request: Reply(503, "Maintenance") if request.method == "REGISTER" else Reply(200)
    line.client.request(with_backup(primary.peer, backup.peer))
    assert registered_at(line, "backup").problem == ""
    primary.answer = accept
    registered_at(line, "primary", 20)


def test_a_wrong_password_is_no_reason_to_go_over(
    line: LineProcess, pair: tuple[ScriptedRegistrar, ScriptedRegistrar]
) -> None:
    primary, backup = pair
    primary.answer = lambda request: Reply(403, "Forbidden") if request.method == "REGISTER" else Reply(200)
    line.client.request(with_backup(primary.peer, backup.peer))
    assert line.wait(LineState, lambda e: e.state == "failed").problem == "forbidden"
    time.sleep(3)
    assert backup.requests == []


def test_both_dead_and_one_back(line: LineProcess, pair: tuple[ScriptedRegistrar, ScriptedRegistrar]) -> None:
    primary, backup = pair
    primary.answer = backup.answer = silent
    line.client.request(with_backup(primary.peer, backup.peer))
    state = line.wait(LineState, lambda e: e.state == "failed", 12)
    assert (state.problem, state.registrar) == ("unreachable", "")
    line.client.request(GetSnapshot(""))
    count = len(primary.requests) + len(backup.requests)
    time.sleep(4)
    assert len(primary.requests) + len(backup.requests) - count < 20, "dead registrars are flooded"
    backup.answer = accept
    registered_at(line, "backup", 15)


def test_calls_go_to_the_registrar_in_use(
    line: LineProcess, sipp: Callable[..., Sipp], pair: tuple[ScriptedRegistrar, ScriptedRegistrar]
) -> None:
    primary, backup = pair

    def answer(request: object) -> Reply | None:
        asked = request.method  # type: ignore[attr-defined]
        return Reply(486, "Busy Here") if asked == "INVITE" else accept(request)  # type: ignore[arg-type]

    backup.answer = answer
    primary.answer = silent
    line.client.request(with_backup(primary.peer, backup.peer, presented_number="02161234567"))
    registered_at(line, "backup")
    line.dial("1002")
    assert line.ended().cause == "busy"
    invite = backup.of("INVITE")[0].text
    assert invite.startswith(f"INVITE sip:1002@{backup.peer} ")
    assert "P-Preferred-Identity: <sip:02161234567@127.0.0.1>" in invite
    assert primary.of("INVITE") == []
    caller = sipp("call_in", line.port, caller="1002", caller_name="Zhang")  # from both registrars' address
    ringing = line.wait(CallIncoming)
    line.client.request(Answer("", ringing.call_id))
    line.state("active")
    line.client.request(HangUp("", ringing.call_id))
    caller.finished()


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_a_call_goes_on_while_the_line_goes_over(line_process: Lines, tmp_path: Path, transport: str) -> None:
    authority = Authority(tmp_path / "ca")
    certificate = authority.sign("both", "IP:127.0.0.1")
    primary, backup = (Registrar(tmp_path / name, tls=certificate) for name in ("primary", "backup"))
    peers = [f"127.0.0.1:{r.tls_port if transport == 'tls' else r.port}" for r in (primary, backup)]
    agent, far = line_process("agent"), line_process("far")
    try:
        for process, user in ((agent, "1001"), (far, "1002")):
            process.client.request(with_backup(peers[0], peers[1], user, transport, tls_ca_file=str(authority.file)))
            registered_at(process, "primary")
        call_id = agent.dial("1002")
        far.client.request(Answer("", far.wait(CallIncoming).call_id))
        agent.state("active")
        primary.pause()  # it holds its connections and says nothing
        died_at = time.monotonic()
        registered_at(agent, "backup")
        assert time.monotonic() - died_at <= 5.0
        registered_at(far, "backup")
        calls = agent.client.request(GetSnapshot(""))["calls"]
        assert [(call["call_id"], call["state"]) for call in calls] == [(call_id, "active")]
        time.sleep(0.5)
        agent.client.request(HangUp("", call_id))
        record = agent.ended()
        assert record.talk_ms >= 2000
        assert record.quality["rx_packets"] > 50 * 1.5
        assert record.quality["rx_lost"] < 20
        for call in far.client.request(GetSnapshot(""))["calls"]:  # the way of the BYE died with the primary
            far.client.request(HangUp("", call["call_id"]))
        far.ended()
        agent.dial("1002")
        assert far.wait(CallIncoming).number == "1001"
    finally:
        primary.stop()
        backup.stop()


def test_a_connection_that_breaks_is_made_again(line: LineProcess, tmp_path: Path) -> None:
    first = Registrar(tmp_path / "first")
    config = LineConfig("l1", "1001", "1001", first.peer, True, "1001", PASSWORD, "tcp")
    line.client.request(AddLine("", config))
    registered_at(line, "primary")
    first.stop()
    state = line.wait(LineState, lambda e: e.state == "failed", 12)
    assert state.problem == "unreachable"
    with pytest.raises(LineError):
        line.dial("1002")
    second = Registrar(tmp_path / "second", port=first.port)
    try:
        registered_at(line, "primary", 20)
    finally:
        second.stop()


# --- the choice itself, without a network ---


class Server:
    def __init__(self, role: str) -> None:
        self.role = role
        self.probe = Probe(1.5, 2.5)
        self.wanted = False
        self.trouble: Trouble | None = None
        self.registered = False

    def good(self, now: float) -> bool:
        return self.registered and not self.probe.silent(now)

    def down(self, now: float) -> bool:
        return not self.good(now) and self.trouble is not None and self.trouble.fails_over


def _wanted(server: Server) -> bool:
    return server.wanted


def _in_use(choice: Choice) -> object:
    return choice.in_use


def test_the_choice_waits_for_a_steady_primary() -> None:
    primary, backup = Server("primary"), Server("backup")
    choice = Choice(primary, backup)
    primary.registered = True
    choice.look(0.0)
    assert choice.in_use is primary
    assert not _wanted(backup)
    primary.registered, primary.trouble = False, NO_ANSWER
    choice.look(3.0)
    assert _in_use(choice) is None
    assert _wanted(backup)
    assert choice.trouble is None, "not failed while the back-up has not been tried"
    backup.registered = True
    primary.probe.failed(3.0)
    choice.look(4.0)
    assert _in_use(choice) is backup
    assert not _wanted(primary)
    for second in range(5, 10):
        primary.probe.answered(float(second))
        choice.look(float(second))
        assert primary.wanted is (second >= 9), second
    primary.registered = True
    choice.look(10.0)
    assert _in_use(choice) is primary
    assert not _wanted(backup)


def test_a_probe_that_comes_and_goes_is_not_steady() -> None:
    probe = Probe(1.5, 2.5)
    for second in range(0, 12, 2):
        probe.sent(float(second))
        probe.answered(second + 0.1)
        assert not probe.steady(second + 0.2)
        probe.failed(second + 1.0)
        assert probe.silent(second + 1.1)


def test_the_wait_after_a_refusal_grows() -> None:
    refused = Trouble("wrong_password", 401, "", False, 30.0, 300.0)
    assert [refused.wait_s(count) for count in (1, 2, 3, 4, 5, 99)] == [30, 60, 120, 240, 300, 300]
    assert Trouble("server_error", 503, "", True, 5.0, 60.0, 120.0).wait_s(1) == 120
