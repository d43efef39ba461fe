"""The indicators at the top of the window: line, server, sync, upload, recording, sound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent_desktop.services.listeners import Listeners


@dataclass(frozen=True, slots=True)
class StatusView:
    """All indicators at one moment."""

    line_state: str = "registering"
    """As ``telephony.messages.LineState``, or ``away`` when the line process is not there."""
    line_name: str = ""
    line_sip_code: int = 0
    line_reason: str = ""
    online: bool = False
    """The server answered last time."""
    offline_since: datetime | None = None
    signed_out: bool = False
    """The server no longer accepts our token: sign in again."""
    outbox: int = 0
    """Notes and call records not yet taken by the server."""
    refused: int = 0
    """Operations that the server refused for good; kept, and shown."""
    uploads_waiting: int = 0
    uploading: bool = False
    upload_problem: str = ""
    """Empty, ``server_away``, ``receipt_wrong``, ``refused``, ``spool_unreadable``."""
    audio: str = ""
    audio_problem: str = ""
    recording_problem: str = ""


class StatusService:
    """Collects what the workers report. Listeners are called on the reporting thread."""

    changed: Listeners[StatusView]

    @property
    def now(self) -> StatusView:
        raise NotImplementedError

    def set_agent_state(self, state: str) -> None:
        """What the wallboard shows when there is no call: ``ready``, ``wrap_up`` or ``break``."""
        raise NotImplementedError
