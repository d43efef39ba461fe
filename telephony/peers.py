"""The hosts that may call in on a line."""

from __future__ import annotations

from telephony.addresses import split_peer
from telephony.messages import LineConfig
from telephony.names import Names, is_numeric


class Peers:
    """Its registrars' and the allowed peers' addresses, whatever the transport; or anybody, where policy says so."""

    def __init__(self, line: LineConfig, names: Names) -> None:
        peers = (line.peer, *((line.backup_peer,) if line.backup_peer else ()), *line.allowed_peers)
        hosts = dict.fromkeys(split_peer(peer)[0] for peer in peers)
        self._addresses = frozenset(host for host in hosts if is_numeric(host))
        self._hosts = tuple(host for host in hosts if host not in self._addresses)
        self._names = names
        self._anybody = line.accept_any
        for host in self._hosts:
            names.addresses(host)  # so that the answer is there when it is wanted

    def allows(self, source: str) -> bool:
        """Whether a packet from ``address:port`` comes from one of them."""
        return self._anybody or self.configured(source)

    def configured(self, source: str) -> bool:
        """Whether it comes from one of them that is named, whatever policy says of others."""
        address = source.rpartition(":")[0].strip("[]")
        return address in self._addresses or any(address in self._names.addresses(host) for host in self._hosts)
