"""One SIP line: its registrars, the account in use, its state in words. Engine thread only."""

from __future__ import annotations

from dataclasses import dataclass

from telephony.account import ProbeAnswer, Registration, SipAccount
from telephony.addresses import host_text, sip_uri, split_peer
from telephony.failover import Choice
from telephony.messages import LineConfig, LineState
from telephony.peers import Peers
from telephony.registrar import Registrar


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the engine knows of the network around a line."""

    network: bool = True
    """There is a way to the primary registrar."""
    backup_network: bool = True
    our_address: str = ""
    """``host:port`` where the line is reached."""


class Line:
    """A line that is set up. Without ``register`` it is direct: always ready, called at its own port."""

    def __init__(self, config: LineConfig, peers: Peers, primary: Registrar, backup: Registrar | None) -> None:
        self.config = config
        self.peers = peers
        self.servers = (primary,) if backup is None else (primary, backup)
        self._primary = primary
        self._choice = Choice(primary, backup) if config.register else None
        self._outlook = Outlook()
        self.told = self._state()
        """What the world was told last."""
        self._said = False

    @property
    def account(self) -> SipAccount:
        """Where calls are made: the registrar's in use. Raises ``pj.Error``."""
        return self._server().open()

    @property
    def ready(self) -> bool:
        """Whether calls can be made."""
        return self._choice is None or self._choice.in_use is not None

    @property
    def uri(self) -> str:
        """Where this line can be reached."""
        return sip_uri(self.config.user, self._outlook.our_address, self.config.transport)

    def dial_uri(self, number: str) -> str:
        """The SIP URI that a call to this number is sent to: at the registrar in use."""
        return sip_uri(number, self._server().peer, self.config.transport)

    def identity_headers(self) -> tuple[tuple[str, str], ...]:
        """P-Preferred-Identity (RFC 3325, 9.2) of an INVITE: the number that the called party is to be shown."""
        number = self.config.presented_number
        if not number:
            return ()
        host = host_text(split_peer(self._server().peer)[0])
        return (("P-Preferred-Identity", f"<{sip_uri(number, host, 'udp')}>"),)

    def has_account(self, index: int) -> bool:
        """Whether PJSIP's account of this index is one of this line's."""
        accounts = (server.account for server in self.servers)
        return any(account is not None and account.getId() == index for account in accounts)

    def on_time(self, now: float, outlook: Outlook, free: bool) -> None:
        """``now`` as in ``Registrar``; ``free``: no call is up on the line."""
        self._outlook = outlook
        if self._choice is None:
            return
        for server, network in zip(self.servers, (outlook.network, outlook.backup_network), strict=False):
            if network and not server.network:
                server.refresh(now)
            server.network = network
            server.on_time(now, server is self._primary or server.wanted, free)
        self._choice.look(now)

    def answered(self, answer: Registration, now: float) -> None:
        self._of(answer.role).answered(answer, now)

    def probed(self, answer: ProbeAnswer, now: float) -> None:
        self._of(answer.role).probed(answer.answered, now)

    def refresh(self, now: float) -> None:
        """The network changed."""
        if self._choice is not None:
            for server in self.servers:
                server.refresh(now)

    def reconnect(self, now: float) -> None:
        """A connection broke: whatever is registered over it is registered again, since calls in come over it."""
        for server in self.servers:
            if server.registered:
                server.refresh(now)

    def close(self) -> None:
        """Unregister and forget; no call may be up on it."""
        for server in self.servers:
            server.close()

    def news(self) -> LineState | None:
        """The line's state, when it is another than was told last."""
        state = self._state()
        if state == self.told and self._said:
            return None
        self.told, self._said = state, True
        return state

    def _state(self) -> LineState:
        line_id, uri = self.config.line_id, self.uri
        if self._choice is None:
            return LineState(line_id, "ready", uri=uri)
        if self._choice.in_use is not None:
            return LineState(line_id, "registered", 200, "OK", uri, self._choice.in_use.role)
        trouble = self._choice.trouble
        if trouble is None:
            return LineState(line_id, "registering", uri=uri)
        return LineState(line_id, "failed", trouble.sip_code, trouble.reason, uri, problem=trouble.problem)

    def _server(self) -> Registrar:
        used = self._choice.in_use if self._choice is not None else None
        return next((server for server in self.servers if server is used), self._primary)

    def _of(self, role: str) -> Registrar:
        return next(server for server in self.servers if server.role == role)
