"""One client's side of the line protocol, whatever carries it: messages in, replies and events out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from telephony.errors import CommandError
from telephony.hub import Hub
from telephony.messages import PROTOCOL_VERSION, Command, Error, Hello, Message, MessageError, Ok, decode

MAX_BYTES = 65536
"""Longest message of a client."""


class Conversation:
    """Reads one client's messages. ``put`` queues a message for that client and never blocks. One thread at a time.

    Until it has said hello a client gets no event and is refused every other command; ``open`` lets it in without.
    """

    def __init__(self, hub: Hub, put: Callable[[Message], None]) -> None:
        self._hub = hub
        self._put = put
        self._greeted = False

    def put(self, message: Message) -> None:
        """Send the client a reply or an event. Any thread."""
        self._put(message)

    def take(self, data: bytes) -> None:
        """Answer one message, now or when its command is done."""
        try:
            command = decode(data)
        except MessageError as error:
            self._put(Error(_id_of(data), "bad_message", str(error)))
            return
        if not isinstance(command, Command):
            self._put(Error("", "bad_message", "not a command"))
        elif isinstance(command, Hello):
            self._greet(command)
        elif not self._greeted:
            self._put(Error(command.id, "bad_message", "the first command is hello"))
        else:
            self._hub.execute(command).add_done_callback(lambda done: self._put(_reply(command.id, done)))

    def open(self) -> None:
        """Let the client in: the snapshot, then every event."""
        if not self._greeted:
            self._greeted = True
            self._hub.admit(self)

    def end(self) -> None:
        """The client has gone."""
        self._hub.forget(self)

    def _greet(self, hello: Hello) -> None:
        if hello.version != PROTOCOL_VERSION:
            self._put(Error(hello.id, "bad_version", f"this line process speaks version {PROTOCOL_VERSION}"))
            return
        if hello.agent_id:
            self._hub.journal.agent_id = hello.agent_id
        self._put(Ok(hello.id, {"version": PROTOCOL_VERSION, "pid": os.getpid()}))
        self.open()


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
