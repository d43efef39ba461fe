"""A client of the line process. Light to import: no pjsua2, no numpy. One reader thread a connection."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telephony.errors import LineError as LineError
from telephony.messages import Command, Error, Event, Hello, Message, MessageError, Ok, decode, encode

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

log = logging.getLogger(__name__)

_RETRY_S = 0.05


class LineClient:
    """Sends commands and receives events.

    ``on_event`` is called on the reader thread with every event, the snapshot first. ``on_lost`` is called there once
    with an English reason when an established connection ends without ``close``; ``connect`` may then be called again.
    ``agent_id`` is who sits here, told with each hello.
    """

    def __init__(
        self,
        address: str,
        authkey: bytes,
        on_event: Callable[[Event], None],
        on_lost: Callable[[str], None],
        agent_id: str = "",
    ) -> None:
        self._address = address
        self._authkey = authkey
        self._on_event = on_event
        self._on_lost = on_lost
        self._agent_id = agent_id
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._name = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)
        self._waiting: dict[str, Future[dict[str, Any]]] = {}
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def connect(self, timeout: float = 5.0, *, wait: bool = True) -> dict[str, Any]:
        """Connect and say hello. Returns ``version`` and ``pid``.

        ``wait``: a process that is not there yet may still come up; otherwise that is an error at once.

        Raises ``LineError``: ``away`` when there is no line process in time or it has another key, ``bad_version``.
        """
        if self.connected:
            raise LineError("wrong_state", "already connected")
        deadline = time.monotonic() + timeout
        until = deadline if wait else 0.0
        opened: Future[Connection] = Future()
        threading.Thread(target=self._run, args=(opened, until), name="line-client", daemon=True).start()
        try:
            opened.result(timeout)
        except FutureTimeout:
            opened.cancel()
            raise LineError("away", "the line process does not answer") from None
        try:
            return self.request(Hello("", agent_id=self._agent_id), max(0.1, deadline - time.monotonic()))
        except LineError:
            self.close()
            raise

    def request(self, command: Command | Callable[[str], Command], timeout: float = 2.0) -> dict[str, Any]:
        """Send a command and wait for its result. Any thread but the reader's.

        ``command`` is complete but for its id, which is set here, or makes one from an id. Raises ``LineError``.
        """
        done = self.send(command)
        try:
            return done.result(timeout)
        except FutureTimeout:
            done.cancel()
            raise LineError("away", "the line process did not answer in time") from None

    def send(self, command: Command | Callable[[str], Command]) -> Future[dict[str, Any]]:
        """Send a command without waiting. The future holds the result or a ``LineError``. Any thread."""
        command_id = f"{self._name}-{next(self._numbers)}"
        message = replace(command, id=command_id) if isinstance(command, Command) else command(command_id)
        data = encode(message)
        with self._sending:  # the reply is looked up under it too: it cannot come before it is waited for
            connection = self._connection
            if connection is None:
                raise LineError("away", "not connected to the line process")
            try:
                connection.send_bytes(data)
            except (OSError, ValueError) as error:
                raise LineError("away", "the connection to the line process is gone") from error
            done = self._waiting[message.id] = Future()
        return done

    def close(self) -> None:
        """Part; ``on_lost`` is not called. May be called twice. Any thread."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            _shut_down(connection)

    def _run(self, opened: Future[Connection], deadline: float) -> None:
        connection = self._open(opened, deadline)
        if connection is None:
            return
        reason = self._read(connection)
        with self._sending:
            with self._lock:
                lost = self._connection is connection
                if lost:
                    self._connection = None
            waiting = list(self._waiting.values())
            self._waiting.clear()
        connection.close()
        for done in waiting:
            if done.set_running_or_notify_cancel():
                done.set_exception(LineError("away", reason))
        if lost:
            self._on_lost(reason)

    def _open(self, opened: Future[Connection], deadline: float) -> Connection | None:
        from multiprocessing import AuthenticationError
        from multiprocessing.connection import Client

        while True:
            try:
                connection = Client(self._address, _family(), authkey=self._authkey)
                break
            except AuthenticationError:
                error = LineError("away", "the line process has another key")
            except (OSError, EOFError):
                error = LineError("away", "there is no line process")
                if time.monotonic() + _RETRY_S < deadline and not opened.cancelled():
                    time.sleep(_RETRY_S)
                    continue
            if opened.set_running_or_notify_cancel():
                opened.set_exception(error)
            return None
        if not opened.set_running_or_notify_cancel():
            connection.close()
            return None
        self._connection = connection
        opened.set_result(connection)
        return connection

    def _read(self, connection: Connection) -> str:
        """Take messages until the connection ends; returns why it did."""
        while True:
            try:
                message = decode(connection.recv_bytes())
            except (OSError, EOFError):
                return "the connection to the line process is gone"
            except MessageError:
                log.warning("a message of the line process was not understood")
                continue
            self._take(message)

    def _take(self, message: Message) -> None:
        if isinstance(message, Event):
            try:
                self._on_event(message)
            except Exception:
                log.exception("a listener failed on %s", message.type)
            return
        with self._sending:
            done = self._waiting.pop(getattr(message, "id", ""), None)
        if done is None or not done.set_running_or_notify_cancel():
            return
        if isinstance(message, Ok):
            done.set_result(message.result)
        elif isinstance(message, Error):
            done.set_exception(LineError(message.code, message.message))


def _family() -> str:
    return "AF_PIPE" if sys.platform == "win32" else "AF_UNIX"


def _shut_down(connection: Connection) -> None:
    """End the connection so that a reader that waits in it wakes up."""
    if sys.platform == "win32":
        connection.close()
        return
    import os
    import socket

    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as both_ways:
            both_ways.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
