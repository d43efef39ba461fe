"""Between the carriers and the engine: who gets which command, and every event to every client."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from telephony.book import Book
from telephony.errors import CommandError
from telephony.messages import AckCalls, Command, Event, GetSnapshot, Message, Snapshot, encode
from telephony.records import CallJournal

log = logging.getLogger(__name__)

Handler = Callable[[Any], dict[str, Any]]
"""Carries out a command that is not the engine's. Runs on the client's thread; raises ``CommandError``."""


class CommandSink(Protocol):
    """The engine, as far as the hub needs it."""

    def submit(self, command: Command) -> Future[dict[str, Any]]: ...


class Client(Protocol):
    """One that gets events; ``put`` never blocks."""

    def put(self, message: Message) -> None: ...


class Hub:
    """Make it first, give its ``publish`` to the engine, then ``use`` the engine. Any thread.

    ``handlers`` take the commands that others than the engine carry out, such as ``SetAudio`` and ``Shutdown``. A call
    is written down by ``journal`` before its command is answered and before its ``call_ended`` is sent.
    """

    def __init__(self, journal: CallJournal, handlers: Mapping[type[Command], Handler] | None = None) -> None:
        self.journal = journal
        self._handlers: dict[type[Command], Handler] = {AckCalls: self._acknowledge, **(handlers or {})}
        self._book = Book(self._fan_out)
        self._engine: CommandSink | None = None
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        journal.on_ended = self._book.publish

    def use(self, engine: CommandSink) -> None:
        """Commands go to this engine from now on."""
        self._engine = engine

    def publish(self, event: Event) -> None:
        """Remember the event and send it to every client; never blocks."""
        if not self.journal.take(event):
            self._book.publish(event)

    def snapshot(self) -> Snapshot:
        """What a client is told first."""
        return replace(self._book.snapshot(), ended=self.journal.ended())

    @property
    def client_count(self) -> int:
        """How many clients are there."""
        with self._lock:
            return len(self._clients)

    def admit(self, client: Client) -> None:
        """The snapshot first, then every event."""
        with self._lock:
            client.put(self.snapshot())
            self._clients.add(client)

    def forget(self, client: Client) -> None:
        """This client has gone."""
        with self._lock:
            self._clients.discard(client)

    def execute(self, command: Command) -> Future[dict[str, Any]]:
        """Give a command to whoever carries it out. The future may hold a ``CommandError``."""
        done: Future[dict[str, Any]] = Future()
        if isinstance(command, GetSnapshot):
            done.set_result(json.loads(encode(self.snapshot())))
            return done
        handler = self._handlers.get(type(command))
        if handler is None:
            if self._engine is None:
                raise RuntimeError("the hub was given no engine")
            return self.journal.confirmed(command, self._engine.submit(command))
        try:
            done.set_result(handler(command))
        except CommandError as error:
            done.set_exception(error)
        except Exception as error:
            log.exception("a command failed")
            done.set_exception(CommandError("bad_message", f"internal error: {type(error).__name__}"))
        return done

    def _acknowledge(self, command: AckCalls) -> dict[str, Any]:
        self.journal.acknowledge(command.call_ids)
        return {}

    def _fan_out(self, event: Event) -> None:
        with self._lock:
            for client in self._clients:
                client.put(event)
