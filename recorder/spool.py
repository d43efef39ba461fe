"""The seat's folder of sealed recordings that wait for the store.

```
ID.journal         the call as it was sealed while it went on; locked by the process that writes it
ID.rec             the finalised file
ID.manifest.json   signed; written last: with it, and only with it, a recording is ready for upload
receipts/ID.json   the store's verified receipt and the manifest it is for
refused/           what the server refused or nobody can read, with the reason
numbers.json       the seat's numbers; holders/ has a lock file for each process that took some
uploader.lock      held by the process that is sending
*.part, *.new      not yet whole
```
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from recorder.canonical import canonical_json, strict_object
from recorder.container import FINALISED, JOURNAL
from recorder.evidence import RECORDING_ID, VOID, EvidenceError, Manifest, Receipt
from recorder.files import (
    O_BINARY,
    PART,
    SpoolError,
    create,
    replace_durably,
    spool_errors,
    sync_data,
    sync_folder,
    try_lock,
    write_all,
    write_durably,
)
from recorder.numbers import NumberLedger

_log = logging.getLogger(__name__)

_NEW = ".new"
_MANIFEST = ".manifest.json"
_ENDINGS = {JOURNAL: ".journal", FINALISED: ".rec"}
_LARGEST_MANIFEST = 65_536
_LOCK_TRIES = 3
_LOCK_PAUSE = 0.01

__all__ = ["JournalFile", "Spool", "SpoolError"]


class JournalFile:
    """A journal held by this process. ``append`` on one thread; ``sync`` may be called on another."""

    def __init__(self, fd: int, path: Path, size: int) -> None:
        self._fd = fd
        self.path = path
        self.size = size
        """Bytes that are whole pieces."""
        self._open = True
        self._closing = threading.Lock()

    def append(self, data: bytes) -> None:
        """Add whole pieces.

        After a ``SpoolError`` the file ends where it ended before, and the same call may be made again.
        """
        with spool_errors():
            try:
                write_all(self._fd, data)
            except OSError:
                os.ftruncate(self._fd, self.size)
                os.lseek(self._fd, self.size, os.SEEK_SET)
                raise
        self.size += len(data)

    def sync(self) -> None:
        """What was appended is on the disk when this returns. Raises ``SpoolError``; also when the file was removed."""
        with self._closing, spool_errors():
            if self._open:
                sync_data(self._fd)
                if os.fstat(self._fd).st_nlink == 0:
                    raise SpoolError("spool_unwritable", "the journal was removed")

    def close(self) -> None:
        """Let go of the file and of its lock. Idempotent."""
        with self._closing:
            if self._open:
                self._open = False
                os.close(self._fd)


class Spool:
    """Knows the folder's names and keeps its promises: private, durable, never half a file under a real name.

    Any thread, any number of processes. Methods that write raise ``SpoolError``, those that read ``OSError``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.receipts = folder / "receipts"
        self.refused = folder / "refused"
        self.numbers = NumberLedger(folder)

    def prepare(self) -> None:
        """Make the folders, mode 0700. Raises ``SpoolError``."""
        with spool_errors():
            for folder in (self.folder, self.receipts, self.refused):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.chmod(0o700)

    def free_bytes(self) -> int:
        """Space left on the spool's disk; 0 when it cannot be told."""
        for folder in (self.folder, *self.folder.parents):  # the folder itself comes with the first recording
            try:
                return shutil.disk_usage(folder).free
            except FileNotFoundError:
                continue
            except OSError:
                break
        return 0

    def payload(self, recording_id: str, kind: str) -> Path:
        """Where the sealed file of ``kind`` (``J`` or ``F``) is, or will be."""
        return self.folder / f"{recording_id}{_ENDINGS[kind]}"

    def part(self, recording_id: str) -> Path:
        """Where a finalised file grows."""
        return self.folder / f"{recording_id}{_ENDINGS[FINALISED]}{PART}"

    # --- journals ---

    def create_journal(self, recording_id: str, preamble: bytes) -> JournalFile:
        """A new journal that begins with ``preamble``. It gets its real name once it is locked and synced."""
        path = self.payload(recording_id, JOURNAL)
        new = path.with_name(path.name + _NEW)
        with spool_errors():
            fd = create(new)
            try:
                if not try_lock(fd):
                    raise SpoolError("spool_unwritable", "a new journal cannot be locked")
                write_all(fd, preamble)
                os.fsync(fd)
                replace_durably(new, path)
            except BaseException:
                os.close(fd)
                new.unlink(missing_ok=True)
                raise
        return JournalFile(fd, path, len(preamble))

    def ids(self, kind: str) -> list[str]:
        """Recordings that have a sealed file of ``kind`` here, whether it is ready or not."""
        return self._named(_ENDINGS[kind])

    def take_abandoned(self, recording_id: str) -> JournalFile | None:
        """Hold a journal that no process holds; None when one does, or when it is gone."""
        path = self.payload(recording_id, JOURNAL)
        try:
            fd = os.open(path, os.O_RDWR | O_BINARY)
        except FileNotFoundError:
            return None
        for _ in range(_LOCK_TRIES):  # another process may just be looking whether anybody holds it
            if try_lock(fd):
                break
            time.sleep(_LOCK_PAUSE)
        else:
            os.close(fd)
            return None
        if not path.exists():
            os.close(fd)
            return None
        return JournalFile(fd, path, os.fstat(fd).st_size)

    def sweep(self) -> None:
        """Remove half-made files that no process holds. Raises ``SpoolError``."""
        live = {id_ for id_ in self.ids(JOURNAL) if not self._is_abandoned(id_)}
        with spool_errors():
            for path in self.folder.iterdir():
                half = path.name.endswith(PART) and path.name.split(".")[0] not in live | {"numbers"}
                if half or (path.name.endswith(_NEW) and self._nobody_holds(path)):
                    path.unlink(missing_ok=True)

    # --- manifests: what is ready ---

    def publish(self, manifest: Manifest) -> None:
        """Write the manifest: from now on the recording is ready for upload. Raises ``SpoolError``."""
        with spool_errors():
            write_durably(self._manifest_path(manifest.recording_id), canonical_json(manifest.to_json()))
        with contextlib.suppress(OSError):  # a number that is not settled now is settled at the next start
            self.numbers.settle(manifest.recording_id)

    def manifest(self, recording_id: str) -> Manifest | None:
        """The recording's manifest, or None when it has none that can be read."""
        path = self._manifest_path(recording_id)
        try:
            if path.stat().st_size > _LARGEST_MANIFEST:
                return None
            found = Manifest.from_json(strict_object(path.read_bytes()))
        except (FileNotFoundError, ValueError, EvidenceError):
            return None
        return found if found.recording_id == recording_id else None

    def ready(self) -> list[Manifest]:
        """Manifests whose sealed file is here, or that have none, in the order of their numbers. Raises ``OSError``."""
        found = [m for id_ in self._named(_MANIFEST) if (m := self.manifest(id_)) is not None]
        whole = [m for m in found if m.kind == VOID or self.payload(m.recording_id, m.kind).exists()]
        return sorted(whole, key=lambda m: m.number)

    # --- the end of a recording's stay ---

    def keep_receipt(self, manifest: Manifest, receipt: Receipt, raw: dict[str, object]) -> None:
        """Keep the verified receipt for ever, with the manifest it is for. Raises ``SpoolError``."""
        assert raw["signature"] == receipt.signature
        body = {"receipt": raw, "manifest": manifest.to_json()}
        with spool_errors():
            write_durably(self.receipts / f"{manifest.recording_id}.json", canonical_json(body))

    def has_receipt(self, recording_id: str) -> bool:
        return (self.receipts / f"{recording_id}.json").exists()

    def is_void(self, recording_id: str) -> bool:
        """The seat has declared that this recording's number has no audio, and the store may have its word."""
        try:
            receipt = strict_object((self.receipts / f"{recording_id}.json").read_bytes())
            told = receipt.get("manifest")
        except (OSError, ValueError):
            told = None
        manifest = self.manifest(recording_id)
        return (isinstance(told, dict) and told.get("kind") == VOID) or (manifest is not None and manifest.kind == VOID)

    def drop_stored(self, recording_id: str) -> None:
        """Delete the local copy of a recording whose receipt is kept, manifest last. Raises ``SpoolError``."""
        if not self.has_receipt(recording_id):
            raise ValueError("a recording without a receipt is never dropped")
        with spool_errors():
            for kind in () if self.is_void(recording_id) else (FINALISED, JOURNAL):
                if kind == FINALISED or self._is_abandoned(recording_id):
                    self.payload(recording_id, kind).unlink(missing_ok=True)
            self._manifest_path(recording_id).unlink(missing_ok=True)
            sync_folder(self.folder)

    def stored_but_here(self) -> list[str]:
        """Recordings whose receipt is kept and of which something is still here. Raises ``OSError``."""
        here = {*self.ids(JOURNAL), *self.ids(FINALISED), *self._named(_MANIFEST)}
        return sorted(recording_id for recording_id in here if self.has_receipt(recording_id))

    def refused_count(self) -> int:
        """How many were set aside. Raises ``OSError``."""
        return sum(1 for _ in self.refused.glob("*.reason.json"))

    def has_refused(self) -> bool:
        """Something was set aside. Raises ``OSError``."""
        return self.refused_count() > 0

    def drop_journal(self, journal: JournalFile) -> None:
        """Delete a journal that its finalised file has replaced. Raises ``SpoolError``."""
        journal.close()  # Windows deletes no open file
        with spool_errors():
            journal.path.unlink(missing_ok=True)
            sync_folder(self.folder)

    def set_aside(self, recording_id: str, code: str) -> None:
        """Move everything of a recording to ``refused/``, with the reason. Nothing is lost. Raises ``SpoolError``."""
        reason = {"code": code, "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")}
        with spool_errors():
            write_durably(self.refused / f"{recording_id}.reason.json", canonical_json(reason))
            for name in (*(_ENDINGS.values()), _MANIFEST):
                path = self.folder / f"{recording_id}{name}"
                if path.exists():
                    path.replace(self.refused / path.name)
            sync_folder(self.refused)
            sync_folder(self.folder)

    def _manifest_path(self, recording_id: str) -> Path:
        return self.folder / f"{recording_id}{_MANIFEST}"

    def _named(self, ending: str) -> list[str]:
        found = (p.name.removesuffix(ending) for p in self.folder.iterdir() if p.name.endswith(ending))
        return sorted(name for name in found if RECORDING_ID.fullmatch(name))

    def _is_abandoned(self, recording_id: str) -> bool:
        return self._nobody_holds(self.payload(recording_id, JOURNAL))

    @staticmethod
    def _nobody_holds(path: Path) -> bool:
        try:
            fd = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            return try_lock(fd)
        finally:
            os.close(fd)
