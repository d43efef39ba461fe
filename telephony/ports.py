"""What the bridge's ports are to the rest of the engine, whichever way they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Give = Callable[[], bytes]
"""The next frame of 20 ms for the bridge. Media clock's thread."""
Take = Callable[[bytes], None]
"""A frame of 20 ms from the bridge, empty when nobody transmits to the port. Media clock's thread."""


class Port(Protocol):
    """A port on the media bridge, a call's or one of ours."""

    def getPortId(self) -> int:
        """Its slot."""


class BridgePorts(Protocol):
    """Makes ports on the media bridge, and connects ports. Engine thread.

    The bridge calls every port once a tick: first all that give and have listeners, in the order of their slots, then
    all that take, likewise. Ports are never removed: doing so while the media clock runs is the one thing to avoid.
    """

    def duplex(self, name: str, rate: int, give: Give, take: Take) -> Port:
        """A port that gives and takes 16-bit mono PCM of ``rate`` Hz."""

    def sink(self, name: str, rate: int, take: Take) -> Port:
        """A port that only takes."""

    def route(self, source: Port, sink: Port, on: bool) -> str:
        """Connect or disconnect; either may be so already. Returns what is wrong, empty when all is well."""

    def close(self) -> None:
        """Let go of every port. No clock runs, and none will."""
