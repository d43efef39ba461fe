"""A store on a local disk.

Blobs are at ``blobs/ab/abcdef…``, parts at ``parts/UPLOAD/NUMBER-SHA256``. Everything is written to a temporary file,
synced, renamed, and the folder synced: after a power cut a name either holds all of its bytes or does not
exist. An upload of one part becomes a blob by one more rename.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from collection_server.storage.interface import (
    Address,
    Assembled,
    BlobMissing,
    PartSums,
    StagedPartMissing,
    Staging,
    StoreAway,
    StoreKind,
    WrongSum,
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024


@contextmanager
def _disk_errors() -> Iterator[None]:
    """A disk that is full or broken is one to wait for; a name that is missing means something of its own."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreAway(f"disk: {errno.errorcode.get(error.errno or 0, 'error')}") from error


class DiskStore:
    """Blobs and parts below one folder, which only this account may read."""

    kind: StoreKind = "disk"

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._parts = root / "parts"
        for folder in (root, self._blobs, self._parts):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, upload_id: str) -> str:
        return ""

    def put_part(self, upload: Staging, number: int, data: bytes, sha256: str) -> None:
        folder = self._part_folder(upload)
        with _disk_errors():
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
                _sync_folder(self._parts)
            temporary = folder / f".{uuid.uuid4().hex}"
            try:
                with temporary.open("xb", buffering=0) as file:
                    _write(file, data)
                    os.fsync(file.fileno())
                temporary.replace(_part(folder, number, sha256))
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            _sync_folder(folder)

    def addresses(self, upload: Staging, parts: Sequence[PartSums], seconds: int) -> dict[int, Address] | None:
        return None

    def received(self, upload: Staging, sizes: Mapping[int, int], sha256: str) -> set[int] | None:
        return None

    def assemble(self, upload: Staging, parts: Mapping[int, str], sha256: str) -> Assembled:
        target = self._blob_path(sha256)
        folder = self._part_folder(upload)
        try:
            with _disk_errors():
                if target.exists():
                    return Assembled(sha256, target.stat().st_size)
                if list(parts.values()) == [sha256]:
                    return self._adopt(_part(folder, next(iter(parts)), sha256), target)
                return self._join([_part(folder, number, parts[number]) for number in sorted(parts)], target)
        except FileNotFoundError as error:
            raise StagedPartMissing(upload.upload_id) from error

    def _adopt(self, part: Path, target: Path) -> Assembled:
        """The only part, whose sum was checked when it came and stands in its name, is the blob."""
        size = part.stat().st_size
        _ensure_folder(target.parent, self._blobs)
        part.replace(target)
        _sync_folder(target.parent)
        return Assembled(target.name, size)

    def _join(self, parts: Sequence[Path], target: Path) -> Assembled:
        temporary = self._blobs / f".{uuid.uuid4().hex}"
        digest = hashlib.sha256()
        try:
            with temporary.open("xb") as out:
                for part in parts:
                    _append(part, out, digest)
                _sync(out)
                size = out.tell()
            if digest.hexdigest() == target.name:
                _ensure_folder(target.parent, self._blobs)
                temporary.replace(target)
                _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return Assembled(digest.hexdigest(), size)

    def drop_parts(self, upload: Staging) -> None:
        folder = self._part_folder(upload)
        try:
            folder.rmdir()  # as the upload of one part leaves it
        except FileNotFoundError:
            return
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self._blob_path(sha256).open("rb")
        except FileNotFoundError as error:
            raise BlobMissing(sha256) from error

    def stat(self, sha256: str) -> int:
        try:
            return self._blob_path(sha256).stat().st_size
        except FileNotFoundError as error:
            raise BlobMissing(sha256) from error

    def list(self) -> Iterator[str]:
        for path in self._blobs.glob("[0-9a-f][0-9a-f]/*"):
            if _SHA256.fullmatch(path.name):
                yield path.name

    def put_file(self, path: Path, sha256: str) -> None:
        target = self._blob_path(sha256)
        if target.exists():
            return
        if self._join([path], target).sha256 != sha256:
            raise WrongSum(sha256)

    def delete(self, sha256: str) -> None:
        target = self._blob_path(sha256)
        with _disk_errors():
            target.unlink(missing_ok=True)
            if target.parent.exists():
                _sync_folder(target.parent)

    def protect(self, sha256: str, until: datetime) -> bool:
        self.stat(sha256)
        return False

    def _blob_path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError("not a SHA-256 in hex")
        return self._blobs / sha256[:2] / sha256

    def _part_folder(self, upload: Staging) -> Path:
        return self._parts / str(uuid.UUID(upload.upload_id))


def _part(folder: Path, number: int, sha256: str) -> Path:
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a SHA-256 in hex")
    return folder / f"{number:06d}-{sha256}"


def _write(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _append(part: Path, out: BinaryIO, digest: hashlib._Hash) -> None:
    with part.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)


def _ensure_folder(folder: Path, parent: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(parent)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
