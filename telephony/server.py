"""The line process's door: typed messages over an authenticated local socket, several clients at once."""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, Protocol

from telephony.book import Book
from telephony.errors import CommandError
from telephony.messages import (
    PROTOCOL_VERSION,
    Command,
    Error,
    Event,
    GetSnapshot,
    Hello,
    Message,
    MessageError,
    Ok,
    Snapshot,
    decode,
    encode,
)

log = logging.getLogger(__name__)

Handler = Callable[[Any], dict[str, Any]]
"""Carries out a command that is not the engine's. Runs on the client's thread; raises ``CommandError``."""

_QUEUE = 2000
_MAX_CLIENTS = 8
_MAX_BYTES = 65536
_POLL_S = 1.0


class CommandSink(Protocol):
    """The engine, as far as the server needs it."""

    def submit(self, command: Command) -> Future[dict[str, Any]]: ...


class LineServer:
    """Serves the line protocol at ``address``: a Unix socket's path in a folder of its own, or a named pipe on Windows.

    Make it first, give its ``publish`` to the engine, then ``start`` it with the engine. ``handlers`` take the commands
    that others than the engine carry out, such as ``SetAudio`` and ``Shutdown``.
    """

    def __init__(self, address: str, authkey: bytes, handlers: Mapping[type[Command], Handler] | None = None) -> None:
        self._address = address
        self._authkey = authkey
        self._handlers = dict(handlers or {})
        self._book = Book(self._fan_out)
        self._engine: CommandSink | None = None
        self._listener: Listener | None = None
        self._sessions: set[_Session] = set()
        """Every connection."""
        self._clients: set[_Session] = set()
        """Those that said hello and get events."""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="line-server", daemon=True)

    def publish(self, event: Event) -> None:
        """Remember the event and send it to every client; never blocks. Any thread."""
        self._book.publish(event)

    def snapshot(self) -> Snapshot:
        """What a client is told after its hello. Any thread."""
        return self._book.snapshot()

    @property
    def client_count(self) -> int:
        """How many clients are there. Any thread."""
        with self._lock:
            return len(self._clients)

    def start(self, engine: CommandSink) -> None:
        """Listen. Raises ``OSError`` when the address is taken. Any thread."""
        self._engine = engine
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

    def execute(self, command: Command) -> Future[dict[str, Any]]:
        """Give a command to whoever carries it out. The future may hold a ``CommandError``."""
        done: Future[dict[str, Any]] = Future()
        if isinstance(command, GetSnapshot):
            done.set_result(_as_json(self.snapshot()))
            return done
        handler = self._handlers.get(type(command))
        if handler is None:
            if self._engine is None:
                raise RuntimeError("the server was not started")
            return self._engine.submit(command)
        try:
            done.set_result(handler(command))
        except CommandError as error:
            done.set_exception(error)
        except Exception as error:
            log.exception("a command failed")
            done.set_exception(CommandError("bad_message", f"internal error: {type(error).__name__}"))
        return done

    def admit(self, session: _Session) -> None:
        """After its hello: the snapshot first, then every event."""
        with self._lock:
            session.put(self.snapshot())
            self._clients.add(session)

    def forget(self, session: _Session) -> None:
        with self._lock:
            self._clients.discard(session)
            self._sessions.discard(session)

    def _fan_out(self, event: Event) -> None:
        with self._lock:
            for session in self._clients:
                session.put(event)

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
            session = _Session(self, connection, self._authkey, number)
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

    def __init__(self, server: LineServer, connection: Connection, authkey: bytes, number: int) -> None:
        self._server = server
        self._connection = connection
        self._authkey = authkey
        self._number = number
        self._out: queue.Queue[Message | None] = queue.Queue(_QUEUE)
        self._closed = threading.Event()
        self._greeted = False
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
                if self._connection.poll(_POLL_S):
                    self._take(self._connection.recv_bytes(_MAX_BYTES))
        except AuthenticationError:
            log.warning("client %d has the wrong key", self._number)
        except (OSError, EOFError):
            log.debug("client %d has gone", self._number)
        finally:
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

    def _take(self, data: bytes) -> None:
        try:
            command = decode(data)
        except MessageError as error:
            self.put(Error(_id_of(data), "bad_message", str(error)))
            return
        if not isinstance(command, Command):
            self.put(Error("", "bad_message", "not a command"))
        elif isinstance(command, Hello):
            self._greet(command)
        elif not self._greeted:
            self.put(Error(command.id, "bad_message", "the first command is hello"))
        else:
            self._server.execute(command).add_done_callback(lambda done: self.put(_reply(command.id, done)))

    def _greet(self, hello: Hello) -> None:
        if hello.version != PROTOCOL_VERSION:
            self.put(Error(hello.id, "bad_version", f"this line process speaks version {PROTOCOL_VERSION}"))
            return
        self.put(Ok(hello.id, {"version": PROTOCOL_VERSION, "pid": os.getpid()}))
        if not self._greeted:
            self._greeted = True
            self._server.admit(self)

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


def _reply(command_id: str, done: Future[dict[str, Any]]) -> Message:
    error = done.exception()
    if error is None:
        return Ok(command_id, done.result())
    if isinstance(error, CommandError):
        return Error(command_id, error.code, error.message)
    return Error(command_id, "bad_message", type(error).__name__)


def _id_of(data: bytes) -> str:
    """The id of a message that is otherwise not understood, so that its sender need not wait for the time-out."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    found = body.get("id") if isinstance(body, dict) else None
    return found[:64] if isinstance(found, str) else ""


def _as_json(snapshot: Snapshot) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode(snapshot))
    return body


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
