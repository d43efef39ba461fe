"""Recording of calls: what the line process talks to.

Three threads a recorder: the *writer* seals and writes what the media thread handed over, the *keeper* syncs the disk
and reports, the *finaliser* turns ended journals into finished files one after the other. They are apart because a
slow disk must not delay the writing, and an hour's encoding must not delay the next call. None of them is niced: a
thread with a low priority would hold the interpreter's lock against the media clock. The finaliser gives way by
sleeping instead while another call is up.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from queue import Empty, SimpleQueue

from recorder.clock import Bell
from recorder.codec import warm_up
from recorder.container import HeaderFacts
from recorder.evidence import VOID, Manifest, SeatIdentity
from recorder.files import SpoolError
from recorder.finalise import FinaliseError, FinishedJournal, finalise, publish_journal
from recorder.journal import Journal
from recorder.recovery import recover
from recorder.rules import NotAllowed, RecordingRules
from recorder.spool import Spool
from recorder.status import RecordingFacts, RecordingStatus
from recorder.tap import RecordingSession

_log = logging.getLogger(__name__)

WRITE_SECONDS = 0.18
"""How often what came is sealed and written: with the writer's delay, a kill loses less than 0.25 s."""
SYNC_SECONDS = 0.7
"""From one sync's beginning to the next. With the 0.18 s between two writes and the time of a sync, a power cut loses
less than a second."""
_LEAST_REST = 0.05
FINALISE_RETRY_SECONDS = 15.0
GIVE_WAY = 2.0
"""While another call is up, the finaliser sleeps this many times as long as it works."""

__all__ = [
    "NotAllowed",
    "Recorder",
    "RecordingFacts",
    "RecordingRules",
    "RecordingSession",
    "RecordingStatus",
    "SeatIdentity",
    "Spool",
    "SpoolError",
]

_Job = tuple[RecordingSession, FinishedJournal]


