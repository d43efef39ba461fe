"""Starting the seat's line process without making anybody wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from telephony.client import LineError

if TYPE_CHECKING:
    from agent_desktop.services.line_port import LinePort, LineSetup, LineStarter

log = logging.getLogger(__name__)

WAITS_S = (1.0, 2.0, 5.0, 15.0)


class LineKeeper:
    """Starts the line process on a thread, again and again until it comes up. Then ``on_line`` is called there, once.

    From then on the line port restarts it by itself. ``on_away`` is called with a reason for each attempt that failed.
    """

    def __init__(
        self,
        starter: LineStarter,
        setup: LineSetup,
        on_line: Callable[[LinePort], None],
        on_away: Callable[[str], None],
    ) -> None:
        self._starter = starter
        self._setup = setup
        self._on_line = on_line
        self._on_away = on_away
        self._line: LinePort | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line-start", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the line process: calls are hung up and their ends told before this returns."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(30)
        if self._line is not None:
            self._line.stop()

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            try:
                self._line = self._starter(self._setup)
            except (LineError, OSError) as error:
                log.warning("line process did not start: %s", type(error).__name__)
                self._on_away(str(error))
            else:
                self._on_line(self._line)
                return
            self._stopping.wait(WAITS_S[min(attempt, len(WAITS_S) - 1)])
            attempt += 1
