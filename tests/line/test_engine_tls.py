"""SIP over TLS against a real Kamailio with certificates by an authority of our own; SRTP on top of it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.errors import LineError
from telephony.messages import AddLine, Answer, CallIncoming, CallState, HangUp, LineConfig, LineState
from telephony.tls import PeerCertificate, bears, expected_names, problem_of, verify
from tests.line.parts import Baresip, LineProcess, wait_until
from tests.support.certificates import Authority, Certificate
from tests.support.registrars import PASSWORD, Registrar

Lines = Callable[..., LineProcess]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> Certificate:
    return authority.sign("good", "DNS:localhost,IP:127.0.0.1")


@pytest.fixture(scope="module")
def registrar(tmp_path_factory: pytest.TempPathFactory, good: Certificate) -> Iterator[Registrar]:
    started = Registrar(tmp_path_factory.mktemp("kamailio"), tls=good)
    yield started
    started.stop()


class TlsServer:
    """Takes connections with a certificate and keeps what it is sent."""

    def __init__(self, certificate: Certificate) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._context.sni_callback = lambda sock, name, context: self.asked_for.append(name or "")
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = int(self._socket.getsockname()[1])
        self.received = b""
        self.asked_for: list[str] = []
        self.handshakes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="tls-server")
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                plain, _ = self._socket.accept()
            except TimeoutError:
                continue
            plain.settimeout(1)
            try:
                with self._context.wrap_socket(plain, server_side=True) as secure:
                    self.handshakes += 1
                    while data := secure.recv(4096):
                        self.received += data
            except OSError:
                continue


def over_tls(peer: str, ca: Path | str, user: str = "1001", **more: object) -> LineConfig:
    return LineConfig("l1", user, user, peer, True, user, PASSWORD, "tls", tls_ca_file=str(ca), **more)  # type: ignore[arg-type]


def outcome(line: LineProcess, config: LineConfig) -> LineState:
    line.client.request(AddLine("", config))
    return line.wait(LineState, lambda e: e.state not in ("registering", "removed"), 12)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_line_over_tls(line_process: Lines, registrar: Registrar, authority: Authority, host: str) -> None:
    agent, far = line_process("agent"), line_process("far")
    for process, user in ((agent, "1001"), (far, "1002")):
        assert outcome(process, over_tls(f"{host}:{registrar.tls_port}", authority.file, user)).state == "registered"
    agent.dial("1002")
    ringing = far.wait(CallIncoming)
    far.client.request(Answer("", ringing.call_id))
    assert not agent.state("active").encrypted
    agent.client.request(HangUp("", agent.seen[-1].call_id))  # type: ignore[attr-defined]
    assert far.ended().cause == "far_hung_up"


def test_a_name_that_the_setting_gives(line: LineProcess, authority: Authority, tmp_path: Path) -> None:
    certificate = authority.sign("elsewhere", "DNS:pbx.bank.example")
    started = Registrar(tmp_path / "kamailio", tls=certificate)
    try:
        peer = f"127.0.0.1:{started.tls_port}"
        state = outcome(line, over_tls(peer, authority.file, tls_name="PBX.bank.example"))
        assert (state.state, state.problem) == ("registered", "")
        assert outcome(line, over_tls(peer, authority.file, tls_name="pbx.other.example")).problem == WRONG_NAME
        assert outcome(line, over_tls(peer, authority.file)).problem == WRONG_NAME
    finally:
        started.stop()


WRONG_NAME = "certificate_wrong_name"


@pytest.mark.parametrize(
    ("kind", "problem", "tls_name"),
    [
        ("expired", "certificate_expired", ""),
        ("expired", "certificate_expired", "localhost"),
        ("other-name", WRONG_NAME, ""),
        ("other-name", WRONG_NAME, "localhost"),
        ("untrusted", "certificate_untrusted", ""),
        ("untrusted", "certificate_untrusted", "localhost"),
    ],
)
def test_a_certificate_that_is_refused(
    line: LineProcess, authority: Authority, tmp_path: Path, kind: str, problem: str, tls_name: str
) -> None:
    if kind == "expired":
        certificate = authority.sign("expired", "DNS:localhost,IP:127.0.0.1", days=-1)
    elif kind == "other-name":
        certificate = authority.sign("other", "DNS:other.example")
    else:
        certificate = Authority(tmp_path / "other", "Other").sign("stranger", "DNS:localhost,IP:127.0.0.1")
    server = TlsServer(certificate)
    try:
        state = outcome(line, over_tls(f"127.0.0.1:{server.port}", authority.file, tls_name=tls_name))
        assert (state.state, state.problem) == ("failed", problem)
        wait_until(lambda: server.handshakes >= 1)
        time.sleep(0.3)
    finally:
        server.stop()
    assert server.received == b"", "something was sent to a server that is not who it should be"
    with pytest.raises(LineError):
        line.dial("1002")


def test_a_self_signed_certificate(line: LineProcess, authority: Authority, tmp_path: Path) -> None:
    own = Authority(tmp_path / "own", "localhost")
    server = TlsServer(Certificate(own.file, tmp_path / "own" / "ca.key"))
    try:
        assert outcome(line, over_tls(f"127.0.0.1:{server.port}", authority.file)).problem == "certificate_untrusted"
        assert outcome(line, over_tls(f"127.0.0.1:{server.port}", "")).problem == "certificate_untrusted"
    finally:
        server.stop()
    assert server.received == b""


def test_a_server_that_speaks_no_tls(line: LineProcess, authority: Authority, registrar: Registrar) -> None:
    state = outcome(line, over_tls(registrar.peer, authority.file))  # the plain TCP port
    assert state.state == "failed"
    assert state.problem in ("tls_failed", "unreachable")


def test_the_name_is_asked_for(line: LineProcess, authority: Authority, good: Certificate) -> None:
    server = TlsServer(good)
    try:
        line.client.request(AddLine("", over_tls(f"localhost:{server.port}", authority.file)))
        wait_until(lambda: b"REGISTER sip:localhost" in server.received, 10)
    finally:
        server.stop()
    assert server.asked_for[0] == "localhost"


def test_lines_with_different_authorities(
    line: LineProcess, authority: Authority, registrar: Registrar, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", "Other")
    second = Registrar(tmp_path / "second", tls=other.sign("second", "IP:127.0.0.1"))
    try:
        for number, (place, ca, state) in enumerate(
            (
                (registrar, authority, "registered"),
                (second, other, "registered"),
                (second, authority, "failed"),
                (registrar, other, "failed"),
            )
        ):
            user = str(1001 + number)
            config = LineConfig(
                *(user, user, user, f"127.0.0.1:{place.tls_port}", True, user, PASSWORD, "tls"),
                tls_ca_file=str(ca.file),
            )
            line.client.request(AddLine("", config))
            told = line.wait(LineState, lambda e, user=user: e.line_id == user and e.state != "registering", 10)  # type: ignore[misc]
            assert told.state == state
    finally:
        second.stop()


def test_one_line_that_is_set_up_anew_and_anew(line: LineProcess, authority: Authority, registrar: Registrar) -> None:
    """PJSIP has room for eight transports, and each name has one of its own."""
    peer = f"127.0.0.1:{registrar.tls_port}"
    for number in range(10):
        state = outcome(line, over_tls(peer, authority.file, tls_name=f"pbx{number}.example"))
        assert state.problem == WRONG_NAME
    assert outcome(line, over_tls(peer, authority.file)).state == "registered"


# --- encrypted media ---


@pytest.mark.parametrize(
    ("ours", "theirs", "encrypted"),
    [("mandatory", "mandatory", True), ("mandatory", "optional", True),
     ("optional", "optional", True), ("optional", "off", False), ("off", "optional", False)],
)  # fmt: skip
def test_srtp_between_two_lines(
    line_process: Lines, registrar: Registrar, authority: Authority, ours: str, theirs: str, encrypted: bool
) -> None:
    agent, far = line_process("agent"), line_process("far")
    for process, user, srtp in ((agent, "1001", ours), (far, "1002", theirs)):
        peer = f"127.0.0.1:{registrar.tls_port}"
        assert outcome(process, over_tls(peer, authority.file, user, srtp=srtp)).state == "registered"
    call_id = agent.dial("1002")
    ringing = far.wait(CallIncoming)
    far.client.request(Answer("", ringing.call_id))
    for process in (agent, far):
        state = process.wait(CallState, lambda e: e.state == "active" and bool(e.codec))
        assert state.encrypted is encrypted
    time.sleep(0.5)
    agent.client.request(HangUp("", call_id))
    record = agent.ended()
    assert record.quality["rx_packets"] > 5
    far.ended()


@pytest.mark.parametrize("caller", ["mandatory", "off"])
def test_a_mandatory_line_refuses_plain_media(
    line_process: Lines, registrar: Registrar, authority: Authority, caller: str
) -> None:
    agent, far = line_process("agent"), line_process("far")
    callee = "off" if caller == "mandatory" else "mandatory"
    for process, user, srtp in ((agent, "1001", caller), (far, "1002", callee)):
        peer = f"127.0.0.1:{registrar.tls_port}"
        assert outcome(process, over_tls(peer, authority.file, user, srtp=srtp)).state == "registered"
    agent.dial("1002")
    record = agent.ended()
    assert (record.cause, record.answered_at) == ("failed", "")
    assert record.sip_code in (406, 488)
    assert not any(isinstance(event, CallIncoming) for event in far.seen)


@pytest.mark.parametrize(("media", "encrypted"), [(";mediaenc=srtp-mand", True), ("", False)])
def test_optional_srtp_with_another_make(
    line_process: Lines, baresip: Callable[..., Baresip], media: str, encrypted: bool
) -> None:
    line = line_process("line")
    line.add_line(9, srtp="optional")
    target = f"sip:agent@127.0.0.1:{line.port}"
    baresip("PCMA/8000/1", account=f"<sip:far@127.0.0.1>;regint=0{media}", dial=target)
    ringing = line.wait(CallIncoming)
    line.client.request(Answer("", ringing.call_id))
    assert line.wait(CallState, lambda e: e.state == "active" and bool(e.codec)).encrypted is encrypted
    time.sleep(0.6)
    line.client.request(HangUp("", ringing.call_id))
    assert line.ended().quality["rx_packets"] > 10


@pytest.mark.parametrize(("media", "encrypted"), [(";mediaenc=srtp", True), ("", False)])
def test_optional_srtp_is_offered(
    line: LineProcess, baresip: Callable[..., Baresip], media: str, encrypted: bool
) -> None:
    far = baresip("PCMA/8000/1", account=f"<sip:far@127.0.0.1>;regint=0{media}")
    line.add_line(far.port, srtp="optional")
    call_id = line.dial("far")
    assert line.wait(CallState, lambda e: e.state == "active" and bool(e.codec)).encrypted is encrypted
    line.client.request(HangUp("", call_id))
    line.ended()


def test_a_line_without_srtp_refuses_who_insists_on_it(line: LineProcess, baresip: Callable[..., Baresip]) -> None:
    line.add_line(9)
    far = baresip(
        "PCMA/8000/1",
        account="<sip:far@127.0.0.1>;regint=0;mediaenc=srtp-mand",
        dial=f"sip:agent@127.0.0.1:{line.port}",
    )
    wait_until(lambda: "488" in far.said() or "406" in far.said(), 8)
    assert line.events.empty() or not any(isinstance(e, CallIncoming) for e in list(line.events.queue))


# --- what is wrong with a certificate, without a network ---


def test_flags_of_a_certificate() -> None:
    assert problem_of(0) == ""
    assert problem_of(1 << 30) == WRONG_NAME
    assert problem_of(4 | 1 << 30) == "certificate_expired"
    assert problem_of(2 | 4) == "certificate_untrusted"
    assert problem_of(-(1 << 31)) == "certificate_untrusted"


def test_names_of_a_certificate() -> None:
    named = PeerCertificate(
        1 << 30, ("pbx.example", "10.0.0.1", "sip:voice.example", "sip:bob@other.example"), "old.example"
    )
    for name in ("pbx.example", "PBX.EXAMPLE.", "10.0.0.1", "voice.example"):
        assert bears(named, name), name
    for name in ("old.example", "other.example", "example", "10.0.0.2", ""):
        assert not bears(named, name), name
    assert bears(PeerCertificate(0, (), "old.example"), "old.example")
    assert not bears(PeerCertificate(0, ("*.example",), "*.example"), "pbx.example")
    assert verify(named, ()) == WRONG_NAME
    assert verify(named, ("pbx.example", "old.example")) == WRONG_NAME
    assert verify(named, ("pbx.example",)) == ""
    assert verify(PeerCertificate(4, named.names, ""), ("pbx.example",)) == "certificate_expired"


def test_the_names_that_are_expected_at_an_address() -> None:
    known = [(("10.0.0.1", "fd00::1"), 5061, "a"), (("10.0.0.1",), 5061, "b"), (("10.0.0.1",), 5062, "c")]
    assert expected_names("10.0.0.1:5061", known) == {"a", "b"}
    assert expected_names("[fd00::1]:5061", known) == {"a"}
    assert expected_names("10.0.0.2:5061", known) == set()
