"""What the recorder tells of a recording."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """What is known of a call when its media starts; same fields as telephony's ``CallFacts``."""

    call_id: str
    line_id: str
    direction: str
    started_at: str
    rate: int


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """About once a second while recording, and at each change.

    ``state``: ``recording``, ``sealed``, ``recovered``, ``failed``. ``problem``: empty, ``spool_unwritable``,
    ``disk_full``, ``disk_low``, ``agent_silent``, ``far_silent``. ``failed`` with ``disk_full`` or
    ``spool_unwritable`` goes back to ``recording`` when the disk takes data again.
    """

    recording_id: str
    call_id: str
    state: str
    sealed_ms: int
    """Length of what is safely on the disk."""
    lost_frames: int
    """Frames of 20 ms that did not reach the recording."""
    free_bytes: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a journal holds. ``samples`` a channel, gaps included; levels are root mean square in dBFS."""

    samples: int
    lost_frames: int
    agent_dbfs: float
    far_dbfs: float
