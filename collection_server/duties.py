"""What a server does from time to time without being asked, once among all of its processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from collection_server.context import Server
from collection_server.retention import tables

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
RETRY = timedelta(minutes=15)
"""After a process died at a duty, another one takes it up."""


class NotNow(Exception):
    """The duty is another process's at the moment."""


@dataclass(frozen=True, slots=True)
class Duty:
    """``run`` returns what came of it, in a few words without personal data; it may take long. Safe to be run by two
    processes at once, or says ``NotNow``.
    """

    name: str
    every: timedelta
    run: Callable[[], str]


class Duties:
    """A thread that runs each duty when it is due."""

    def __init__(self, server: Server, duties: Sequence[Duty]) -> None:
        self._server = server
        self._duties = tuple(duties)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="duties", daemon=True)

    def start(self) -> None:
        if self._duties:
            self._thread.start()

    def stop(self) -> None:
        """The one under way goes on until the process ends; it bears that."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _work(self) -> None:
        while not self._stopping.is_set():
            for duty in self._duties:
                if not self._stopping.is_set():
                    self.look_after(duty)
            self._stopping.wait(LOOK_SECONDS)

    def look_after(self, duty: Duty) -> bool:
        """Run it when it is due; whether it was run."""
        try:
            if not self._claim(duty):
                return False
            result = duty.run()
        except (NotNow, IntegrityError):
            return False
        except Exception as error:
            log.error("%s failed: %s", duty.name, type(error).__name__)
            result = f"failed: {type(error).__name__}"
        self._end(duty, result)
        return True

    def _claim(self, duty: Duty) -> bool:
        now = self._server.clock()
        with self._server.db.read() as session:
            if not _is_due(session.get(tables.Duty, duty.name), duty, now):
                return False
        with self._server.db.write() as session:
            row = session.get(tables.Duty, duty.name, with_for_update=True)
            if not _is_due(row, duty, now):
                return False
            if row is None:
                session.add(tables.Duty(name=duty.name, started_at=now, finished_at=None, result=""))
            else:
                row.started_at = now
        return True

    def _end(self, duty: Duty, result: str) -> None:
        try:
            with self._server.db.write() as session:
                row = session.get_one(tables.Duty, duty.name)
                row.finished_at, row.result = self._server.clock(), result[:200]
        except Exception as error:
            log.error("%s could not be noted: %s", duty.name, type(error).__name__)


def _is_due(row: tables.Duty | None, duty: Duty, now: datetime) -> bool:
    if row is None or row.started_at is None:
        return True
    ended = row.finished_at is not None and row.finished_at >= row.started_at
    return now - row.started_at >= (duty.every if ended else min(RETRY, duty.every))
