"""PJSIP's library: started, hardened and taken down in order. Engine thread only."""

from __future__ import annotations

import ctypes
import gc
import logging
import re
from collections.abc import Callable, Container
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.connections import Connections, ExpectedNames
from telephony.door import Door
from telephony.drive import Drive
from telephony.names import Names
from telephony.pace import Pace
from telephony.settings import EngineSettings
from telephony.sip_names import SipNames
from telephony.tls import Connection, Security

log = logging.getLogger(__name__)

_PERSONAL = re.compile(r"(sips?:|tel:)[^\s;>]*|\"[^\"]*\"|\b\+?\d{5,}\b", re.IGNORECASE)
_TRANSPORTS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}
TurnedAway = Callable[[int, str, str], None]
"""SIP code, source as ``address:port`` and the whole INVITE that PJSIP refused before anybody was asked."""
ChooseAccount = Callable[[int, str, str], int]
"""From PJSIP's choice (an account's index), the source as ``address:port`` and the whole request to an index."""

_CIPHERS = (0xC030, 0xC02F, 0xC02C, 0xC02B, 0x9F, 0x9E, 0xC028, 0xC027, 0x9D, 0x9C)
"""ECDHE and DHE with AES-GCM first, then CBC with SHA-2, then RSA key exchange, which old PBXs have (RFC 9325, 4.2)."""
_HANDSHAKE_MS = 8000

_WARNINGS = 2
_TRACE = 5
_WARNINGS_IN_WINDOW, _WINDOW_S = 30, 10.0
_BRIDGE_QUALITY = 10  # the large resampling filter: flat to 3.4 kHz, where the small one has lost 5 dB
_MAX_CALLS = 16
_MAX_PORTS = 64


