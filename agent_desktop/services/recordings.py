"""QA: find recordings and fetch their audio through the server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agent_desktop.domain.models import Outcome, RecordingRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RecordingQuery:
    """Conditions, all optional, joined by and. ``text``: agent, case number, debtor's name or last digits of a number."""

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    outcome: Outcome | None = None
    min_seconds: float = 0.0
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ReplayAudio:
    """A decoded recording: 16-bit mono PCM of each side, equally long, at ``rate`` samples a second."""

    rate: int
    agent: npt.NDArray[np.int16]
    far: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Access:
    """Who replayed or exported a recording, and when."""

    who: str
    what: str
    """``replayed`` or ``exported``."""
    at: datetime


class RecordingService:
    """Everything goes through the server, which checks permission and logs each read."""

    def search(self, query: RecordingQuery) -> list[RecordingRow]:
        raise NotImplementedError

    def audio(self, recording_id: str) -> ReplayAudio:
        """Fetch and decode. Raises ``DeskError`` with ``FORBIDDEN``, ``NOT_FOUND``, ``RECORDING_DAMAGED``, ``SERVER_AWAY``."""
        raise NotImplementedError

    def accesses(self, recording_id: str) -> list[Access]:
        """From the audit log, newest first."""
        raise NotImplementedError
