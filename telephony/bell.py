"""Ends the engine's wait for SIP at once."""

from __future__ import annotations

import socket

_KEEP_ALIVE = b"\r\n\r\n"


class Bell:
    """Rings by a keep-alive (RFC 5626, 3.5.1) to the engine's own UDP port; before ``hang`` it does nothing."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address: tuple[str, int] | None = None

    def hang(self, address: tuple[str, int]) -> None:
        """Where the engine listens. Any thread, once."""
        self._address = address

    def ring(self) -> None:
        """Any thread; takes some 10 µs. A ring that is lost is made up for by the engine's next turn."""
        if self._address is None:
            return
        try:
            self._socket.sendto(_KEEP_ALIVE, self._address)
        except OSError:
            return

    def close(self) -> None:
        """Nobody rings any more."""
        self._socket.close()
