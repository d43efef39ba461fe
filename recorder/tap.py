"""One call's recording between the threads: the media thread hands over, the writer seals, the keeper syncs."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

from recorder.files import SpoolError
from recorder.finalise import FinishedJournal
from recorder.journal import Close, Frame, Journal, Mark, utc_now
from recorder.status import RecordingStatus

_log = logging.getLogger(__name__)

PIECE_FRAMES = 8
"""0.16 s: with the writer's delay, a kill loses less than 0.25 s."""
BACKLOG_FRAMES = 3000
"""A minute of frames waits in memory for a disk that takes none; then frames are lost, and counted."""
DISK_LOW = 500_000_000
RETRY_SECONDS = 1.0

_WRITE_EVERY = PIECE_FRAMES * 0.02
_SPOOL_PROBLEMS = ("disk_full", "spool_unwritable")


class RecordingSession:
    """One call's recording; a ``MediaTap`` by shape. Made by ``Recorder.start``."""

    def __init__(self, journal: Journal, wake: SimpleQueue[None]) -> None:
        self.recording_id = journal.facts.recording_id
        self._journal: Journal | None = journal
        self._facts = journal.facts
        self._wake = wake
        self._queue: deque[Frame | Mark | Close] = deque()
        self._since_wake = 0
        self._closed = False
        self._dropped_to = 0
        self._state = "recording"
        self._problem = ""
        self._synced = 0
        self._lost = 0
        self._written_at = 0.0
        self._retry_at = 0.0

    # --- media and engine threads ---

    def frames(self, start: int, agent: bytes | None, far: bytes | None) -> None:
        """Hand over 20 ms of each side (s16le mono; None: nothing came). Media thread; returns within microseconds."""
        queue = self._queue
        if self._closed:
            return
        if len(queue) >= BACKLOG_FRAMES:
            self._dropped_to = start + self._facts.rate // 50
            return
        queue.append((start, agent, far))
        self._since_wake += 1
        if self._since_wake >= PIECE_FRAMES:
            self._since_wake = 0
            self._wake.put(None)

    def event(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Mark something in the record, at the sample reached. ``detail`` must be JSON. Engine thread."""
        if not self._closed and len(self._queue) < BACKLOG_FRAMES:
            self._queue.append(Mark(kind, utc_now(), dict(detail)))

    def close(self, cause: str) -> None:
        """The call's media is over; the rest happens in the background. Idempotent. Engine thread."""
        if not self._closed:
            self._closed = True
            self._queue.append(Close(cause, utc_now(), self._dropped_to))
            self._wake.put(None)

    # --- any thread ---

    def status(self, free_bytes: int) -> RecordingStatus:
        """How the recording stands, on a disk with ``free_bytes`` left."""
        journal, problem = self._journal, self._problem
        if journal is not None:
            self._lost = journal.lost_frames
            if self._state == "recording":
                problem = "disk_low" if free_bytes < DISK_LOW else journal.silence.problem
        ms = self._synced * 1000 // self._facts.rate
        call_id = self._facts.call_id
        return RecordingStatus(self.recording_id, call_id, self._state, ms, self._lost, free_bytes, problem)

    @property
    def is_live(self) -> bool:
        """Frames may still come."""
        return not self._closed

    def fail(self, problem: str) -> None:
        """The disk does not take it (``disk_full``, ``spool_unwritable``). Writer, keeper and finaliser thread."""
        if self._problem != problem:
            _log.warning("recording %s: %s", self.recording_id, problem)
        self._state, self._problem = "failed", problem

    def mark_sealed(self, samples: int) -> None:
        """Ready for upload. Finaliser thread."""
        self._synced = samples
        self._state, self._problem = "sealed", ""

    def release(self) -> None:
        """Let go of the journal as it is, for the next start to recover. Only when no thread uses it any more."""
        if self._journal is not None and self._journal.file is not None:
            self._journal.file.close()

    # --- writer thread ---

    def pump(self, now: float) -> FinishedJournal | None:
        """Write what has come, when it is enough. Returns the journal once it is closed and written."""
        journal = self._journal
        if journal is None or now < self._retry_at:
            return None
        if len(self._queue) < PIECE_FRAMES and now - self._written_at < _WRITE_EVERY and not self._closed:
            return None
        self._written_at = now
        try:
            if journal.stuck:
                journal.write()
            close = self._drain(journal)
            journal.write()
        except SpoolError as error:
            self._retry_at = now + RETRY_SECONDS
            self.fail(error.code)
            return None
        if self._problem in _SPOOL_PROBLEMS:
            self._state, self._problem = "recording", ""
        if close is None:
            return None
        assert journal.file is not None
        self._journal = None
        self._lost = journal.lost_frames
        return FinishedJournal(journal.file, self._facts, journal.key, journal.counts, close)

    def _drain(self, journal: Journal) -> Close | None:
        for _ in range(len(self._queue)):
            item = self._queue.popleft()
            if not isinstance(item, Close) or journal.closed is None:
                journal.add(item)
        return journal.closed

    # --- keeper thread ---

    def sync(self) -> None:
        """Have what was written on the disk. Keeper thread."""
        journal = self._journal
        if journal is None or journal.file is None:
            return
        written = journal.written_samples
        try:
            journal.file.sync()
        except SpoolError as error:
            self.fail(error.code)
            return
        self._synced = max(self._synced, written)
