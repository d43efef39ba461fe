"""A TCP proxy on loopback that cuts connections, so that answers get lost after the server has done its work."""

from __future__ import annotations

import contextlib
import random
import socket
import threading


class CuttingProxy:
    """Forwards to ``port``; while ``cutting``, every connection dies before, within or after an answer.

    After how many bytes of answers is drawn from ``budgets`` by a seed.
    """

    def __init__(self, port: int, seed: int, budgets: tuple[int, ...]) -> None:
        self._budgets = budgets
        self._target = port
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.cutting = True
        self.cuts = 0
        self._thread = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                return
            with server, self._known(client, server):
                server.settimeout(None)
                up = threading.Thread(target=self._pump, args=(client, server, None), daemon=True)
                up.start()
                self._pump(server, client, self._budget())
                up.join(5)

    @contextlib.contextmanager
    def _known(self, *sockets: socket.socket):  # type: ignore[no-untyped-def]
        with self._lock:
            self._sockets.update(sockets)
        try:
            yield
        finally:
            with self._lock:
                self._sockets.difference_update(sockets)

    def _budget(self) -> int | None:
        """Bytes of answers that this connection may carry; None for all."""
        with self._lock:
            return self._random.choice(self._budgets) if self.cutting else None

    def _pump(self, source: socket.socket, sink: socket.socket, budget: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if budget is not None and len(data) > budget:
                    sink.sendall(data[:budget])
                    self.cuts += 1
                    break
                sink.sendall(data)
                budget = None if budget is None else budget - len(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
