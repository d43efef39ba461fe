"""A store on a local disk.

Blobs are at ``blobs/ab/abcdef…``, parts at ``parts/UPLOAD/NUMBER``. Everything is written to a temporary file,
synced, renamed, and the folder synced: after a power cut a name either holds all of its bytes or does not
exist.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from collection_server.storage.interface import Assembled, BlobMissing, StagedPartMissing, WrongSum

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024


class DiskStore:
    """Blobs and parts below one folder, which only this account may read."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._parts = root / "parts"
        for folder in (root, self._blobs, self._parts):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put_part(self, upload_id: str, number: int, data: bytes) -> None:
        folder = self._part_folder(upload_id)
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(self._parts)
        temporary = folder / f".{uuid.uuid4().hex}"
        with temporary.open("xb") as file:
            file.write(data)
            _sync(file)
        temporary.replace(folder / f"{number:06d}")
        _sync_folder(folder)

    def assemble(self, upload_id: str, numbers: Sequence[int], sha256: str) -> Assembled:
        target = self._blob_path(sha256)
        folder = self._part_folder(upload_id)
        temporary = self._blobs / f".{uuid.uuid4().hex}"
        digest = hashlib.sha256()
        try:
            with temporary.open("xb") as out:
                for number in numbers:
                    _append(folder / f"{number:06d}", out, digest)
                _sync(out)
                size = out.tell()
            if digest.hexdigest() == sha256:
                _ensure_folder(target.parent, self._blobs)
                temporary.replace(target)
                _sync_folder(target.parent)
        except FileNotFoundError as error:
            raise StagedPartMissing(upload_id) from error
        finally:
            temporary.unlink(missing_ok=True)
        return Assembled(digest.hexdigest(), size)

    def drop_parts(self, upload_id: str) -> None:
        shutil.rmtree(self._part_folder(upload_id), ignore_errors=True)

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
        temporary = self._blobs / f".{uuid.uuid4().hex}"
        digest = hashlib.sha256()
        try:
            with temporary.open("xb") as out:
                _append(path, out, digest)
                _sync(out)
            if digest.hexdigest() != sha256:
                raise WrongSum(sha256)
            _ensure_folder(target.parent, self._blobs)
            temporary.replace(target)
            _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def delete(self, sha256: str) -> None:
        target = self._blob_path(sha256)
        target.unlink(missing_ok=True)
        if target.parent.exists():
            _sync_folder(target.parent)

    def _blob_path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError("not a SHA-256 in hex")
        return self._blobs / sha256[:2] / sha256

    def _part_folder(self, upload_id: str) -> Path:
        return self._parts / str(uuid.UUID(upload_id))


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
