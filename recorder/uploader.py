"""Sends what is ready in the spool to the central store, in the background (R6).

A local copy goes only after the store's receipt for exactly that file was verified against the pinned key and kept.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recorder.evidence import Manifest, Receipt
from recorder.files import SpoolError
from recorder.spool import Spool
from recorder.throttle import Throttle
from recorder.upload_job import Damaged, ReceiptWrong, UploadJob
from recorder.upload_queue import FIRST_WAIT, BackOff, Order, UploadQueue
from recorder.uploader_api import (
    Api,
    NotNow,
    PartRefused,
    Refused,
    ServerAway,
    ServerBusy,
    SignedOut,
    UploadApi,
    UploadError,
)
from recorder.uploader_lock import UploaderLock

_log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
LANES = 3
"""Recordings under way at the same time: while the server checks one, the line carries another."""

__all__ = ["Order", "Refused", "ServerAway", "SignedOut", "UploadApi", "UploadStatus", "Uploader"]


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """Reported at each change.

    ``problem``: empty, ``server_away``, ``signed_out`` (there is no token, or the server does not take it),
    ``receipt_wrong``, ``refused`` (something was set aside, or is put off by the server again and again),
    ``spool_unreadable``, ``another_uploader`` (which is sending what is here).
    """

    waiting: int
    """Recordings that are ready and not yet stored, those being sent included."""
    uploading: bool
    problem: str = ""
    last_done: str | None = None
    """Recording that was stored last."""
    receipt: Receipt | None = None
    """Its receipt, verified."""
    last_done_at: str = ""
    """When, in UTC with ``Z``."""
    oldest_at: str = ""
    """When the oldest that waits was begun, as its manifest says it."""
    refused: int = 0
    """Recordings that were set aside."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of one try."""

    manifest: Manifest
    receipt: Receipt | None
    error: Exception | None
    progress: bool
    healthy: bool
    """The server was well after the failure."""


