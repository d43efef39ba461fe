"""One call's recording between the threads: the media thread hands over, the writer seals, the keeper syncs."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

from recorder.call_facts import CallFactsPiece
from recorder.clock import Bell, CallClock, utc_now
from recorder.files import SpoolError
from recorder.finalise import FinishedJournal
from recorder.journal import Close, Demand, Item, Journal, Mark
from recorder.modes import selection
from recorder.pause import Pause
from recorder.rules import MAX_SEGMENTS, NotAllowed, RecordingRules
from recorder.status import RecordingFacts, RecordingStatus
from recorder.voice import VoiceDetector

_log = logging.getLogger(__name__)

BACKLOG_FRAMES = 3000
"""A minute of frames waits in memory for a disk that takes none; then frames are lost, and counted."""
DISK_LOW = 500_000_000
RETRY_SECONDS = 1.0

_WAKE_FRAMES = 250
"""So many are waiting only when frames come faster than a call's: then the writer is woken before its time."""
_SPOOL_PROBLEMS = ("disk_full", "spool_unwritable")


class RecordingSession:
    """One call's recording; a ``MediaTap`` by shape. Made by ``Recorder.start``.

    ``recording_id`` is empty until something is recorded: from the start in the automatic mode, with the first voice
    or the first demand in the others.
    """

    def __init__(self, journal: Journal, facts: RecordingFacts, rules: RecordingRules, wake: Bell) -> None:
        self._journal: Journal | None = journal
        self._header = journal.facts
        self._rules = rules
        self._wake = wake
        self._queue: deque[Item] = deque()
        self._facts = CallFactsPiece(facts)
        self._clock = CallClock(facts.started_at)
        self._pause = Pause(facts.rate, rules)
        self._selection = selection(rules, facts.rate, VoiceDetector)
        self.recording_id = journal.facts.recording_id if self._selection is None else ""
        self._demands = 0
        self._asked = False
        self._closed = False
        self._frame = facts.rate // 50
        self._reached = 0
        self._dropped_to = 0
        self._state = "recording"
        self._problem = ""
        self._synced = 0
        self._lost = 0
        self._retry_at = 0.0
        self._take(journal, self._facts.mark())

    # --- media and engine threads ---

    def frames(self, start: int, agent: bytes | None, far: bytes | None) -> None:
        """Hand over 20 ms of each side (s16le mono; None: nothing came). Media thread; returns within microseconds."""
        queue = self._queue
        if self._closed:
            return
        waiting = len(queue)
        if waiting >= BACKLOG_FRAMES:
            self._dropped_to = start + self._frame
            return
        self._reached = start + self._frame
        if self._pause.concerns:
            queue.extend(self._pause.hush(start, agent, far))
        else:
            queue.append((start, agent, far))
        if waiting == _WAKE_FRAMES:
            self._wake.ring()

    def event(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Mark something in the record, at the sample reached. ``detail`` must be JSON. Engine thread."""
        if not self._closed and len(self._queue) < BACKLOG_FRAMES:
            mark = Mark(kind, utc_now(), dict(detail), -1 if self._selection is None else self._reached)
            self._facts.told(mark)
            self._queue.append(mark)

    def close(self, cause: str) -> None:
        """The call's media is over; the rest happens in the background. Idempotent. Engine thread."""
        if not self._closed:
            self._closed = True
            end = self._clock.end()
            self._queue.append(self._facts.mark(cause))
            self._queue.append(Close(cause, end.at, self._dropped_to, end.wall_at, end.monotonic_ms))
            self._wake.ring()

    # --- any thread ---

    def pause(self, reason: str, limit_s: float = 0) -> None:
        """From the next frame on both sides are silence in the record, until ``resume`` or ``limit_s`` later.

        0 means the rules' limit, which is also the longest. Nothing when it is paused. Raises ``NotAllowed``
        (``not_allowed``, ``unknown_reason``, ``no_recording``).
        """
        if self._closed or (self._rules.mode == "manual" and not self._asked):
            raise NotAllowed("no_recording")
        self._pause.ask(reason, limit_s)

    def resume(self) -> None:
        """End the pause with the next frame. Nothing when there is none."""
        self._pause.end()

    @property
    def paused(self) -> str:
        """The pause's reason; empty when it is not paused."""
        return "" if self._closed else self._pause.reason

    def begin(self) -> None:
        """Record from now on, and what the rules take in of the time before. Nothing when it does already.

        Raises ``NotAllowed``: ``not_allowed`` in another mode than ``manual`` and after very many demands,
        ``no_recording`` when the call is over.
        """
        self._demand(on=True)

    def stop_recording(self) -> None:
        """Record no more until ``begin``. Nothing when it does not. Raises as ``begin``."""
        self._demand(on=False)

    def status(self, free_bytes: int) -> RecordingStatus:
        """How the recording stands, on a disk with ``free_bytes`` left."""
        journal, problem, state = self._journal, self._problem, self._state
        if journal is not None:
            self._lost = journal.lost_frames
            if state == "recording":
                problem = "disk_low" if free_bytes < DISK_LOW else journal.silence.problem
                state = "recording" if self._is_taking else "waiting"
        return RecordingStatus(
            recording_id=self.recording_id,
            call_id=self._header.call_id,
            state=state,
            sealed_ms=self._synced * 1000 // self._header.rate,
            lost_frames=self._lost,
            free_bytes=free_bytes,
            problem=problem,
            mode=self._rules.mode,
            paused=self.paused,
            pause_left_ms=0 if self._closed else self._pause.left_ms(self._reached),
        )

    @property
    def is_live(self) -> bool:
        """Frames may still come."""
        return not self._closed

    @property
    def came_to_nothing(self) -> bool:
        """The call is over and nothing of it was to be recorded."""
        return self._state == "nothing"

    def fail(self, problem: str) -> None:
        """The disk does not take it (``disk_full``, ``spool_unwritable``). Writer, keeper and finaliser thread."""
        if self._problem != problem:
            _log.warning("recording %s: %s", self._header.recording_id, problem)
        self._state, self._problem = "failed", problem

    def mark_sealed(self, samples: int) -> None:
        """Ready for upload. Finaliser thread."""
        self._synced = samples
        self._state, self._problem = "sealed", ""

    def release(self) -> None:
        """Let go of the journal as it is, for the next start to recover. Only when no thread uses it any more."""
        if self._journal is not None and self._journal.file is not None:
            self._journal.file.close()

    @property
    def _is_taking(self) -> bool:
        return self._selection is None or self._selection.taking

    def _demand(self, *, on: bool) -> None:
        if self._closed:
            raise NotAllowed("no_recording")
        if self._rules.mode != "manual" or self._demands >= 2 * MAX_SEGMENTS:
            raise NotAllowed("not_allowed")
        if on == self._asked:
            return
        self._demands += 1
        self._asked = on
        self._pause.end()
        self.recording_id = self._header.recording_id
        kind = "recording_started" if on else "recording_stopped"
        mark = Mark(kind, utc_now(), {"look_back_s": round(self._rules.look_back_s)} if on else {}, self._reached)
        self._queue.extend((Demand(on), mark))
        self._wake.ring()

    # --- writer thread ---

    def pump(self, now: float) -> FinishedJournal | None:
        """Write what has come. Returns the journal once it is closed and written."""
        journal = self._journal
        if journal is None or now < self._retry_at:
            return None
        try:
            if journal.stuck and self._begun:
                journal.write()
            self._drain(journal)
            if self._begun:
                journal.write()
        except SpoolError as error:
            self._retry_at = now + RETRY_SECONDS
            self.fail(error.code)
            return None
        if self._problem in _SPOOL_PROBLEMS:
            self._state, self._problem = "recording", ""
        if journal.closed is None:
            return None
        self._journal = None
        if not self._begun:
            self._state = "nothing"
            return None
        assert journal.file is not None
        self._lost = journal.lost_frames
        return FinishedJournal(
            journal.file, self._header, journal.key, journal.counts, journal.closed, self._rules, self._facts.sha256
        )

    @property
    def _begun(self) -> bool:
        return self._selection is None or self._selection.begun

    def _drain(self, journal: Journal) -> None:
        queue = self._queue
        for _ in range(len(queue)):
            item = queue.popleft()
            if journal.closed is None:
                self._take(journal, item)

    def _take(self, journal: Journal, item: Item) -> None:
        chosen = self._selection
        if chosen is None:
            journal.add(item)
            return
        for taken in chosen.take(item):
            journal.add(taken)
        if chosen.begun:
            self.recording_id = self._header.recording_id

    # --- keeper thread ---

    def sync(self) -> None:
        """Have what was written on the disk, and note when the wall clock was set. Keeper thread."""
        journal = self._journal
        if journal is None:
            return
        self._note_clock()
        if journal.file is None:
            return
        written = journal.written_samples
        try:
            journal.file.sync()
        except SpoolError as error:
            self.fail(error.code)
            return
        self._synced = max(self._synced, written)

    def _note_clock(self) -> None:
        jump = self._clock.jump()
        if jump is not None:
            _log.warning("recording %s: the clock was set by %d ms", self._header.recording_id, jump.jump_ms)
            self.event("clock", {"before": jump.before, "after": jump.after, "jump_ms": jump.jump_ms})
