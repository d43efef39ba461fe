"""TLS and SRTP at a real Asterisk: what is spoken, what is refused, and what the line says then."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from telephony.messages import Answer, CallIncoming
from tests.lab.asterisk import Asterisk
from tests.lab.certificates import Authority
from tests.lab.phones import PATIENCE_S, line_config, set_up, sign_in
from tests.lab.seats import BY_USER, HOST
from tests.line.parts import LineProcess

pytestmark = pytest.mark.pbx

Lines = Callable[..., LineProcess]
SECURE = BY_USER["1101"]


def test_a_certificate_of_somebody_elses_authority(line_process: Lines, asterisk: Asterisk, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger", "Somebody else")
    state = set_up(line_process(), line_config(asterisk, SECURE, stranger.file))
    assert (state.state, state.problem) == ("failed", "certificate_untrusted")


@pytest.mark.parametrize(
    ("name", "state", "problem"),
    [("pbx.example", "registered", ""), ("other.example", "failed", "certificate_wrong_name")],
)
def test_the_name_in_the_certificate(
    line_process: Lines, asterisk: Asterisk, authority: Authority, name: str, state: str, problem: str
) -> None:
    told = set_up(line_process(), line_config(asterisk, SECURE, authority.file, tls_name=name))
    assert (told.state, told.problem) == (state, problem)


def test_a_secure_seat_makes_no_call_without_srtp(
    line_process: Lines, asterisk: Asterisk, authority: Authority
) -> None:
    line, other = line_process("line"), line_process("other")
    sign_in(line, asterisk, SECURE, authority.file, srtp="off")
    sign_in(other, asterisk, BY_USER["1001"])
    line.dial("1001")
    assert line.ended(PATIENCE_S).sip_code == 488
    assert not [event for event in other.seen if isinstance(event, CallIncoming)]


def test_srtp_is_taken_where_it_is_offered(line_process: Lines, asterisk: Asterisk, authority: Authority) -> None:
    """``optional`` with a secure seat of the PBX's is as good as ``mandatory``."""
    line, other = line_process("line"), line_process("other")
    sign_in(line, asterisk, SECURE, authority.file, srtp="optional")
    sign_in(other, asterisk, BY_USER["1001"])
    other.dial("1101")
    ringing = line.wait(CallIncoming, timeout=PATIENCE_S)
    line.client.request(Answer("", ringing.call_id))
    assert line.state("active", PATIENCE_S).encrypted
    assert not other.state("active", PATIENCE_S).encrypted


@pytest.mark.parametrize(
    ("version", "ciphers", "spoken"),
    [
        (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-SHA384:AES256-GCM-SHA384:AES128-SHA", False),
        (ssl.TLSVersion.TLSv1_3, "", False),
    ],
    ids=["aes256", "aes128", "old", "tls13"],
)
def test_what_the_pbx_speaks(
    asterisk: Asterisk, authority: Authority, version: ssl.TLSVersion, ciphers: str, spoken: bool
) -> None:
    context = ssl.create_default_context(cafile=str(authority.file))
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)

    def cipher() -> str:
        with (
            socket.create_connection((HOST, asterisk.tls_port), 10) as plain,
            context.wrap_socket(plain, server_hostname="pbx.example") as secure,
        ):
            chosen = secure.cipher()
            assert chosen is not None
            return chosen[0]

    if spoken:
        assert cipher() == ciphers
    else:
        with pytest.raises(ssl.SSLError):
            cipher()
