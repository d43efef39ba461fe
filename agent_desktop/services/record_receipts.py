"""Telling the line process which calls' records are in the seat's own store, so that it may forget them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from agent_desktop.services.errors import DeskError
from telephony.messages import AckCalls

if TYPE_CHECKING:
    from agent_desktop.services.line_commands import LineCommands

log = logging.getLogger(__name__)

BATCH = 200


class RecordReceipts:
    """Sends receipts on a thread of its own: the line client's must not wait for a reply. Any thread.

    One that cannot be sent is dropped: the line process shows the record again, and it is found written.
    """

    def __init__(self, commands: LineCommands) -> None:
        self._commands = commands
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "call-receipts")
        self._closed = False

    def kept(self, call_ids: Iterable[str]) -> None:
        """These records are committed."""
        with self._lock:
            self._waiting.update(call_ids)
            if not self._closed:
                self._thread.submit(self._send)

    def close(self) -> None:
        """Send what waits, then stop."""
        with self._lock:
            self._closed = True
        self._thread.shutdown(wait=True)

    def _send(self) -> None:
        with self._lock:
            waiting, self._waiting = sorted(self._waiting), set()
        for first in range(0, len(waiting), BATCH):
            try:
                self._commands.request(AckCalls, call_ids=tuple(waiting[first : first + BATCH]))
            except DeskError as error:
                log.info("receipts for call records not sent: %s", error)
                return
