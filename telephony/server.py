"""The line process's door: typed messages over an authenticated local socket, several clients at once."""

from __future__ import annotations

import logging
import os
import queue
import socket
import sys
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path

from telephony.conversation import MAX_BYTES, Conversation
from telephony.hub import Hub
from telephony.messages import Message, encode

log = logging.getLogger(__name__)

_QUEUE = 2000
_MAX_CLIENTS = 8
_POLL_S = 1.0


class LineServer:
    """Serves a hub at ``address``: a Unix socket's path in a folder of its own, or a named pipe on Windows."""

    def __init__(self, address: str, authkey: bytes, hub: Hub) -> None:
        self._address = address
        self._authkey = authkey
        self._hub = hub
        self._listener: Listener | None = None
        self._sessions: set[_Session] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="line-server", daemon=True)

    def start(self) -> None:
        """Listen. Raises ``OSError`` when the address is taken. Any thread."""
        if sys.platform == "win32":
            self._listener = Listener(self._address, "AF_PIPE")
        else:
            _prepare_folder(Path(self._address))
            self._listener = Listener(self._address, "AF_UNIX")
            Path(self._address).chmod(0o600)
        self._thread.start()

    def stop(self) -> None:
        """Send what is queued, part with every client and give up the address. Any thread."""
        self._stopping.set()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.finish()
        if self._listener is None:
            return
        self._wake_listener()
        self._thread.join(2)
        self._listener.close()

    def forget(self, session: _Session) -> None:
        with self._lock:
            self._sessions.discard(session)

    def _accept(self) -> None:
        assert self._listener is not None
        number = 0
        while not self._stopping.is_set():
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):
                self._stopping.wait(0.1)
                continue
            number += 1
            session = _Session(self, self._hub, connection, self._authkey, number)
            with self._lock:
                welcome = len(self._sessions) < _MAX_CLIENTS and not self._stopping.is_set()
                if welcome:
                    self._sessions.add(session)
            if welcome:
                session.start()
            else:
                connection.close()

    def _wake_listener(self) -> None:
        try:
            Client(self._address).close()
        except OSError:
            return


class _Session:
    """One client: a thread that reads its commands and one that writes replies and events from a bounded queue.

    A client that does not read fast enough is dropped when its queue is full; it comes back and gets a snapshot.
    """

    def __init__(self, server: LineServer, hub: Hub, connection: Connection, authkey: bytes, number: int) -> None:
        self._server = server
        self._conversation = Conversation(hub, self.put)
        self._connection = connection
        self._authkey = authkey
        self._number = number
        self._out: queue.Queue[Message | None] = queue.Queue(_QUEUE)
        self._closed = threading.Event()
        self._writer = threading.Thread(target=self._write, name=f"line-out-{number}", daemon=True)

    def start(self) -> None:
        threading.Thread(target=self._read, name=f"line-in-{self._number}", daemon=True).start()

    def put(self, message: Message) -> None:
        """Queue a message; never blocks. Any thread."""
        try:
            self._out.put_nowait(message)
        except queue.Full:
            if not self._closed.is_set():
                log.warning("client %d is too slow and is dropped", self._number)
            self._drop()

    def finish(self) -> None:
        """Write what is queued, then part; waits at most a second."""
        try:
            self._out.put_nowait(None)
        except queue.Full:
            self._drop()
        if self._writer.is_alive():
            self._writer.join(1)
        self._drop()

    def _read(self) -> None:
        try:
            deliver_challenge(self._connection, self._authkey)
            answer_challenge(self._connection, self._authkey)
            self._writer.start()
            while not self._closed.is_set():
                if sys.platform != "win32" or self._connection.poll(_POLL_S):  # shut down, a socket ends its reader
                    self._conversation.take(self._connection.recv_bytes(MAX_BYTES))
        except AuthenticationError:
            log.warning("client %d has the wrong key", self._number)
        except (OSError, EOFError):
            log.debug("client %d has gone", self._number)
        finally:
            self._conversation.end()
            self._server.forget(self)
            self._drop()
            self._connection.close()

    def _write(self) -> None:
        while True:
            message = self._out.get()
            if message is None or self._closed.is_set():
                return
            try:
                self._connection.send_bytes(encode(message))
            except (OSError, ValueError):
                self._drop()
                return

    def _drop(self) -> None:
        """End both threads, a writer that is stuck in a send too."""
        if self._closed.is_set():
            return
        self._closed.set()
        _shut_down(self._connection)
        try:
            self._out.put_nowait(None)
        except queue.Full:
            return


def _prepare_folder(path: Path) -> None:
    """A folder that only this user may enter; a socket left behind by a process that died is removed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.parent.stat()
    if status.st_uid != os.getuid():
        raise PermissionError("the line socket's folder belongs to someone else")
    if status.st_mode & 0o077:
        path.parent.chmod(0o700)
    if path.is_socket() and not _answers(path):
        path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _shut_down(connection: Connection) -> None:
    """Wake the threads that wait in this connection; on Windows the reader's next poll does it."""
    if sys.platform == "win32":
        return
    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as both_ways:
            both_ways.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
