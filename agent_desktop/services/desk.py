"""The desk of one signed-in person: every use case, put together."""

from __future__ import annotations

from dataclasses import dataclass

from agent_desktop.domain.models import User
from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.recordings import RecordingService
from agent_desktop.services.status import StatusService
from agent_desktop.services.wallboard import WallboardService
from agent_desktop.services.wrap_up import WrapUpService


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

    def close(self) -> None:
        raise NotImplementedError
