"""The line protocol on two file descriptors, one JSON message a line: the headless softphone's carrier."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator

from telephony.conversation import MAX_BYTES, Conversation
from telephony.hub import Hub
from telephony.messages import Error, Message, encode

log = logging.getLogger(__name__)

_QUEUE = 2000
_CHUNK = 65536
_FLUSH_S = 2.0


class StdioCarrier:
    """Serves one client, who needs no hello: whoever holds the other ends is let in. Ends are told to ``on_end``, once.

    A reader that leaves 2,000 messages unread ends the conversation; there is nobody who could come back to it.
    """

    def __init__(self, hub: Hub, commands: int, events: int, on_end: Callable[[str], None]) -> None:
        self._hub = hub
        self._commands = commands
        self._events = events
        self._on_end = on_end
        self._ended = threading.Event()
        self._conversation = Conversation(hub, self.put)
        self._out: queue.Queue[Message | None] = queue.Queue(_QUEUE)
        self._reader = threading.Thread(target=self._read, name="stdio-in", daemon=True)
        self._writer = threading.Thread(target=self._write, name="stdio-out", daemon=True)

    def start(self) -> None:
        """Send the snapshot, then every event; take commands. Any thread."""
        self._conversation.open()
        self._writer.start()
        self._reader.start()

    def put(self, message: Message) -> None:
        """Queue a message; never blocks. Any thread."""
        try:
            self._out.put_nowait(message)
        except queue.Full:
            self._end("nobody reads the events")

    def finish(self) -> None:
        """Write what is queued, two seconds at most. Commands that still come are not answered."""
        self._conversation.end()
        try:
            self._out.put(None, timeout=_FLUSH_S)
        except queue.Full:
            return
        if self._writer.is_alive():
            self._writer.join(_FLUSH_S)

    def _read(self) -> None:
        for line in lines_of(self._commands):
            if line is None:
                self.put(Error("", "bad_message", f"a message has at most {MAX_BYTES} bytes"))
            else:
                self._conversation.take(line)
        self._end("the end of the commands")

    def _write(self) -> None:
        while (message := self._out.get()) is not None:
            data = encode(message) + b"\n"
            try:
                while data:
                    data = data[os.write(self._events, data) :]
            except OSError:
                self._end("nobody reads the events")
                return

    def _end(self, reason: str) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._on_end(reason)


def lines_of(descriptor: int) -> Iterator[bytes | None]:
    """The lines that come, without their ends; None for one that is longer than a message may be.

    Reads the descriptor itself: a buffered reader would hold a lock when the process ends in the middle of a read.
    """
    waiting, too_long = b"", False
    while True:
        try:
            data = os.read(descriptor, _CHUNK)
        except OSError:
            data = b""
        *lines, waiting = (waiting + data).split(b"\n") if data else (waiting, b"")
        for line in lines:
            whole, too_long = not too_long and len(line) <= MAX_BYTES, False
            if whole and (line or data):
                yield line.removesuffix(b"\r")
            elif not whole:
                yield None
        if not data:
            return
        if len(waiting) > MAX_BYTES:
            waiting, too_long = b"", True
