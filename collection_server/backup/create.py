"""Making a back-up: first the database, then the blobs that it names.

Blobs never change and vanish by destruction only, which waits meanwhile; so every blob that the copy of the database
names is still there when its turn comes, while uploads go on.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from collection_server.audit import service as audit
from collection_server.backup import contents, database, snapshot
from collection_server.backup.snapshot import Json
from collection_server.canonical import canonical_json
from collection_server.context import Server
from collection_server.evidence.chain import wire_time
from collection_server.recordings.envelope import key_id
from collection_server.retention import guard
from collection_server.storage import BlobMissing

log = logging.getLogger(__name__)

_RENEW_SECONDS = guard.LEASE.total_seconds() / 5
_CHUNK = 1024 * 1024


class LeaseLost(Exception):
    """The database was away so long that destruction may have gone on: the back-up would not be whole."""


@dataclass
class Result:
    """``problems``: recordings whose bytes are not in the back-up, with ``missing`` or ``damaged``."""

    name: str
    recordings: int = 0
    copied: int = 0
    copied_bytes: int = 0
    removed: int = 0
    problems: list[Json] = field(default_factory=list)


def back_up(server: Server, folder: Path, *, keep: int, check: bool = False) -> Result:
    """Add a snapshot to ``folder``; of the older ones the last ``keep`` stay. ``check`` reads again what is there.

    Raises ``guard.BackupRuns``, ``LeaseLost``, ``database.DatabaseFailed``, ``OSError``.
    """
    for part in (folder, folder / "blobs", folder / "snapshots"):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lease(server) as lease:
        result = Result(_free_name(server, folder))
        part = folder / "snapshots" / f".{result.name}"
        part.mkdir(mode=0o700)
        try:
            _fill(server, folder, part, result, lease, check)
            part.rename(folder / "snapshots" / result.name)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        snapshot.sync_folder(folder / "snapshots")
    _remove_old(folder, keep)
    with server.db.write() as session:
        detail = {"name": result.name, "recordings": result.recordings, "problems": len(result.problems)}
        audit.record(session, audit.Event(audit.Actor(), "store.backed_up", "backup", result.name, detail))
    return result


def _free_name(server: Server, folder: Path) -> str:
    base = server.clock().strftime("%Y%m%dT%H%M%SZ")
    taken = {path.name.lstrip(".") for path in (folder / "snapshots").iterdir()}
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 100))) if name not in taken)


def _fill(server: Server, folder: Path, part: Path, result: Result, lease: _Lease, check: bool) -> None:
    kind = database.kind_of(server.settings)
    path = part / database.FILES[kind]
    with database.copied(server.db.engine, path) as session:
        store, heads = contents.store_list(session), contents.heads(session)
    blobs: list[Json] = store["blobs"]
    result.recordings = len({blob["recording_id"] for blob in blobs})
    for blob in blobs:
        lease.check()
        problem = _bring(server, folder, blob, result, check)
        if problem:
            result.problems.append({"recording_id": blob["recording_id"], "sha256": blob["sha256"], "problem": problem})
    result.removed = _remove_destroyed(folder, store)
    snapshot.write_file(part / snapshot.STORE, canonical_json(store))
    snapshot.sync_folder(part)
    lease.check()
    body = {
        "form": snapshot.FORM,
        "version": snapshot.VERSION,
        "name": result.name,
        "made_at": wire_time(server.clock()),
        "database": {"kind": kind, **snapshot.described(path)},
        "store": snapshot.described(part / snapshot.STORE),
        "recordings": result.recordings,
        "heads": heads,
        "store_key_id": key_id(bytes(server.keys.store.public_key)),
        "receipt_key": base64.b64encode(bytes(server.keys.receipt.verify_key)).decode(),
        "problems": result.problems,
    }
    signed = snapshot.sign(body, server.keys.receipt)
    snapshot.write_file(part / snapshot.SNAPSHOT, canonical_json(signed) + b"\n")
    snapshot.sync_folder(part)


def _bring(server: Server, folder: Path, blob: Json, result: Result, check: bool) -> str:
    """Have the blob in the folder; what is wrong with it, or the empty string."""
    sha256 = blob["sha256"]
    target = snapshot.blob_path(folder, sha256)
    if target.exists() and (not check or snapshot.sha256_of(target) == sha256):
        return ""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = target.parent / f".{uuid.uuid4().hex}"
    digest = hashlib.sha256()
    try:
        with server.blobs.open(sha256) as source, temporary.open("xb") as out:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        if digest.hexdigest() != sha256:
            return "damaged"
        temporary.chmod(0o600)
        temporary.replace(target)
        snapshot.sync_folder(target.parent)
    except BlobMissing:
        return "missing"
    finally:
        temporary.unlink(missing_ok=True)
    result.copied += 1
    result.copied_bytes += size
    return ""


def _remove_destroyed(folder: Path, store: Json) -> int:
    """What was destroyed is destroyed here too."""
    live = {blob["sha256"] for blob in store["blobs"]}
    removed = 0
    for row in store["destroyed"]:
        for sha256 in (row["sha256"], *row["derived"]):
            path = snapshot.blob_path(folder, sha256)
            if row["state"] == "destroyed" and sha256 not in live and path.exists():
                path.unlink()
                removed += 1
    return removed


def _remove_old(folder: Path, keep: int) -> None:
    for name in snapshot.names(folder)[:-keep]:
        shutil.rmtree(folder / "snapshots" / name, ignore_errors=True)
    for path in (folder / "snapshots").glob(".*"):  # of back-ups that died
        shutil.rmtree(path, ignore_errors=True)


class _Lease:
    """Holds destruction off; a thread renews it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._worker = str(uuid.uuid4())
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="backup-lease", daemon=True)

    def begin(self) -> None:
        with self._server.db.write() as session:
            guard.begin_backup(session, self._worker, self._server.clock())
        self._thread.start()

    def check(self) -> None:
        if self._lost.is_set():
            raise LeaseLost

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        with self._server.db.write() as session:
            guard.end_backup(session, self._worker)

    def _renew(self) -> None:
        missed = 0
        while not self._ended.wait(_RENEW_SECONDS):
            try:
                with self._server.db.write() as session:
                    mine = guard.renew_backup(session, self._worker, self._server.clock())
            except Exception as error:
                log.warning("the back-up's lease could not be renewed: %s", type(error).__name__)
                missed += 1
                mine = missed < 4
            else:
                missed = 0
            if not mine:
                self._lost.set()
                return


@contextmanager
def _lease(server: Server) -> Iterator[_Lease]:
    lease = _Lease(server)
    lease.begin()
    try:
        yield lease
    finally:
        lease.end()
