"""The SIP lines: set up, registered, removed. Engine thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pjsua2 import pjsua2 as pj

from telephony.account import Arrival, Peers, Registration, SipAccount, account_config
from telephony.addresses import host_text, is_number, sip_uri, split_peer
from telephony.endpoint import Library
from telephony.errors import CommandError
from telephony.messages import Event, LineConfig, LineState
from telephony.settings import EngineSettings

log = logging.getLogger(__name__)

_TRANSPORTS = ("udp", "tcp", "tls")


@dataclass(slots=True)
class Line:
    """A line that is set up."""

    config: LineConfig
    account: SipAccount
    peers: Peers
    uri: str
    state: str
    """As in ``messages.LineState``."""


class Lines:
    """Every line by its id."""

    def __init__(
        self,
        settings: EngineSettings,
        library: Library,
        on_registration: Callable[[Registration], None],
        on_arrival: Callable[[Arrival], None],
        publish: Callable[[Event], None],
    ) -> None:
        self._settings = settings
        self._library = library
        self._on_registration = on_registration
        self._on_arrival = on_arrival
        self._publish = publish
        self._lines: dict[str, Line] = {}

    def add(self, config: LineConfig) -> LineState:
        """Set a line up, in place of the one of the same id. Raises ``CommandError``."""
        _check(config)
        try:
            transport = self._library.transport(config.transport)
            local = self._library.address(config.transport)
            account = SipAccount(config.line_id, self._on_registration, self._on_arrival)
            self._drop(config.line_id)
            account.create(account_config(config, self._settings, transport, local))
        except pj.Error as error:
            raise CommandError("sip_error", "the line could not be set up") from error
        uri = sip_uri(config.user, f"{host_text(local[0])}:{local[1]}", config.transport)
        state = "registering" if config.register else "ready"
        self._lines[config.line_id] = Line(config, account, Peers(config), uri, state)
        return self._tell(config.line_id, state)

    def remove(self, line_id: str) -> None:
        """Unregister and forget a line. Raises ``CommandError``."""
        self.known(line_id)
        self._drop(line_id)
        self._publish(LineState(line_id, "removed"))

    def known(self, line_id: str) -> Line:
        """The line of this id. Raises ``CommandError``."""
        line = self._lines.get(line_id)
        if line is None:
            raise CommandError("no_such_line", "no line of this id is set up")
        return line

    def ready(self, line_id: str) -> Line:
        """The line of this id, if it can make calls. Raises ``CommandError``."""
        line = self.known(line_id)
        if line.state not in ("ready", "registered"):
            raise CommandError("line_not_ready", "the line is not registered")
        return line

    def find(self, line_id: str) -> Line | None:
        return self._lines.get(line_id)

    def of_account(self, index: int) -> Line | None:
        """The line with PJSIP's account of this index."""
        return next((line for line in self._lines.values() if line.account.getId() == index), None)

    def first(self) -> Line | None:
        return next(iter(self._lines.values()), None)

    def for_request(self, index: int, source: str) -> Line | None:
        """The line that a request from ``source`` is for: PJSIP's choice (an account's index), if that line may be
        called from there, else the first that may.
        """
        allowing = [line for line in self._lines.values() if line.peers.allows(source)]
        return next((line for line in allowing if line.account.getId() == index), allowing[0] if allowing else None)

    def registration(self, answer: Registration) -> None:
        """The registrar answered."""
        if answer.line_id not in self._lines:
            return
        state = "registered" if answer.registered else "failed"
        self._tell(answer.line_id, state, answer.sip_code, answer.reason)

    def drop_all(self) -> bool:
        """Unregister and forget every line, for the end of the process; whether a registrar has to be told."""
        registered = any(line.config.register for line in self._lines.values())
        for line_id in list(self._lines):
            self._drop(line_id)
        return registered

    def _drop(self, line_id: str) -> None:
        line = self._lines.pop(line_id, None)
        if line is not None:
            line.account.shutdown()

    def _tell(self, line_id: str, state: str, sip_code: int = 0, reason: str = "") -> LineState:
        line = self._lines[line_id]
        line.state = state
        event = LineState(line_id, state, sip_code, reason, line.uri)
        self._publish(event)
        return event


def _check(config: LineConfig) -> None:
    if config.transport not in _TRANSPORTS:
        raise CommandError("bad_message", "the transport is one of udp, tcp and tls")
    if not config.line_id or not is_number(config.user):
        raise CommandError("bad_message", "the line needs an id and a user that fits into a SIP address")
    try:
        for peer in (config.peer, *config.allowed_peers):
            split_peer(peer)
    except ValueError as error:
        raise CommandError("bad_message", "a peer is given as host:port") from error
