"""The SIP lines: set up, registered, removed. Engine thread only."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pjsua2 import pjsua2 as pj

from telephony.account import Arrival, ProbeAnswer, Registration, SipAccount, account_config
from telephony.addresses import host_text, is_number, split_peer
from telephony.endpoint import Library
from telephony.errors import CommandError
from telephony.line import Line as Line
from telephony.line import Outlook
from telephony.messages import Event, LineConfig, LineState
from telephony.names import Names
from telephony.network import NetworkWatch
from telephony.peers import Peers
from telephony.registrar import ALONE, WITH_BACKUP, Pace, Registrar
from telephony.settings import EngineSettings
from telephony.srtp import MODES
from telephony.tls import Connection, Security, expected_names

log = logging.getLogger(__name__)

_TRANSPORTS = ("udp", "tcp", "tls")
_PRACK = ("supported", "required", "off")
_DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
_LOOK_S = 0.2
_LONGEST_TURN_S = 0.5
_RECONNECT_S = 2.0
_SHORTEST_SESSION_S = 90
_TOO_MANY = 70010  # PJ_ETOOMANY
_MOST_ACCOUNTS = 7
"""PJSIP has eight and aborts at the ninth; one refuses calls (``Admission``)."""


class Lines:
    """Every line by its id."""

    def __init__(
        self,
        settings: EngineSettings,
        library: Library,
        on_arrival: Callable[[Arrival], None],
        publish: Callable[[Event], None],
        has_calls: Callable[[str], bool] = lambda line_id: False,
    ) -> None:
        self._settings = settings
        self._library = library
        self._on_arrival = on_arrival
        self._publish = publish
        self._has_calls = has_calls
        self._names: Names = library.names
        self._watch = NetworkWatch()
        self._lines: dict[str, Line] = {}
        self._retired: list[SipAccount] = []
        """Accounts of lines that have gone, until the last request of theirs has ended."""
        self._inbox: deque[Registration | ProbeAnswer | Connection] = deque()
        self._now = 0.0
        """Seconds that were watched: what goes by while the thread is held up says nothing of a registrar."""
        self._turned_at = time.monotonic()
        self._reconnected_at = -_RECONNECT_S
        library.follow_connections(self._inbox.append, self._expected_names)

    def add(self, config: LineConfig) -> LineState:
        """Set a line up, in place of the one of the same id. Raises ``CommandError``."""
        _check(config)
        try:
            self._transport(config, config.peer)
            self._drop(config.line_id)
            line = self._make(config)
            line.servers[0].open()
        except pj.Error as error:
            code = "line_busy" if error.status == _TOO_MANY else "sip_error"
            raise CommandError(code, f"the line could not be set up: {error.title}") from error
        self._lines[config.line_id] = line
        self._watch_network(look=True)
        line.on_time(self._now, self._outlook(line), False)
        return self._tell(line)

    def remove(self, line_id: str) -> None:
        """Unregister and forget a line. Raises ``CommandError``."""
        self.known(line_id)
        self._drop(line_id)
        self._publish(LineState(line_id, "removed"))

    def refresh(self) -> None:
        """The network changed or the machine woke up: register every line again, over new connections."""
        self._names.refresh()
        self._library.drop_connections()
        for line in self._lines.values():
            line.refresh(self._now)

    def known(self, line_id: str) -> Line:
        """The line of this id. Raises ``CommandError``."""
        line = self._lines.get(line_id)
        if line is None:
            raise CommandError("no_such_line", "no line of this id is set up")
        return line

    def ready(self, line_id: str) -> Line:
        """The line of this id, if it can make calls. Raises ``CommandError``."""
        line = self.known(line_id)
        if not line.ready:
            raise CommandError("line_not_ready", "the line is not registered")
        return line

    def find(self, line_id: str) -> Line | None:
        return self._lines.get(line_id)

    def of_account(self, index: int) -> Line | None:
        """The line with PJSIP's account of this index."""
        return next((line for line in self._lines.values() if line.has_account(index)), None)

    def first(self) -> Line | None:
        return next(iter(self._lines.values()), None)

    def for_request(self, index: int, source: str) -> Line | None:
        """The line that a request from ``source`` is for: PJSIP's choice (an account's index), if that line may be
        called from there, else the first that may.
        """
        allowing = [line for line in self._lines.values() if line.peers.allows(source)]
        return next((line for line in allowing if line.has_account(index)), allowing[0] if allowing else None)

    def on_time(self) -> None:
        """Once a turn of the engine: what registrars said at once; what is due, four times a second."""
        elapsed = time.monotonic() - self._turned_at
        if elapsed < _LOOK_S and not self._inbox:
            return
        self._turned_at += elapsed
        self._now += min(elapsed, _LONGEST_TURN_S)
        while self._inbox:
            self._note(self._inbox.popleft())
        if self._watch_network():
            log.info("the network changed: every line registers again")
            self.refresh()
        for account in [account for account in self._retired if not account.asking]:
            self._retired.remove(account)
            account.shutdown()
        for line in self._lines.values():
            line.on_time(self._now, self._outlook(line), not self._has_calls(line.config.line_id))
            self._tell(line)

    def drop_all(self) -> bool:
        """Unregister and forget every line, for the end of the process; whether a registrar has to be told."""
        registered = any(server.registered for line in self._lines.values() for server in line.servers)
        for line_id in list(self._lines):
            self._drop(line_id)
        return registered

    def close(self) -> None:
        """For the end of the process, after the last turn: accounts that wait for an answer are left to PJSIP."""
        for account in self._retired:
            if account.asking:
                account.__disown__()
            else:
                account.shutdown()
        self._retired.clear()

    # --- inside ---

    def _make(self, config: LineConfig) -> Line:
        pace = WITH_BACKUP if config.backup_peer else ALONE
        servers = [self._server(config, "primary", config.peer, pace)]
        if config.backup_peer and config.register:
            servers.append(self._server(config, "backup", config.backup_peer, pace))
        return Line(config, Peers(config, self._names), servers[0], servers[1] if len(servers) > 1 else None)

    def _server(self, config: LineConfig, role: str, peer: str, pace: Pace) -> Registrar:
        return Registrar(role, peer, config.transport, pace, partial(self._open, config, role, peer), self._retire)

    def _open(self, config: LineConfig, role: str, peer: str) -> SipAccount:
        if len(self._accounts()) >= _MOST_ACCOUNTS:
            raise pj.Error(_TOO_MANY, "account", "too many lines at once", __name__, 0)
        transport = self._transport(config, peer)
        local = self._library.address(config.transport)
        account = SipAccount(config.line_id, self._inbox.append, self._on_arrival, self._inbox.append, role)
        account.create(account_config(config, peer, self._settings, transport, local))
        account.transport = transport
        return account

    def _accounts(self) -> list[SipAccount]:
        servers = (server for line in self._lines.values() for server in line.servers)
        return [server.account for server in servers if server.account is not None] + self._retired

    def _transport(self, config: LineConfig, peer: str) -> int:
        authorities = config.tls_ca_file or self._settings.tls_ca_file
        security = Security(authorities, config.tls_name or split_peer(peer)[0], bool(config.tls_name))
        try:
            return self._library.transport(config.transport, security)
        except pj.Error as error:
            if error.status != _TOO_MANY:
                raise
        self._library.close_unused({account.transport for account in self._accounts()})
        return self._library.transport(config.transport, security)

    def _retire(self, account: SipAccount) -> None:
        if not account.asking:
            account.shutdown()  # which unregisters
            return
        try:
            account.setRegistration(False)
        except pj.Error:
            log.debug("a line that goes was not registered")
        self._retired.append(account)

    def _note(self, note: Registration | ProbeAnswer | Connection) -> None:
        if isinstance(note, Connection):
            self._connection(note)
            return
        line = self._lines.get(note.line_id)
        if line is None:
            return
        if isinstance(note, Registration):
            line.answered(note, self._now)
        else:
            line.probed(note, self._now)

    def _connection(self, note: Connection) -> None:
        """A connection was made or broken: calls in come over it, so a line without it is not reached."""
        for line in self._lines.values():
            if line.config.transport != note.kind:
                continue
            for server in line.servers:
                host, port = self._place(line.config, server)
                if note.remote and note.remote == f"{host_text(self._address(host))}:{port}":
                    server.tls_problem = note.problem
        if not note.up and self._now - self._reconnected_at > _RECONNECT_S:
            self._reconnected_at = self._now
            for line in self._lines.values():
                if line.config.transport == note.kind:
                    line.reconnect(self._now)

    def _place(self, config: LineConfig, server: Registrar) -> tuple[str, int]:
        host, port = split_peer(server.peer)
        return host, port or _DEFAULT_PORTS[config.transport]

    def _expected_names(self, remote: str) -> set[str]:
        """Names that a TLS server at this ``address:port`` must bear by a line's ``tls_name``."""
        known = []
        for line in self._lines.values():
            if line.config.transport == "tls" and line.config.tls_name:
                for server in line.servers:
                    host, port = self._place(line.config, server)
                    known.append((self._names.addresses(host), port, line.config.tls_name))
        return expected_names(remote, known)

    def _address(self, host: str) -> str:
        """First address of a registrar's host; empty while there is none."""
        return next(iter(self._names.addresses(host)), "")

    def _watch_network(self, look: bool = False) -> bool:
        hosts = {split_peer(server.peer)[0] for line in self._lines.values() for server in line.servers}
        return self._watch.changed({address for host in hosts if (address := self._address(host))}, look)

    def _outlook(self, line: Line) -> Outlook:
        addresses = [self._address(split_peer(server.peer)[0]) for server in line.servers]
        reachable = [not address or self._watch.reachable(address) for address in addresses]
        host, port = self._library.address(line.config.transport)
        if not self._settings.local_host:
            host = self._watch.our_address(addresses[0]) or host
        return Outlook(reachable[0], reachable[-1], f"{host_text(host)}:{port}")

    def _drop(self, line_id: str) -> None:
        line = self._lines.pop(line_id, None)
        if line is not None:
            line.close()

    def _tell(self, line: Line) -> LineState:
        event = line.news()
        if event is not None:
            self._publish(event)
        return line.told