class _Log(pj.LogWriter):  # type: ignore[misc]
    """PJSIP's warnings in Python's log, without URIs, names and numbers, and not so many as a flood could cause.

    What follows the first line is the packet that PJSIP could not use: it stays out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pace = Pace(_WARNINGS_IN_WINDOW, _WINDOW_S)
        self._left_out = 0

    def write(self, entry: Any) -> None:
        if not self._pace.take():
            self._left_out += 1
            return
        text = _PERSONAL.sub("…", entry.msg.strip().partition("\n")[0])
        left_out, self._left_out = self._left_out, 0
        more = f" ({left_out} more before it)" if left_out else ""
        # PJSIP logs a peer's refusal as an error; for this process it is an ordinary event.
        logging.getLogger("telephony.pjsip").warning("%s%s", text, more)


class _Endpoint(pj.Endpoint):  # type: ignore[misc]
    """Lets the engine choose the account that takes a request, and judge the servers that are connected to."""

    def __init__(self) -> None:
        super().__init__()
        self.choose: ChooseAccount | None = None
        self.turned_away: TurnedAway | None = None
        self.connections = Connections(self.transportShutdown)

    def onTransportState(self, prm: Any) -> None:
        self.connections.moved(prm)

    def onSelectAccount(self, prm: Any) -> None:
        if self.choose is not None:
            rdata = prm.rdata
            prm.accountIndex = self.choose(int(prm.accountIndex), str(rdata.srcAddress), str(rdata.wholeMsg))

    def onRejectedIncomingCall(self, prm: Any) -> None:
        if self.turned_away is not None:
            rdata = prm.rdata
            self.turned_away(int(prm.statusCode), str(rdata.srcAddress), str(rdata.wholeMsg))


class Library:
    """The one PJSIP endpoint of the process and its transports."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._endpoint = _Endpoint()
        self._door = Door()
        self._transports: dict[tuple[str, Security | None], int] = {}
        self._addresses: dict[str, tuple[str, int]] = {}
        self.names = Names()
        self._sip_names = SipNames(self.names)
        self.drive: Drive
        """The media clock and its ports, once the library is started."""

    def tell_turned_away(self, told: TurnedAway | None) -> None:
        """Tell ``told``, inside PJSIP's callback, of INVITEs that it refuses by itself, for want of room for one."""
        self._endpoint.turned_away = told

    def choose_account_with(self, choose: ChooseAccount | None) -> None:
        """Ask ``choose`` for the account of each request that begins something; None for PJSIP's own choice."""
        self._endpoint.choose = choose

    def follow_connections(self, tell: Callable[[Connection], None], expected: ExpectedNames) -> None:
        """Tell of TCP and TLS connections; ``expected`` says what a server's certificate must bear."""
        self._endpoint.connections.follow(tell, expected)

    def drop_connections(self) -> None:
        """Give up every TCP and TLS connection; the next request makes a new one."""
        self._endpoint.connections.drop_all()

    def start(self) -> None:
        """Create the library, the UDP transport and the media clock. Raises ``pj.Error``."""
        _hush()
        self._endpoint.libCreate()
        self._endpoint.libInit(self._config())
        self._door.open()
        _level_g722()
        self._endpoint.libStart()
        self._choose_codecs()
        self._sip_names.install()
        self.drive = Drive(self._endpoint.audDevManager, self._settings.clock_rate, self._settings.own_clock)
        self.drive.clock.start()
        self.transport("udp")

    def transport(self, kind: str, security: Security | None = None) -> int:
        """Id of the ``udp`` or ``tcp`` transport, or the ``tls`` one of this security; opened when first asked for.

        Raises ``pj.Error``; PJSIP has room for eight.
        """
        key = (kind, security if kind == "tls" else None)
        if key not in self._transports:
            config = pj.TransportConfig()
            config.boundAddress = self._settings.local_host
            config.port = 0 if kind == "tls" else self._settings.local_port
            if kind == "tls":
                _secure(config.tlsConfig, security or Security())
            number = self._endpoint.transportCreate(_TRANSPORTS[kind], config)
            self._transports[key] = number
            self._addresses[kind] = self._local_address(number)
        return self._transports[key]

    def close_unused(self, used: Container[int]) -> None:
        """Close the TLS transports that are not among these ids. Raises ``pj.Error``."""
        for key, number in list(self._transports.items()):
            if key[0] == "tls" and number not in used:
                self._endpoint.transportClose(number)
                del self._transports[key]

    def address(self, kind: str) -> tuple[str, int]:
        """Host and port where that transport is reached."""
        if kind not in self._addresses:
            self.transport(kind)
        return self._addresses[kind]

    def handle_events(self, timeout_ms: int) -> None:
        """Wait for SIP events, at most so long; the callbacks run inside."""
        self._endpoint.libHandleEvents(timeout_ms)
        self._sip_names.turn()

    def stop(self) -> None:
        """Destroy the library, without good-byes on the network. Every other pjsua2 object must be gone."""
        self._door.close()
        self.drive.clock.close()
        gc.collect()
        self._sip_names.close()
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)

    def _config(self) -> Any:
        settings = self._settings
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = _MAX_CALLS
        config.uaConfig.userAgent = settings.user_agent
        config.uaConfig.mwiUnsolicitedEnabled = False
        config.medConfig.clockRate = settings.clock_rate
        config.medConfig.sndClockRate = settings.clock_rate
        config.medConfig.audioFramePtime = 20
        config.medConfig.ecTailLen = 0
        config.medConfig.noVad = True
        config.medConfig.sndAutoCloseTime = -1  # the clock's thread lives as long as the library
        config.medConfig.quality = _BRIDGE_QUALITY
        config.medConfig.maxMediaPorts = _MAX_PORTS
        config.logConfig.consoleLevel = 0
        if settings.log_path:
            config.logConfig.level = _TRACE
            config.logConfig.filename = settings.log_path
        else:
            config.logConfig.msgLogging = 0
            config.logConfig.level = _WARNINGS
            config.logConfig.consoleLevel = _WARNINGS
            writer = _Log()
            config.logConfig.writer = writer
            writer.__disown__()  # the endpoint deletes it
        return config

    def _choose_codecs(self) -> None:
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/")[0]
            wanted = self._settings.codecs
            priority = 250 - 10 * wanted.index(name) if name in wanted else 0
            self._endpoint.codecSetPriority(codec.codecId, priority)

    def _local_address(self, number: int) -> tuple[str, int]:
        host, _, port = self._endpoint.transportGetInfo(number).localName.rpartition(":")
        return host.strip("[]"), int(port)


def _secure(config: Any, security: Security) -> None:
    """TLS 1.2, the newest that this build has. The chain is checked always; see ``Connections`` for names."""
    config.CaListFile = security.authorities
    config.verifyServer = not security.named_elsewhere
    config.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2
    config.ciphers = pj.IntVector(_CIPHERS)
    config.enableRenegotiation = False
    config.msecTimeout = _HANDSHAKE_MS


def _hush() -> None:
    """PJSIP logs to standard output before it can be configured, which may be a carrier of the line protocol."""
    try:
        ctypes.CDLL(pj._pjsua2.__file__).pj_log_set_level(0)
    except (AttributeError, OSError):
        log.debug("this build of PJSIP does not let its log be set early")


def _level_g722() -> None:
    """The scale of Asterisk, FreeSWITCH and spandsp: PJMEDIA's own is 6 dB above it and clips what they send."""
    try:
        ctypes.CDLL(pj._pjsua2.__file__).pjmedia_codec_g722_set_pcm_shift(1)
    except (AttributeError, OSError):
        log.warning("this build of PJSIP does not let the level of G.722 be set; it is 6 dB too loud")
