"""One SIP account as PJSIP sees it. Engine thread only; callbacks copy and return."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.addresses import host_text, sip_uri, split_peer
from telephony.messages import LineConfig
from telephony.settings import EngineSettings
from telephony.srtp import PJSIP_USE, secure_signalling

_RETRY_AFTER = re.compile(r"^retry-after[ \t]*:[ \t]*(\d{1,9})", re.IGNORECASE | re.MULTILINE)
_SHORTEST_SESSION_S = 90  # RFC 4028, 5
_TIMER_OFF, _TIMER_ON = pj.PJSUA_SIP_TIMER_INACTIVE, pj.PJSUA_SIP_TIMER_OPTIONAL
_PRACK = {
    "off": pj.PJSUA_100REL_NOT_USED,
    "supported": pj.PJSUA_100REL_OPTIONAL,
    "required": pj.PJSUA_100REL_MANDATORY,
}


@dataclass(frozen=True, slots=True)
class Registration:
    """The registrar's answer, or the lack of one."""

    line_id: str
    sip_code: int
    reason: str
    registered: bool
    heard: bool = True
    """The registrar said so; else it is PJSIP's word for no answer."""
    retry_after_s: int = 0
    """``Retry-After`` (RFC 3261, 20.33); 0 when there is none."""
    role: str = "primary"
    """Which of the line's registrars."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What became of an OPTIONS to a registrar."""

    line_id: str
    role: str
    answered: bool
    """Whatever the answer was; else there was none in 32 s, or the request could not be sent."""


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
        on_probe: Callable[[ProbeAnswer], None] = lambda answer: None,
        role: str = "primary",
    ) -> None:
        super().__init__()
        self._line_id = line_id
        self._role = role
        self._on_registration = on_registration
        self._on_arrival = on_arrival
        self._on_probe = on_probe
        self._asked = 0
        self.transport = -1
        """PJSIP's id of the transport that it uses."""

    @property
    def asking(self) -> bool:
        """An OPTIONS is under way. PJSIP aborts when its end comes to an account that was shut down."""
        return self._asked > 0

    def ask(self, uri: str) -> None:
        """Send an OPTIONS; ``on_probe`` gets what becomes of it. Raises ``pj.Error``."""
        request = pj.SendRequestParam()
        request.method = "OPTIONS"
        request.txOption.targetUri = uri
        self._asked += 1
        try:
            self.sendRequest(request)
        except pj.Error:
            self._asked -= 1
            raise

    def onRegState(self, prm: Any) -> None:
        code, message = int(prm.code), str(prm.rdata.wholeMsg)
        retry_after = _RETRY_AFTER.search(message)
        self._on_registration(
            Registration(
                line_id=self._line_id,
                sip_code=code,
                reason=str(prm.reason),
                registered=code // 100 == 2 and int(prm.expiration) > 0,
                heard=bool(message),
                retry_after_s=int(retry_after[1]) if retry_after else 0,
                role=self._role,
            )
        )

    def onSendRequest(self, prm: Any) -> None:
        self._asked = max(0, self._asked - 1)
        answered = int(prm.e.body.tsxState.type) == pj.PJSIP_EVENT_RX_MSG
        self._on_probe(ProbeAnswer(self._line_id, self._role, answered))

    def onIncomingCall(self, prm: Any) -> None:
        rdata = prm.rdata
        self._on_arrival(Arrival(self._line_id, int(prm.callId), str(rdata.srcAddress), str(rdata.wholeMsg)))


def account_config(
    line: LineConfig, peer: str, settings: EngineSettings, transport: int, local: tuple[str, int]
) -> Any:
    """PJSIP's configuration of a line at one of its registrars: nothing on that the desk does not use.

    Registration is asked for by ``setRegistration`` alone: when to try again is ours to decide.
    """
    config = pj.AccountConfig()
    host = host_text(split_peer(peer)[0]) if line.register else f"{host_text(local[0])}:{local[1]}"
    identity = sip_uri(line.user, host, "udp")
    name = line.display_name.replace("\\", "").replace('"', "")
    config.idUri = f'"{name}" <{identity}>' if name else identity
    config.sipConfig.transportId = transport if line.transport != "tcp" else -1
    config.regConfig.registerOnAdd = False
    config.regConfig.retryIntervalSec = 0
    if line.register:
        config.regConfig.registrarUri = server_uri(peer, line.transport)
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", line.auth_user or line.user, 0, line.password))
    _set_media(config, line, settings)
    _set_calls(config, line)
    config.natConfig.iceEnabled = False
    config.natConfig.contactRewriteUse = 1 if line.register else 0
    config.natConfig.sipStunUse = pj.PJSUA_STUN_USE_DISABLED
    config.natConfig.mediaStunUse = pj.PJSUA_STUN_USE_DISABLED
    config.presConfig.publishEnabled = False
    config.mwiConfig.enabled = False
    config.videoConfig.autoShowIncoming = False
    config.videoConfig.autoTransmitOutgoing = False
    return config


def server_uri(peer: str, transport: str) -> str:
    """The SIP URI of a registrar given as ``host:port``."""
    return f"sip:{peer}" if transport == "udp" else f"sip:{peer};transport={transport}"


def _set_media(config: Any, line: LineConfig, settings: EngineSettings) -> None:
    config.mediaConfig.transportConfig.boundAddress = settings.local_host
    config.mediaConfig.transportConfig.port = settings.rtp_port
    config.mediaConfig.transportConfig.portRange = settings.rtp_ports
    config.mediaConfig.transportConfig.randomizePort = True
    config.mediaConfig.srtpUse = PJSIP_USE[line.srtp]
    config.mediaConfig.srtpSecureSignaling = secure_signalling(line.srtp)


def _set_calls(config: Any, line: LineConfig) -> None:
    config.callConfig.timerUse = _TIMER_ON if line.session_timer_s else _TIMER_OFF
    config.callConfig.timerMinSESec = _SHORTEST_SESSION_S
    config.callConfig.timerSessExpiresSec = max(line.session_timer_s, _SHORTEST_SESSION_S)
    config.callConfig.prackUse = _PRACK[line.reliable_provisional]
