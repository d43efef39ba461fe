"""The network changes, goes and comes back, the machine sleeps, the name server is dead; who may call in."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.messages import (
    AddLine,
    Answer,
    CallIncoming,
    Dial,
    GetSnapshot,
    HangUp,
    LineConfig,
    LineState,
    RefreshLines,
)
from telephony.names import Names, is_numeric
from telephony.network import NetworkWatch
from tests.line.parts import LineProcess, Sipp, free_port, wait_until
from tests.support.networks import PBX, SEAT, TwoNetworks, inside, ip, unusable
from tests.support.registrars import PASSWORD, Registrar, ScriptedRegistrar

Lines = Callable[..., LineProcess]


@pytest.fixture(scope="module")
def possible() -> None:
    if reason := unusable():
        pytest.skip(reason)


@pytest.fixture
def networks(possible: None) -> Iterator[TwoNetworks]:
    made = TwoNetworks()
    yield made
    made.close()


@pytest.fixture
def scripted() -> Iterator[ScriptedRegistrar]:
    started = ScriptedRegistrar()
    yield started
    started.stop()


@pytest.fixture
def far_registrar(networks: TwoNetworks) -> Iterator[ScriptedRegistrar]:
    with inside(networks.pbx):
        started = ScriptedRegistrar(host=PBX)
    yield started
    started.stop()


def registering(peer: str, user: str = "1001", transport: str = "udp", **more: object) -> AddLine:
    return AddLine("", LineConfig("l1", user, user, peer, True, user, PASSWORD, transport, **more))  # type: ignore[arg-type]


def registered(line: LineProcess, timeout: float = 10.0) -> LineState:
    return line.wait(LineState, lambda e: e.state == "registered", timeout)


def seat_line(networks: TwoNetworks, line_process: Lines) -> LineProcess:
    with inside(networks.seat):
        return line_process("seat", local_host="")


def test_another_address(networks: TwoNetworks, far_registrar: ScriptedRegistrar, line_process: Lines) -> None:
    line = seat_line(networks, line_process)
    line.client.request(registering(far_registrar.peer))
    assert registered(line).uri.startswith(f"sip:1001@{SEAT}:")
    ip("-n", networks.seat, "addr", "flush", "dev", networks.cable)
    networks.give("10.77.0.9")
    changed_at = time.monotonic()
    wait_until(lambda: any("10.77.0.9" in r.header("Contact") for r in far_registrar.of("REGISTER")), 8)
    assert time.monotonic() - changed_at < 5
    wait_until(lambda: line.client.request(GetSnapshot(""))["lines"][0]["uri"].startswith("sip:1001@10.77.0.9:"), 5)
    wait_until(lambda: line.client.request(GetSnapshot(""))["lines"][0]["state"] == "registered", 5)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_outlives_an_address_that_goes_and_comes(
    networks: TwoNetworks, line_process: Lines, tmp_path: Path, transport: str
) -> None:
    with inside(networks.pbx):
        registrar = Registrar(tmp_path / "kamailio", host=PBX)
        far = line_process("far", local_host=PBX)
    line = seat_line(networks, line_process)
    try:
        for process, user in ((line, "1001"), (far, "1002")):
            process.client.request(registering(registrar.peer, user, transport))
            registered(process)
        call_id = line.dial("1002")
        far.client.request(Answer("", far.wait(CallIncoming).call_id))
        line.state("active")
        time.sleep(1)
        networks.take(SEAT)
        lost = line.wait(LineState, lambda e: e.state == "failed")
        assert lost.problem == "no_network"
        time.sleep(1)
        networks.give(SEAT)
        back_at = time.monotonic()
        registered(line)
        assert time.monotonic() - back_at < 5
        calls = line.client.request(GetSnapshot(""))["calls"]
        assert [(call["call_id"], call["state"]) for call in calls] == [(call_id, "active")]
        before = time.monotonic()
        time.sleep(1.5)
        line.client.request(HangUp("", call_id))
        record = line.ended()
        assert far.ended().cause == "far_hung_up", "the far end was not told over the network that is back"
        assert record.quality["rx_packets"] > 50 * (time.monotonic() - before), "no sound after it came back"
    finally:
        registrar.stop()


def test_lines_are_refreshed_on_request(line: LineProcess, scripted: ScriptedRegistrar, tmp_path: Path) -> None:
    line.client.request(registering(scripted.peer))
    registered(line)
    count = len(scripted.of("REGISTER"))
    line.client.request(RefreshLines(""))
    wait_until(lambda: len(scripted.of("REGISTER")) > count, 3)
    registrar = Registrar(tmp_path / "kamailio")
    try:
        line.client.request(registering(registrar.peer, transport="tcp"))
        registered(line)
        first = _connections(registrar.port)
        line.client.request(RefreshLines(""))
        wait_until(lambda: _connections(registrar.port) - first != set(), 5)
        assert line.client.request(GetSnapshot(""))["lines"][0]["state"] == "registered"
    finally:
        registrar.stop()


def test_after_sleep_the_lines_register_at_once(line: LineProcess, scripted: ScriptedRegistrar) -> None:
    line.client.request(registering(scripted.peer))
    registered(line)
    line.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(6)
        count = len(scripted.of("REGISTER"))
    finally:
        line.process.send_signal(signal.SIGCONT)
    wait_until(lambda: len(scripted.of("REGISTER")) > count, 3)
    time.sleep(1)
    assert line.client.request(GetSnapshot(""))["lines"][0]["state"] == "registered"
    states = [event.state for event in [*line.seen, *list(line.events.queue)] if isinstance(event, LineState)]
    assert "failed" not in states


def test_a_dead_name_server_holds_nothing_up(
    networks: TwoNetworks, line_process: Lines, sipp: Callable[..., Sipp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RES_OPTIONS", "timeout:5 attempts:1")
    silence = _kill_name_servers(networks)
    try:
        with inside(networks.seat):
            look_up = (
                "import socket, time\nbegun = time.monotonic()\n"
                "try: socket.getaddrinfo('pbx.lab.example', None)\n"
                "except OSError: pass\n"
                "print(time.monotonic() - begun)"
            )
            command = [sys.executable, "-c", look_up]
            took = float(subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout)
            far = sipp("answer")
        if took < 3:
            pytest.skip("names are not looked up over the network here")
        line = seat_line(networks, line_process)
        line.client.request(registering("pbx.lab.example:5060"))
        line.client.request(
            AddLine("", LineConfig("direct", "n", "agent", f"127.0.0.1:{far.port}", allowed_peers=("sbc.lab.example",)))
        )
        line.client.request(AddLine("", LineConfig("named", "n", "agent", "gateway.lab.example:5060")))
        begun = time.monotonic()
        line.client.request(Dial("", "lost", "named", "1002"))
        line.client.request(HangUp("", "lost"))
        line.ended()
        line.client.request(Dial("", "call", "direct", "13800000000"))
        line.state("active")
        line.client.request(HangUp("", "call"))
        assert time.monotonic() - begun < 4, "a name that is looked up held up the engine"
        far.finished()
        state = line.wait(LineState, lambda e: e.line_id == "l1" and e.state == "failed", 12)
        assert state.problem == "unreachable"
        assert line.process.poll() is None
    finally:
        for open_socket in silence:
            open_socket.close()


def test_who_may_call_in_over_tcp(line: LineProcess, tmp_path: Path) -> None:
    """The harness listens on 127.0.0.1; callers come from other addresses of loopback."""
    line.add_line(free_port(), transport="tcp")
    port = int(line.client.request(GetSnapshot(""))["lines"][0]["uri"].rsplit(":", 1)[1].split(";")[0])
    assert "403" in _call_over_tcp(port, "127.0.0.3")
    assert "180" in _call_over_tcp(port, "127.0.0.1")
    line.ended()
    config = LineConfig("l1", "n", "agent", "127.0.0.9:5060", transport="tcp", backup_peer="127.0.0.4:5060")
    line.client.request(AddLine("", config))
    assert "180" in _call_over_tcp(port, "127.0.0.4")
    line.ended()
    assert "403" in _call_over_tcp(port, "127.0.0.1")
    line.client.request(AddLine("", LineConfig("l1", "n", "agent", "127.0.0.9:5060", transport="tcp", accept_any=True)))
    assert "180" in _call_over_tcp(port, "127.0.0.3")
    line.ended()


# --- names and the watch themselves ---


def test_names_are_looked_up_beside_the_caller() -> None:
    asked: list[str] = []
    release = threading.Event()
    answers: dict[str, tuple[str, ...]] = {"pbx.example": ("10.0.0.1",)}
    clock = [0.0]

    def look_up(host: str) -> tuple[str, ...]:
        asked.append(host)
        release.wait(5)
        return answers.get(host, ())

    names = Names(look_up, lambda: clock[0])
    assert names.addresses("10.0.0.5") == ("10.0.0.5",)
    assert names.addresses("PBX.example") == ()
    assert names.addresses("pbx.example") == ()
    assert not names.unknown("pbx.example")
    release.set()
    wait_until(lambda: names.addresses("pbx.example") == ("10.0.0.1",))
    assert asked == ["pbx.example"]
    answers.clear()
    clock[0] = 60.0  # what was known stays good while the name server says nothing
    assert names.addresses("pbx.example") == ("10.0.0.1",)
    wait_until(lambda: len(asked) == 2)
    assert names.addresses("pbx.example") == ("10.0.0.1",)
    assert names.addresses("nobody.example") == ()
    wait_until(lambda: names.unknown("nobody.example"))


def test_numeric_hosts() -> None:
    assert is_numeric("10.0.0.1")
    assert is_numeric("fd00::1")
    for name in ("pbx.example", "10.0.0", "", "10.0.0.1:5060", "\ud800"):
        assert not is_numeric(name)


def test_the_watch_sees_changes_and_sleep() -> None:
    ways = {"10.0.0.1": "10.0.0.7"}
    clock = [100.0]
    watch = NetworkWatch(lambda address: ways.get(address, ""), lambda: clock[0])

    def after(seconds: float) -> bool:
        clock[0] += seconds
        return watch.changed(["10.0.0.1"])

    assert not after(0.1)
    assert not after(2)
    ways.clear()
    assert not after(2), "there is nowhere to register"
    assert not watch.reachable("10.0.0.1")
    ways["10.0.0.1"] = "10.0.0.7"
    assert after(2)
    assert not after(2)
    ways["10.0.0.1"] = "10.0.0.8"
    assert after(2)
    assert watch.our_address("10.0.0.1") == "10.0.0.8"
    assert after(30), "the machine slept"
    assert not after(0.04)


# --- helpers ---


def _connections(port: int) -> set[str]:
    """Local ends of the established connections to this port."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "01" and row[2].endswith(f":{port:04X}")}