def _check(config: LineConfig) -> None:
    if config.transport not in _TRANSPORTS:
        raise CommandError("bad_message", "the transport is one of udp, tcp and tls")
    if not config.line_id or not is_number(config.user):
        raise CommandError("bad_message", "the line needs an id and a user that fits into a SIP address")
    if config.srtp not in MODES:
        raise CommandError("bad_message", "srtp is one of off, optional and mandatory")
    if config.srtp == "mandatory" and config.transport != "tls":
        raise CommandError("bad_message", "mandatory SRTP needs TLS: its keys would travel in the clear")
    if config.reliable_provisional not in _PRACK:
        raise CommandError("bad_message", "reliable_provisional is one of supported, required and off")
    if config.session_timer_s and config.session_timer_s < _SHORTEST_SESSION_S:
        raise CommandError("bad_message", "a session timer has 90 seconds at least (RFC 4028)")
    if config.presented_number and not is_number(config.presented_number):
        raise CommandError("bad_message", "the presented number does not fit into a SIP address")
    if config.tls_ca_file and not _readable(config.tls_ca_file):
        raise CommandError("bad_message", "the file of the line's authorities cannot be read")
    _check_peers(config)


def _check_peers(config: LineConfig) -> None:
    try:
        for peer in (config.peer, *config.allowed_peers, *((config.backup_peer,) if config.backup_peer else ())):
            split_peer(peer)
    except ValueError as error:
        raise CommandError("bad_message", "a peer is given as host:port") from error


def _readable(path: str) -> bool:
    try:
        return "-----BEGIN CERTIFICATE-----" in Path(path).read_text("latin-1")
    except OSError:
        return False