class Uploader:
    """Sends up to ``lanes`` recordings at a time. Methods may be called on any thread.

    ``receipt_key`` is the server's Ed25519 key for receipts, or gives it: None while nobody has signed in yet, and then
    nothing is sent. ``on_state`` is called on the uploader's thread. ``bytes_per_second`` limits the line for all of
    them together, 0: no limit. ``order``: those with the lowest numbers first, or those with the highest.
    """

    def __init__(
        self,
        spool: Spool,
        api: Api,
        on_state: Callable[[UploadStatus], None],
        *,
        receipt_key: bytes | Callable[[], bytes | None],
        bytes_per_second: int = 0,
        order: Order = "oldest",
        lanes: int = LANES,
        first_wait: float = FIRST_WAIT,
        look_every: float = LOOK_SECONDS,
    ) -> None:
        self._spool = spool
        self._api = api
        self._on_state = on_state
        self._receipt_key = receipt_key
        self._look_every = look_every
        self._throttle = Throttle(bytes_per_second)
        self._queue = UploadQueue(spool, order, first_wait)
        self._back_off = BackOff(first_wait)
        self._lock = UploaderLock(spool.folder)
        self._inbox: queue.SimpleQueue[_Done | None] = queue.SimpleQueue()
        """What came of tries; None: look again."""
        self._work: queue.SimpleQueue[Manifest | None] = queue.SimpleQueue()
        self._under_way = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lanes = [threading.Thread(target=self._lane, name=f"uploader-{n + 1}", daemon=True) for n in range(lanes)]
        self._status = UploadStatus(0, False)

    @property
    def status(self) -> UploadStatus:
        """The latest."""
        return self._status

    @property
    def bytes_per_second(self) -> int:
        return self._throttle.bytes_per_second

    @bytes_per_second.setter
    def bytes_per_second(self, limit: int) -> None:
        self._throttle.bytes_per_second = limit

    @property
    def order(self) -> Order:
        return self._queue.order

    @order.setter
    def order(self, order: Order) -> None:
        self._queue.order = order

    def start(self) -> None:
        """Begin to look for recordings. Once."""
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)
        self._thread.start()
        for lane in self._lanes:
            lane.start()

    def wake(self) -> None:
        """Look at once: there is a new recording, a new token, or the server is back."""
        self._inbox.put(None)

    def stop(self, timeout: float = 5.0) -> bool:
        """End after the requests under way, at most ``timeout`` seconds from now. What was sent is not sent again."""
        self._stopping.set()
        self._inbox.put(None)
        if self._thread is None:
            return True
        deadline = time.monotonic() + timeout
        for thread in (self._thread, *self._lanes):
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in (self._thread, *self._lanes))

    def close(self) -> None:
        """Close the connections, after ``stop``."""
        self._api.close()

    # --- the lanes: one recording at a time each ---

    def _lane(self) -> None:
        while (manifest := self._work.get()) is not None:
            self._inbox.put(self._try(manifest))

    def _try(self, manifest: Manifest) -> _Done:
        job: UploadJob | None = None
        try:
            key = self._receipt_key() if callable(self._receipt_key) else self._receipt_key
            if key is None:
                raise SignedOut("there is no key to check receipts with")
            job = UploadJob(self._spool, self._api, manifest, key, self._throttle, self._stopping.is_set)
            receipt = job.run()
        except Exception as error:
            healthy = isinstance(error, ServerAway) and not isinstance(error, ServerBusy) and self._api.healthy()
            return _Done(manifest, None, error, job is not None and job.progress, healthy)
        return _Done(manifest, receipt, None, job.progress, True)

    # --- the uploader's thread ---

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                wait = self._look()
            except Exception:
                _log.exception("the upload failed in a way that nobody thought of")
                wait = self._back_off.next()
            self._rest(wait)
        for _ in self._lanes:
            self._work.put(None)

    def _rest(self, wait: float) -> None:
        try:
            self._inbox.get(timeout=wait)
            while True:  # whoever called meanwhile is answered by one look
                self._inbox.get_nowait()
        except queue.Empty:
            return

    def _look(self) -> float:
        """Send what there is. Returns the seconds until the next look."""
        try:
            self._spool.prepare()
            if not self._lock.take():
                self._tell(problem="another_uploader", uploading=False)
                return self._look_every
        except (OSError, SpoolError):
            self._tell(problem="spool_unreadable", uploading=False)
            return self._back_off.next()
        try:
            return self._send_all()
        finally:
            self._lock.release()

    def _send_all(self) -> float:
        halt: str | None = None
        wait, stale = 0.0, True
        while True:
            if stale and halt is None:
                halt, wait = self._load()
                stale = False
            if halt is None and not self._stopping.is_set():
                self._fill_lanes()
            if not self._under_way:
                break
            done = self._inbox.get()
            if done is None:
                stale = True
                continue
            self._under_way -= 1
            halted, its_wait = self._after(done)
            if halted is not None:
                halt, wait = halted, max(wait, its_wait)
        if halt:
            self._tell(waiting=self._queue.waiting, uploading=False, problem=halt)
            return max(wait, self._back_off.next()) if halt != "signed_out" else self._look_every
        if not self._queue.waiting:
            self._back_off.reset()
        self._tell(
            waiting=self._queue.waiting, oldest_at=self._queue.oldest_at, uploading=False, problem=self._problem()
        )
        due = self._queue.seconds_to_next()
        return self._look_every if due is None else min(self._look_every, due)

    def _load(self) -> tuple[str | None, float]:
        """Finish what a crash between receipt and deletion left, and see what is ready. A problem ends the look."""
        try:
            for recording_id in self._spool.stored_but_here():
                self._spool.drop_stored(recording_id)
            self._queue.load()
            self._tell(refused=self._spool.refused_count())
        except (OSError, SpoolError):
            return "spool_unreadable", 0.0
        return None, 0.0

    def _fill_lanes(self) -> None:
        while self._under_way < len(self._lanes) and (manifest := self._queue.take()) is not None:
            self._under_way += 1
            self._work.put(manifest)
        if self._under_way:
            self._tell(waiting=self._queue.waiting, oldest_at=self._queue.oldest_at, uploading=True)

    def _after(self, done: _Done) -> tuple[str | None, float]:
        """Note what came of a try. Returns a problem that the others would have too, and the server's wish to wait."""
        recording_id, error = done.manifest.recording_id, done.error
        if error is None:
            self._stored(done)
            return None, 0.0
        if isinstance(error, SignedOut):
            self._queue.let_go(recording_id)
            return "signed_out", 0.0
        if isinstance(error, ServerAway) and not done.healthy:
            self._queue.let_go(recording_id)
            return "server_away", error.wait if isinstance(error, ServerBusy) else 0.0
        if isinstance(error, OSError | SpoolError):
            self._queue.let_go(recording_id)
            return "spool_unreadable", 0.0
        halt = self._its_own(done, error)
        if problem := self._queue.problem:
            self._tell(problem=problem)
        return halt, 0.0

    def _stored(self, done: _Done) -> None:
        if done.receipt is None:  # it was to stop
            self._queue.let_go(done.manifest.recording_id)
            return
        self._queue.stored(done.manifest.recording_id)
        self._back_off.reset()
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._tell(
            waiting=self._queue.waiting,
            last_done=done.manifest.recording_id,
            receipt=done.receipt,
            last_done_at=now,
        )

    def _its_own(self, done: _Done, error: Exception) -> str | None:
        """A failure that says nothing of the other recordings."""
        recording_id = done.manifest.recording_id
        if isinstance(error, ReceiptWrong):
            _log.warning("recording %s: the receipt is wrong, the local copy stays", recording_id)
            self._queue.put_off(recording_id, "receipt_wrong")
            return None
        if isinstance(error, NotNow) and error.code == "forbidden":
            self._queue.put_off(recording_id, "refused")  # docs/decisions/0007: somebody else may be allowed to
            return None
        if not isinstance(error, UploadError | Damaged):
            _log.error("recording %s: the upload failed with %s", recording_id, type(error).__name__, exc_info=error)
        if isinstance(error, PartRefused) or (isinstance(error, Refused) and error.code == "checksum"):
            give_up = self._queue.damaged(recording_id)  # on its way: what is here was found good
        elif isinstance(error, Refused | Damaged):
            give_up = True
        else:
            give_up = self._queue.failed(recording_id, progress=done.progress)
        return self._set_aside(recording_id, _code(error)) if give_up else None

    def _set_aside(self, recording_id: str, code: str) -> str | None:
        _log.warning("recording %s was refused (%s) and is set aside", recording_id, code)
        try:
            self._spool.set_aside(recording_id, code)
            self._tell(refused=self._spool.refused_count())
        except (OSError, SpoolError):
            self._queue.let_go(recording_id)
            return "spool_unreadable"
        self._queue.gone(recording_id)
        return None

    def _problem(self) -> str:
        return self._queue.problem or ("refused" if self._status.refused else "")

    def _tell(self, **changes: Any) -> None:
        values = {name: getattr(self._status, name) for name in UploadStatus.__slots__} | changes
        new = UploadStatus(**values)
        if new == self._status:
            return
        self._status = new
        try:
            self._on_state(new)
        except Exception:
            _log.exception("the listener for upload states failed")


def _code(error: Exception) -> str:
    """Why it was set aside."""
    if isinstance(error, Refused | NotNow):
        return error.code
    return "damaged" if isinstance(error, Damaged) else "server_error"
