"""Sends what is ready in the spool to the central store, in the background (R6).

A local copy goes only after the store's receipt for exactly that file was verified against the pinned key and kept.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from recorder.evidence import EvidenceError, Manifest, Receipt, verify_receipt
from recorder.files import SpoolError
from recorder.finalise import file_digest
from recorder.spool import Spool
from recorder.uploader_api import (
    Api,
    NotNow,
    Part,
    PartRefused,
    Refused,
    ServerAway,
    SignedOut,
    UploadApi,
    UploadPlan,
)

_log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
FIRST_WAIT = 1.0
LONGEST_WAIT = 120.0
TRIES = 5
"""How often a file is tried whose parts the server finds damaged, before it is set aside."""

__all__ = ["Refused", "ServerAway", "SignedOut", "UploadApi", "UploadStatus", "Uploader"]


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """Reported at each change.

    ``problem``: empty, ``server_away``, ``signed_out`` (there is no token, or the server does not take it),
    ``receipt_wrong``, ``refused`` (something was set aside, or is put off by the server again and again),
    ``spool_unreadable``.
    """

    waiting: int
    """Recordings that are ready and not yet stored, the one being sent included."""
    uploading: bool
    problem: str = ""
    last_done: str | None = None
    """Recording that was stored last."""
    receipt: Receipt | None = None
    """Its receipt, verified."""


class ReceiptWrong(Exception):
    """The store's receipt does not prove that it has the file."""


class _Damaged(Exception):
    """The local file is not what its manifest says."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Of one try: ``gone`` from the spool, ``stop``: the others would fare no better."""

    problem: str = ""
    wait: float = 0.0
    gone: bool = False
    stop: bool = False


