"""One SIP line as PJSIP sees it. Engine thread only; callbacks copy and return."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.addresses import host_text, sip_uri, split_peer
from telephony.messages import LineConfig
from telephony.settings import EngineSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """The registrar's answer, or the lack of one."""

    line_id: str
    sip_code: int
    reason: str
    registered: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """An INVITE at PJSIP's door. Good only until ``Account.onIncomingCall`` returns."""

    line_id: str
    slot: int
    source: str
    message: str


class SipAccount(pj.Account):  # type: ignore[misc]
    """Copies registrar answers and hands INVITEs over at once, since PJSIP wants a Call before the callback ends."""

    def __init__(
        self,
        line_id: str,
        on_registration: Callable[[Registration], None],
        on_arrival: Callable[[Arrival], None],
    ) -> None:
        super().__init__()
        self._line_id = line_id
        self._on_registration = on_registration
        self._on_arrival = on_arrival

    def onRegState(self, prm: Any) -> None:
        code = int(prm.code)
        self._on_registration(
            Registration(self._line_id, code, str(prm.reason), code // 100 == 2 and int(prm.expiration) > 0)
        )

    def onIncomingCall(self, prm: Any) -> None:
        rdata = prm.rdata
        self._on_arrival(Arrival(self._line_id, int(prm.callId), str(rdata.srcAddress), str(rdata.wholeMsg)))


def account_config(line: LineConfig, settings: EngineSettings, transport: int, local: tuple[str, int]) -> Any:
    """PJSIP's configuration of a line: nothing on that the desk does not use."""
    config = pj.AccountConfig()
    host = host_text(split_peer(line.peer)[0]) if line.register else f"{host_text(local[0])}:{local[1]}"
    identity = sip_uri(line.user, host, "udp")
    name = line.display_name.replace("\\", "").replace('"', "")
    config.idUri = f'"{name}" <{identity}>' if name else identity
    config.sipConfig.transportId = transport if line.transport == "udp" else -1
    config.regConfig.registerOnAdd = line.register
    if line.register:
        suffix = "" if line.transport == "udp" else f";transport={line.transport}"
        config.regConfig.registrarUri = f"sip:{line.peer}{suffix}"
        config.regConfig.firstRetryIntervalSec = 2
        config.regConfig.retryIntervalSec = 15
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", line.auth_user or line.user, 0, line.password))
    config.mediaConfig.transportConfig.boundAddress = settings.local_host
    config.mediaConfig.transportConfig.port = settings.rtp_port
    config.mediaConfig.transportConfig.portRange = settings.rtp_ports
    config.mediaConfig.transportConfig.randomizePort = True
    config.natConfig.iceEnabled = False
    config.natConfig.contactRewriteUse = 1 if line.register else 0
    config.natConfig.sipStunUse = pj.PJSUA_STUN_USE_DISABLED
    config.natConfig.mediaStunUse = pj.PJSUA_STUN_USE_DISABLED
    config.presConfig.publishEnabled = False
    config.mwiConfig.enabled = False
    config.videoConfig.autoShowIncoming = False
    config.videoConfig.autoTransmitOutgoing = False
    return config


class Peers:
    """The hosts that may call in on a line. Names are resolved in a thread, since a dead name server takes seconds."""

    def __init__(self, line: LineConfig) -> None:
        self._addresses: frozenset[str] = frozenset()
        hosts = {split_peer(peer)[0] for peer in (line.peer, *line.allowed_peers)}
        numeric = frozenset(host for host in hosts if _is_numeric(host))
        self._addresses = numeric
        names = hosts - numeric
        if names:
            threading.Thread(target=self._resolve, args=(names,), name="peers", daemon=True).start()

    def allows(self, source: str) -> bool:
        """Whether a packet from ``address:port`` comes from one of them."""
        return source.rpartition(":")[0].strip("[]") in self._addresses

    def _resolve(self, names: set[str]) -> None:
        for name in names:
            try:
                found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
            except OSError:
                log.warning("a peer's host name cannot be resolved; calls from it will be refused")
                continue
            self._addresses |= found


def _is_numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False
