"""The engine: one thread that owns PJSIP, driven by commands and telling events. One per process, once."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from telephony.bell import Bell
from telephony.book import Book
from telephony.core import Core
from telephony.errors import CommandError
from telephony.interfaces import GrantCheck, Headset, TapFactory
from telephony.messages import Command, Event, Snapshot
from telephony.settings import EngineSettings

log = logging.getLogger(__name__)

Result = Future[dict[str, Any]]
_Job = Callable[[Core], dict[str, Any]]
_START_S = 10.0
_STOP_S = 10.0


class Engine:
    """SIP lines, the agent's calls and their media.

    ``publish`` is called on the engine thread and must not block; ``make_tap`` and ``check_grant`` are as in
    ``interfaces``.
    """

    def __init__(
        self,
        settings: EngineSettings,
        headset: Headset,
        make_tap: TapFactory,
        check_grant: GrantCheck | None,
        publish: Callable[[Event], None],
    ) -> None:
        self._settings = settings
        self._parts = (headset, make_tap, check_grant)
        self._book = Book(publish)
        self._jobs: queue.SimpleQueue[tuple[_Job, Result] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine")
        self._started: Future[tuple[str, int]] = Future()
        self._closing = threading.Event()
        self._bell = Bell()

    def start(self) -> tuple[str, int]:
        """Start and return host and port of UDP SIP. Raises ``RuntimeError`` when PJSIP cannot start. Any thread."""
        self._thread.start()
        return self._started.result(_START_S)

    def submit(self, command: Command) -> Result:
        """Carry out a command on the engine thread. The future holds the result or a ``CommandError``. Any thread."""
        return self._post(lambda core: core.handle(command))

    def swap_headset(self, headset: Headset) -> Result:
        """Change the headset without touching calls; on ``CommandError`` the old one is kept. Any thread."""
        return self._post(lambda core: core.swap_headset(headset))

    def snapshot(self) -> Snapshot:
        """The latest state of lines, calls and, as far as the engine published it, audio. Any thread."""
        return self._book.snapshot()

    def stop(self) -> None:
        """Hang up, finish, destroy PJSIP and wait for it; may be called twice. Any thread but the engine's."""
        if not self._closing.is_set():
            self._closing.set()
            self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        self._bell.close()

    def _post(self, job: _Job) -> Result:
        result: Result = Future()
        if self._closing.is_set():
            result.set_exception(CommandError("shutting_down", "the line process is about to end"))
            return result
        self._jobs.put((job, result))
        self._bell.ring()
        return result

    def _run(self) -> None:
        try:
            core = Core(self._settings, *self._parts, self._book)
        except Exception as error:
            log.exception("the engine cannot start")
            self._started.set_exception(RuntimeError(f"PJSIP cannot start: {error}"))
            return
        address = _reachable(core.sip_address, self._settings.local_host)
        self._bell.hang(address)
        self._started.set_result(address)
        while self._work(core):  # commands first: what a turn has to look after can wait for them
            try:
                core.follow()
                core.wait()
            except Exception:
                log.exception("one turn of the engine failed")
        core.stop()
        self._refuse_rest()

    def _work(self, core: Core) -> bool:
        """Do the waiting jobs; False when the engine is to end."""
        while not self._jobs.empty():
            entry = self._jobs.get()
            if entry is None:
                return False
            job, result = entry
            if not result.set_running_or_notify_cancel():
                continue
            try:
                result.set_result(job(core))
            except CommandError as error:
                result.set_exception(error)
            except Exception as error:
                log.exception("a command failed")
                result.set_exception(CommandError("sip_error", f"internal error: {type(error).__name__}"))
        return True

    def _refuse_rest(self) -> None:
        while not self._jobs.empty():
            entry = self._jobs.get()
            if entry is not None:
                entry[1].set_exception(CommandError("shutting_down", "the line process is about to end"))


def _reachable(address: tuple[str, int], bound: str) -> tuple[str, int]:
    return (address[0] if bound else "127.0.0.1", address[1])
