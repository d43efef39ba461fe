"""What the recorder tells of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Segments = tuple[tuple[int, int, int], ...]
"""Where the audio lies in the call: first sample in the file, first sample in the call, samples."""


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """What is known of a call when its media starts; beginning with the fields of telephony's ``CallFacts``.

    From ``far_number`` on it is sealed into the file, salted, and only its hash is in the manifest. ``compliance`` is
    what was decided before the call: JSON of whole numbers, texts and the like, 2 KB at most.
    """

    call_id: str
    line_id: str
    direction: str
    started_at: str
    rate: int
    far_number: str = ""
    agent_id: str = ""
    compliance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """About once a second while recording, and at each change.

    ``state``: ``recording``, ``waiting`` (nothing is taken just now: no voice, or nobody asked), ``sealed``,
    ``recovered``, ``failed``, ``nothing`` (the call is over and nothing of it was recorded).
    ``problem``: empty, ``spool_unwritable``,
    ``disk_full``, ``disk_low``, ``agent_silent``, ``far_silent``. ``failed`` with ``disk_full`` or
    ``spool_unwritable`` goes back to ``recording`` when the disk takes data again.
    """

    recording_id: str
    """Empty until something is recorded."""
    call_id: str
    state: str
    sealed_ms: int
    """Length of what is safely on the disk."""
    lost_frames: int
    """Frames of 20 ms that did not reach the recording."""
    free_bytes: int
    problem: str = ""
    mode: str = "automatic"
    paused: str = ""
    """The pause's reason; empty when it is not paused."""
    pause_left_ms: int = 0
    """Until it goes on by itself."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a journal holds. ``samples`` a channel, gaps included; levels are root mean square in dBFS.

    ``left_out``: samples of these that are no audio because of the mode.
    """

    samples: int
    lost_frames: int
    agent_dbfs: float
    far_dbfs: float
    left_out: int = 0