class Uploader:
    """One thread, one file at a time, oldest number first. Methods may be called on any thread.

    ``receipt_key`` is the server's Ed25519 key for receipts, or gives it: None while nobody has signed in yet, and then
    nothing is sent. ``on_state`` is called on the uploader's thread. ``bytes_per_second`` limits the line, 0: no limit.
    """

    def __init__(
        self,
        spool: Spool,
        api: Api,
        on_state: Callable[[UploadStatus], None],
        *,
        receipt_key: bytes | Callable[[], bytes | None],
        bytes_per_second: int = 0,
        first_wait: float = FIRST_WAIT,
        look_every: float = LOOK_SECONDS,
    ) -> None:
        self._spool = spool
        self._api = api
        self._on_state = on_state
        self._receipt_key = receipt_key
        self._first_wait = first_wait
        self._look_every = look_every
        self.bytes_per_second = bytes_per_second
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._status = UploadStatus(0, False)
        self._failures = 0
        self._tries: dict[str, int] = {}

    @property
    def status(self) -> UploadStatus:
        """The latest."""
        return self._status

    def start(self) -> None:
        """Begin to look for recordings. Once."""
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look at once: there is a new recording, a new token, or the server is back."""
        self._wake.set()

    def stop(self, timeout: float = 5.0) -> bool:
        """End after the request under way, at most ``timeout`` seconds from now. What was sent is resumed next time."""
        self._stopping.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Close the connections, after ``stop``."""
        self._api.close()

    # --- the uploader's thread ---

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                wait = self._look()
            except Exception:
                _log.exception("the upload failed in a way that nobody thought of")
                wait = self._back_off()
            self._wake.wait(wait)

    def _look(self) -> float:
        """Send what there is. Returns the seconds until the next look."""
        try:
            self._tidy()
            ready = self._spool.ready()
            problem = "refused" if self._spool.has_refused() else ""
        except (OSError, SpoolError):
            self._tell(problem="spool_unreadable", uploading=False)
            return self._back_off()
        left, wait = len(ready), self._look_every
        for manifest in ready:
            if self._stopping.is_set():
                break
            self._tell(waiting=left, uploading=True)
            outcome = self._try(manifest)
            problem = outcome.problem or problem
            left -= outcome.gone
            wait = max(wait, outcome.wait)
            if outcome.stop:
                wait = outcome.wait
                break
        if not left:
            self._failures = 0
        self._tell(waiting=left, uploading=False, problem=problem)
        return wait

    def _try(self, manifest: Manifest) -> _Outcome:
        try:
            receipt = self._send(manifest)
        except SignedOut:
            return _Outcome("signed_out", self._look_every, stop=True)
        except ServerAway as error:
            return _Outcome("server_away", max(error.wait, self._back_off()), stop=True)
        except NotNow:
            return _Outcome("refused", self._back_off())
        except ReceiptWrong:
            _log.warning("recording %s: the receipt is wrong, the local copy stays", manifest.recording_id)
            return _Outcome("receipt_wrong", self._back_off())
        except (Refused, _Damaged) as error:
            return self._refused(manifest, error)
        except (OSError, SpoolError):
            return _Outcome("spool_unreadable", self._back_off(), stop=True)
        if receipt is None:
            return _Outcome()
        self._failures = 0
        self._tell(last_done=manifest.recording_id, receipt=receipt)
        return _Outcome(gone=True)

    def _refused(self, manifest: Manifest, error: Refused | _Damaged) -> _Outcome:
        code = error.code if isinstance(error, Refused) else "damaged"
        tries = self._tries[manifest.recording_id] = self._tries.get(manifest.recording_id, 0) + 1
        if (isinstance(error, PartRefused) or code == "checksum") and tries < TRIES:
            return _Outcome("", self._back_off())  # damaged on its way: what is here was found good
        _log.warning("recording %s was refused (%s) and is set aside", manifest.recording_id, code)
        try:
            self._spool.set_aside(manifest.recording_id, code)
        except SpoolError:
            return _Outcome("spool_unreadable", self._back_off(), stop=True)
        return _Outcome("refused", gone=True)

    def _send(self, manifest: Manifest) -> Receipt | None:
        key = self._receipt_key() if callable(self._receipt_key) else self._receipt_key
        if key is None:
            raise SignedOut("there is no key to check receipts with")
        path = self._spool.payload(manifest.recording_id, manifest.kind)
        if file_digest(path) != (manifest.sha256, manifest.size):
            raise _Damaged
        plan = self._api.begin(manifest)
        raw = plan.receipt
        if raw is None:
            with path.open("rb") as file:
                if not self._send_parts(file, plan):
                    return None
            raw = self._api.complete(manifest.recording_id)
        return self._accept(manifest, raw, key)

    def _send_parts(self, file: BinaryIO, plan: UploadPlan) -> bool:
        """Send the missing parts; False when the uploader is to stop."""
        offset = 0
        for part in plan.parts:
            if self._stopping.is_set():
                return False
            if part.number not in plan.received:
                self._send_part(file, offset, part)
            offset += part.size
        return True

    def _send_part(self, file: BinaryIO, offset: int, part: Part) -> None:
        file.seek(offset)
        data = file.read(part.size)
        if len(data) != part.size:
            raise _Damaged
        self._api.put_part(part, data, self.bytes_per_second)

    def _accept(self, manifest: Manifest, raw: dict[str, Any], key: bytes) -> Receipt:
        """Check the receipt, keep it, and only then let the local copy go."""
        try:
            receipt = verify_receipt(
                raw, key, recording_id=manifest.recording_id, sha256=manifest.sha256, size=manifest.size
            )
        except EvidenceError as error:
            raise ReceiptWrong from error
        self._spool.keep_receipt(manifest, receipt, raw)
        self._spool.drop_stored(manifest.recording_id)
        self._tries.pop(manifest.recording_id, None)
        return receipt

    def _tidy(self) -> None:
        """Finish what a crash between receipt and deletion left. Makes the spool where nothing was recorded yet."""
        self._spool.prepare()
        for recording_id in self._spool.stored_but_here():
            self._spool.drop_stored(recording_id)

    def _back_off(self) -> float:
        longest = min(self._first_wait * 2.0**self._failures, LONGEST_WAIT)
        self._failures = min(self._failures + 1, 16)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the seats, hides nothing

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
