"""Notices that the machine's network changed or that the machine slept. Engine thread only; never waits."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable

_LOOK_S = 1.0
_SLEPT_S = 5.0
_PORT = 5060


def route_from(address: str) -> str:
    """Our own address towards this one, by the routing table alone; empty when there is no way there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, _PORT))  # sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def awake_clock() -> float:
    """Seconds, those of sleep included."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class NetworkWatch:
    """Compares, once a second, our addresses towards the registrars with what they were."""

    def __init__(self, route: Callable[[str], str] = route_from, clock: Callable[[], float] = awake_clock) -> None:
        self._route = route
        self._clock = clock
        self._seen_at = clock()
        self._looked_at = 0.0
        self._ways: dict[str, str] = {}

    def changed(self, addresses: Iterable[str], look: bool = False) -> bool:
        """Whether we are reached at another address now, have a way to a server again, or slept. Call it often.

        ``look``: look now, because a server is new.
        """
        now = self._clock()
        slept = now - self._seen_at > _SLEPT_S
        self._seen_at = now
        if not slept and not look and now - self._looked_at < _LOOK_S:
            return False
        self._looked_at = now
        before, self._ways = self._ways, {address: self._route(address) for address in addresses}
        moved = any(way and before.get(address, way) != way for address, way in self._ways.items())
        return slept or moved

    def reachable(self, address: str) -> bool:
        """Whether there was a way to this address when last looked at."""
        return self._ways.get(address, "?") != ""

    def our_address(self, address: str) -> str:
        """Where we are reached from there; empty when it is not known."""
        return self._ways.get(address, "")