def _kill_name_servers(networks: TwoNetworks) -> list[socket.socket]:
    """Questions to the name servers of this machine get no answer in the seat's network."""
    text = Path("/etc/resolv.conf").read_text()
    servers = [row.split()[1] for row in text.splitlines() if row.startswith("nameserver") and len(row.split()) > 1]
    silence = []
    for server in servers or ["127.0.0.1"]:
        if server.startswith("127."):
            with inside(networks.seat):
                silence.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                silence[-1].bind((server, 53))
        elif ":" not in server:  # the PBX passes nothing on
            ip("-n", networks.seat, "route", "add", f"{server}/32", "via", PBX)
    return silence


def _call_over_tcp(port: int, source: str) -> str:
    """The status, 403 or 180, that an INVITE from this address gets; a call that rings is cancelled."""
    with socket.create_connection(("127.0.0.1", port), 3, (source, 0)) as peer:
        peer.settimeout(3)
        ours = peer.getsockname()
        tag = f"{time.monotonic_ns()}"
        head = (
            f"Via: SIP/2.0/TCP {ours[0]}:{ours[1]};branch=z9hG4bK{tag}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:far@{ours[0]}>;tag={tag}\r\nTo: <sip:agent@127.0.0.1>\r\nCall-ID: {tag}@far\r\n"
        )
        sdp = f"v=0\r\no=- 1 1 IN IP4 {ours[0]}\r\ns=-\r\nc=IN IP4 {ours[0]}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
        contact = f"Contact: <sip:far@{ours[0]}:{ours[1]};transport=tcp>\r\nContent-Type: application/sdp\r\n"
        invite = f"INVITE sip:agent@127.0.0.1:{port};transport=tcp SIP/2.0\r\n{head}CSeq: 1 INVITE\r\n{contact}"
        peer.sendall(f"{invite}Content-Length: {len(sdp)}\r\n\r\n{sdp}".encode())
        said = b""
        while b"SIP/2.0 180" not in said and b"SIP/2.0 403" not in said:
            more = peer.recv(4096)
            assert more, said
            said += more
        if b"SIP/2.0 180" in said:
            cancel = f"CANCEL sip:agent@127.0.0.1:{port};transport=tcp SIP/2.0\r\n{head}CSeq: 1 CANCEL\r\n"
            peer.sendall(f"{cancel}Content-Length: 0\r\n\r\n".encode())
            while b"487" not in said:
                said += peer.recv(4096)
        return next(code for code in ("403", "180") if f"SIP/2.0 {code}".encode() in said)
