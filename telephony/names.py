"""Host names to addresses, without ever waiting: a dead name server takes many seconds, and the engine has none."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

_FRESH_S = 30.0
_RETRY_S = 5.0
_KEPT = 256
"""Names at most: a far end chooses the names in its Contact."""

Lookup = Callable[[str], tuple[str, ...]]


def is_numeric(host: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, without brackets."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, UnicodeError, ValueError):
            continue
        return True
    return False


def system_lookup(host: str) -> tuple[str, ...]:
    """The system's answer, IPv4 first; empty when there is none. Blocks as long as the name server likes."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return ()
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in ordered))


@dataclass(slots=True)
class _Entry:
    addresses: tuple[str, ...] = ()
    asked_at: float | None = None
    asking: bool = False
    answered: bool = False
    """The system said something about this name, if only that it does not know it."""


class Names:
    """What is known of each name. One thread a name that is being asked for; any thread may call."""

    def __init__(self, lookup: Lookup = system_lookup, clock: Callable[[], float] = time.monotonic) -> None:
        self._lookup = lookup
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def addresses(self, host: str) -> tuple[str, ...]:
        """Addresses of a name as last known, and asks again when that is long ago. Returns at once.

        An answer stays good while the name server does not give another: it is likelier dead than the host.
        """
        if is_numeric(host):
            return (host,)
        with self._lock:
            entry = self._entry(host.lower())
            pause = _FRESH_S if entry.addresses else _RETRY_S
            if not entry.asking and (entry.asked_at is None or self._clock() - entry.asked_at >= pause):
                self._ask(host.lower(), entry)
            return entry.addresses

    def unknown(self, host: str) -> bool:
        """Whether the system was asked and knows no address of this name."""
        with self._lock:
            entry = self._entries.get(host.lower())
            return entry is not None and entry.answered and not entry.addresses

    def refresh(self) -> None:
        """The network changed: ask again for every name when it is next wanted."""
        with self._lock:
            for entry in self._entries.values():
                entry.asked_at = None

    def _entry(self, host: str) -> _Entry:
        if host not in self._entries:
            idle = [name for name, entry in self._entries.items() if not entry.asking]
            if len(self._entries) >= _KEPT and idle:
                self._entries.pop(idle[0])
            self._entries[host] = _Entry()
        return self._entries[host]

    def _ask(self, host: str, entry: _Entry) -> None:
        entry.asking, entry.asked_at = True, self._clock()
        threading.Thread(target=self._resolve, args=(host, entry), name="names", daemon=True).start()

    def _resolve(self, host: str, entry: _Entry) -> None:
        found = self._lookup(host)
        if not found:
            log.warning("a SIP host name cannot be resolved")
        with self._lock:
            entry.addresses = found or entry.addresses
            entry.asking, entry.answered, entry.asked_at = False, True, self._clock()
