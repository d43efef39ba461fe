"""TCP and TLS connections as PJSIP sees them, and the check of a server's name. Engine thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.tls import FAILED, Connection, PeerCertificate, problem_of, verify

log = logging.getLogger(__name__)

_NAME_KINDS = (pj.PJ_SSL_CERT_NAME_DNS, pj.PJ_SSL_CERT_NAME_IP, pj.PJ_SSL_CERT_NAME_URI)
_BAD_CERTIFICATE = 171173  # PJSIP_TLS_ECERTVERIF
_SYSTEM_ERRORS = range(120000, 170000)  # PJ_ERRNO_START_SYS: refused, unreachable, timed out
_PLAIN_ERRORS = range(70000, 120000)  # PJ_ERRNO_START_STATUS: closed, cancelled, timed out

ExpectedNames = Callable[[str], set[str]]
"""Names that the certificate of the server at ``address:port`` must bear besides what PJSIP checks."""


class Connections:
    """What is connected. ``shut`` ends a connection; used for one whose server is not who it should be."""

    def __init__(self, shut: Callable[[Any], None]) -> None:
        self._shut = shut
        self._up: dict[int, tuple[str, Any]] = {}
        self._tell: Callable[[Connection], None] = lambda connection: None
        self._expected: ExpectedNames = lambda remote: set()

    def follow(self, tell: Callable[[Connection], None], expected: ExpectedNames) -> None:
        """Who is told, and who knows what a certificate must bear."""
        self._tell, self._expected = tell, expected

    def moved(self, prm: Any) -> None:
        """PJSIP's callback. Until it returns nothing is sent over a new connection; any failure here ends it."""
        try:
            self._moved(prm)
        except Exception:
            log.exception("a connection could not be judged and was ended")
            self._end(prm.hnd)

    def drop_all(self) -> None:
        """Give up every connection; the next request makes a new one."""
        for _, handle in list(self._up.values()):
            self._end(handle)
        self._up.clear()

    def _moved(self, prm: Any) -> None:
        kind, state, number = str(prm.type).lower().rstrip("6"), int(prm.state), int(prm.hnd)
        if kind not in ("tcp", "tls"):
            return
        remote = "" if kind == "tcp" or prm.tlsInfo.isEmpty() else str(prm.tlsInfo.remoteAddr)
        if state == pj.PJSIP_TP_STATE_CONNECTED:
            problem = self._judge(prm.tlsInfo, remote) if kind == "tls" else ""
            if problem:
                log.warning("the certificate of a SIP server was refused: %s", problem)
                self._end(prm.hnd)
            else:
                self._up[number] = (kind, prm.hnd)
            self._tell(Connection(number, kind, remote, not problem, problem))
        elif state == pj.PJSIP_TP_STATE_DISCONNECTED:
            known = self._up.pop(number, None) is not None
            problem = "" if known or kind == "tcp" else _failure(prm)
            self._tell(Connection(number, kind, remote, False, problem))
        else:
            self._up.pop(number, None)

    def _judge(self, info: Any, remote: str) -> str:
        """The problem of a server that PJSIP let through: it checked the name itself, or was told not to."""
        expected = self._expected(remote)
        if not expected and not int(info.verifyStatus):
            return ""
        return verify(_certificate(info), expected)

    def _end(self, handle: Any) -> None:
        try:
            self._shut(handle)
        except pj.Error:
            log.debug("a connection had gone")


def _certificate(info: Any) -> PeerCertificate:
    certificate = info.remoteCertInfo
    names = tuple(str(entry.name) for entry in certificate.subjectAltName if entry.type in _NAME_KINDS)
    return PeerCertificate(int(info.verifyStatus), names, str(certificate.subjectCn))


def _failure(prm: Any) -> str:
    """Why TLS did not come about; empty when there was nobody to speak TLS with."""
    error = int(prm.lastError)
    if error == _BAD_CERTIFICATE:
        return problem_of(int(prm.tlsInfo.verifyStatus)) or FAILED
    return "" if error in _SYSTEM_ERRORS or error in _PLAIN_ERRORS or not error else FAILED
