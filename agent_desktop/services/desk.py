"""The desk of one signed-in person: every use case, put together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from agent_desktop.domain.models import User
from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.phone import PhoneService
from agent_desktop.services.recordings import RecordingService
from agent_desktop.services.status import StatusService
from agent_desktop.services.wallboard import WallboardService
from agent_desktop.services.wrap_up import WrapUpService

log = logging.getLogger(__name__)


class Shutdown:
    """The stages of closing a desk, in their order. A stage that fails is logged and does not stop the next."""

    def __init__(self) -> None:
        self._stages: list[tuple[str, Callable[[], object]]] = []
        self._lock = threading.Lock()

    def add(self, name: str, stage: Callable[[], object]) -> None:
        """A stage to run after those that were added before."""
        self._stages.append((name, stage))

    def run(self) -> None:
        """Run every stage once; a second call waits for the first and does nothing."""
        with self._lock:
            stages, self._stages = self._stages, []
            for name, stage in stages:
                try:
                    stage()
                except Exception as error:
                    log.warning("closing %s failed: %s", name, type(error).__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a window works with. ``close`` signs out and stops every thread; may take some seconds."""

    user: User
    cases: CaseService
    calls: CallService
    wrap_up: WrapUpService
    status: StatusService
    recordings: RecordingService
    wallboard: WallboardService
    phone: PhoneService = field(default_factory=PhoneService)
    shutdown: Shutdown = field(default_factory=Shutdown, repr=False, compare=False)
    renew: Callable[[str], None] | None = field(default=None, repr=False, compare=False)

    def sign_in_again(self, password: str) -> None:
        """Get a new session for the same person when the server no longer takes the old one; nothing else stops.

        Raises ``DeskError``.
        """
        if self.renew is not None:
            self.renew(password)

    def close(self) -> None:
        """Staged: line, seat's state, uploads, last operations, session, store. May be called twice."""
        self.shutdown.run()
