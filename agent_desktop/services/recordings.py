"""QA: find recordings and fetch their audio through the server."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agent_desktop.domain.models import Outcome, RecordingRow
from agent_desktop.services.errors import DeskError, Problem

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from agent_desktop.services.context import DeskContext


@dataclass(frozen=True, slots=True)
class RecordingQuery:
    """Conditions, all optional, joined by and.

    ``text``: agent, case number, debtor's name or last digits of a number.
    """

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

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    def search(self, query: RecordingQuery) -> list[RecordingRow]:
        """Rows that fit, newest first. Raises ``DeskError``."""
        from agent_desktop.sync.shapes import iso

        conditions = {"limit": str(query.limit)}
        if query.text.strip():
            conditions["text"] = query.text.strip()
        if query.since is not None:
            conditions["since"] = iso(query.since)
        if query.until is not None:
            conditions["until"] = iso(query.until)
        if query.outcome is not None:
            conditions["outcome"] = query.outcome.value
        if query.min_seconds > 0:
            conditions["min_seconds"] = f"{query.min_seconds:g}"
        return self._desk.api.recordings(conditions)

    def audio(self, recording_id: str) -> ReplayAudio:
        """Fetch and decode.

        Raises ``DeskError`` with ``FORBIDDEN``, ``NOT_FOUND``, ``RECORDING_DAMAGED``, ``SERVER_AWAY``.
        """
        return decode_audio(self._desk.api.recording_audio(recording_id))

    def accesses(self, recording_id: str) -> list[Access]:
        """From the audit log, newest first."""
        return [Access(entry.who, entry.what, entry.at) for entry in self._desk.api.accesses(recording_id)]


def decode_audio(data: bytes) -> ReplayAudio:
    """Two-channel Ogg/Opus (agent left, far side right), decoded in memory: nothing touches the disk.

    Raises ``DeskError(RECORDING_DAMAGED)``.
    """
    import numpy as np
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise DeskError(Problem.RECORDING_DAMAGED, "the audio cannot be decoded") from error
    if samples.shape[1] != 2 or not len(samples):
        raise DeskError(Problem.RECORDING_DAMAGED, "not two channels of sound")
    agent, far = (np.ascontiguousarray(samples[:, side]) for side in (0, 1))
    return ReplayAudio(int(rate), agent, far)
