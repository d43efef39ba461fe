"""The thread that keeps the store in step with the server; being offline is a state to wait in, not an error."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from agent_desktop.domain.days import Clock, utc_now
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.store.sync_state import OutboxStore
from agent_desktop.sync.backoff import Backoff
from agent_desktop.sync.outbox import OutboxSender
from agent_desktop.sync.pull import Puller

log = logging.getLogger(__name__)

POLL_S = 15.0
_AWAY = (Problem.SERVER_AWAY, Problem.SERVER_UNTRUSTED, Problem.SERVER_ERROR)


@dataclass(frozen=True, slots=True)
class SyncState:
    """Where synchronising stands. ``problem`` is a ``Problem`` code of the last cycle, empty when it went well."""

    online: bool = False
    offline_since: datetime | None = None
    signed_out: bool = False
    waiting: int = 0
    refused: int = 0
    problem: str = ""


class SyncWorker:
    """Runs a cycle when woken (a new operation, a hint) and every ``POLL_S``; backs off while the server is away.

    ``on_state`` is called on the worker's thread after every cycle in which the state changed.
    """

    def __init__(
        self,
        sender: OutboxSender | None,
        puller: Puller,
        outbox: OutboxStore,
        on_state: Callable[[SyncState], None],
        *,
        clock: Clock = utc_now,
        backoff: Backoff | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self._sender = sender
        self._puller = puller
        self._outbox = outbox
        self._on_state = on_state
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._poll_s = poll_s
        self._state = SyncState()
        self._told: SyncState | None = None
        self._woken = threading.Condition()
        self._wake_asked = True
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)

    @property
    def state(self) -> SyncState:
        return self._state

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Run a cycle now. Any thread; never blocks."""
        with self._woken:
            self._wake_asked = True
            self._woken.notify()

    def stop(self, timeout: float = 20.0) -> None:
        """End after the request under way. May be called twice."""
        with self._woken:
            self._stopping = True
            self._woken.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def run_once(self) -> SyncState:
        """One cycle: what we did goes first, so that what comes back already holds it."""
        try:
            if self._sender is not None:
                self._sender.send_all()
                self._tell()
            self._puller.pull_all(lambda: not self._stopping)
        except DeskError as error:
            self._failed(error)
        else:
            self._backoff.reset()
            self._state = replace(self._state, online=True, offline_since=None, signed_out=False, problem="")
        self._tell()
        return self._state

    def _failed(self, error: DeskError) -> None:
        away = error.problem in _AWAY
        if self._state.problem != str(error.problem):
            log.info("sync: %s", error)
        since = self._state.offline_since or self._clock()
        self._state = replace(
            self._state,
            online=not away,
            offline_since=since if away else None,
            signed_out=error.problem is Problem.SIGNED_OUT,
            problem=str(error.problem),
        )

    def _tell(self) -> None:
        try:
            counts = self._outbox.counts()
        except DeskError as error:
            log.warning("outbox cannot be counted: %s", error)
        else:
            self._state = replace(self._state, waiting=counts.waiting, refused=counts.refused)
        if self._state != self._told:
            self._told = self._state
            self._on_state(self._state)

    def _run(self) -> None:
        while self._wait():
            try:
                self.run_once()
            except Exception:
                log.exception("a sync cycle failed")
                self._state = replace(self._state, problem=str(Problem.UNEXPECTED))

    def _wait(self) -> bool:
        """Wait for a wake or for time; False when it is time to stop."""
        pause = self._backoff.next() if self._state.problem else self._poll_s
        with self._woken:
            if not self._wake_asked and not self._stopping:
                self._woken.wait(pause)
            self._wake_asked = False
            return not self._stopping