class Recorder:
    """Records calls into the spool. Methods may be called on any thread; ``on_state`` is called on the recorder's own.

    ``store_key`` is the central store's X25519 public key: only its private key opens what is recorded here.
    """

    def __init__(
        self,
        spool: Spool,
        store_key: bytes,
        identity: SeatIdentity,
        on_state: Callable[[RecordingStatus], None],
    ) -> None:
        self._spool = spool
        self._store_key = store_key
        self._identity = identity
        self._on_state = on_state
        self._sessions: list[RecordingSession] = []
        self._lock = threading.Lock()
        self._wake = Bell()
        self._finished: SimpleQueue[_Job | None] = SimpleQueue()
        self._busy = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, facts: RecordingFacts, rules: RecordingRules | None = None) -> RecordingSession:
        """Begin a recording; returns at once. A spool that cannot be written shows in the status, not as an error.

        Without ``rules`` the whole call is recorded.
        """
        if self._stopping.is_set():
            raise RuntimeError("the recorder was stopped")
        rules = rules or RecordingRules()
        header = HeaderFacts(
            recording_id=str(uuid.uuid4()),
            call_id=facts.call_id,
            seat_id=self._identity.seat_id,
            line_id=facts.line_id,
            direction=facts.direction,
            started_at=facts.started_at,
            rate=facts.rate,
            mode=rules.mode,
            policy_sha256=rules.policy_sha256,
        )
        session = RecordingSession(Journal(self._spool, header, self._store_key), facts, rules, self._wake)
        with self._lock:
            self._sessions.append(session)
            self._start_threads()
        self._busy.set()
        self._wake.ring()
        return session

    def recover(self) -> list[Manifest]:
        """Make ready for upload what dead processes left; reports each as ``recovered``. Raises ``SpoolError``.

        Called once at the start; it also loads the codec, so that no call has to wait for that. Reads each left file
        once (a second for a gigabyte or so), so not on a thread that must answer.
        """
        warm_up()
        found = recover(self._spool, self._identity)
        for manifest in found:
            if manifest.kind == VOID:
                continue
            ms = manifest.samples * 1000 // manifest.rate
            free = self._spool.free_bytes()
            self._report(RecordingStatus(manifest.recording_id, manifest.call_id, "recovered", ms, 0, free))
        return found

    def active(self) -> tuple[RecordingStatus, ...]:
        """Every recording that is not yet sealed, with its latest status."""
        sessions = self._live()
        free = self._spool.free_bytes()
        return tuple(session.status(free) for session in sessions)

    def stop(self, timeout: float) -> bool:
        """Close what is still open and wait for it to be sealed, at most ``timeout`` seconds.

        What cannot be encoded in time is made ready as a journal. False when the disk did not take that either: it
        stays as it is, and the next start recovers it. The recorder cannot be used again.
        """
        sessions = self._live()
        for session in sessions:
            session.close("recorder_stopped")
        deadline = time.monotonic() + timeout
        while self._live() and time.monotonic() < deadline:
            time.sleep(0.01)
        self._stopping.set()
        self._busy.set()
        self._wake.ring()
        self._finished.put(None)
        for thread in self._threads:
            thread.join(max(2.0, deadline - time.monotonic()))
        for session in self._live():
            session.release()
        self._spool.numbers.let_go()
        return not self._live()

    def _start_threads(self) -> None:
        if not self._threads:
            for name, target in (("writer", self._write), ("keeper", self._keep), ("finaliser", self._finalise)):
                thread = threading.Thread(target=target, name=f"recorder-{name}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _live(self) -> list[RecordingSession]:
        with self._lock:
            return list(self._sessions)

    def _report(self, status: RecordingStatus) -> None:
        try:
            self._on_state(status)
        except Exception:
            _log.exception("the listener for recording states failed")

    # --- writer thread ---

    def _write(self) -> None:
        """At its own pace for all calls, not once for each of them: waking a thread costs more than writing."""
        while not self._stopping.is_set():
            self._wake.wait(WRITE_SECONDS if self._sessions else None)
            for session in self._live():
                self._pump(session)

    def _pump(self, session: RecordingSession) -> None:
        try:
            finished = session.pump(time.monotonic())
        except Exception:
            _log.exception("recording %s cannot be written", session.recording_id)
            session.fail("spool_unwritable")
            return
        if finished is not None:
            self._finished.put((session, finished))
        elif session.came_to_nothing:
            self._forget(session)

    # --- keeper thread ---

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._busy.wait()
            began = time.monotonic()
            for session in self._live():
                session.sync()
            free = self._spool.free_bytes()
            for session in self._live():
                self._report(session.status(free))
            with self._lock:
                if not self._sessions and not self._stopping.is_set():
                    self._busy.clear()
            self._stopping.wait(max(_LEAST_REST, SYNC_SECONDS - (time.monotonic() - began)))

    # --- finaliser thread ---

    def _finalise(self) -> None:
        parked: list[_Job] = []
        while True:
            job, jobs = None, []  # what is done must not keep its key alive while this waits
            try:
                job = self._finished.get(timeout=FINALISE_RETRY_SECONDS if parked else None)
            except Empty:
                jobs, parked = parked, []
            else:
                if job is None:
                    break
                jobs = [job]
            parked += [job for job in jobs if not self._finish(*job)]
        for _, journal in parked:
            journal.file.close()

    def _finish(self, session: RecordingSession, journal: FinishedJournal) -> bool:
        """Make one recording ready; False when the disk does not take it now."""
        try:
            self._seal(journal)
        except SpoolError as error:
            session.fail(error.code)
            if journal.file.path.exists():
                self._report(session.status(self._spool.free_bytes()))
                return False
            journal.file.close()  # somebody took it away, or the disk is gone: there is nothing to wait for
        else:
            session.mark_sealed(journal.counts.samples)
        self._forget(session)
        return True

    def _forget(self, session: RecordingSession) -> None:
        with self._lock:
            self._sessions.remove(session)
        self._report(session.status(self._spool.free_bytes()))

    def _seal(self, journal: FinishedJournal) -> None:
        try:
            finalise(self._spool, self._identity, self._store_key, journal, self._give_way)
            return
        except (FinaliseError, SpoolError) as error:
            # As text: a kept log record must not keep the error's frames, and with them the key.
            _log.warning("recording %s goes as its journal: %s", journal.facts.recording_id, str(error))
        except Exception:
            _log.exception("recording %s goes as its journal", journal.facts.recording_id)
        publish_journal(self._spool, self._identity, journal.file, journal.facts, journal)
        journal.file.close()

    def _give_way(self, busy: float) -> None:
        if self._stopping.is_set():
            raise FinaliseError("there is no time left to encode")
        if any(session.is_live for session in self._live()):
            time.sleep(GIVE_WAY * busy)
