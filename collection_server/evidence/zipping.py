"""Files as one ZIP that is sent while it is made: nothing decrypted is ever written to the server's disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator

from collection_server.evidence.bundle import BlobRef, File
from collection_server.storage import BlobStore

_CHUNK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


class _Sink(io.RawIOBase):
    """Takes what the archive writes until it is fetched. It cannot be sought in, as a connection cannot."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self._parts.append(bytes(memoryview(data)))  # type: ignore[arg-type]
        return len(self._parts[-1])

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def zipped(files: Iterable[File], blobs: BlobStore) -> Iterator[bytes]:
    """The archive's bytes, uncompressed: sealed audio does not shrink. Raises ``BlobMissing``."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            large = isinstance(content, BlobRef) and content.size > zipfile.ZIP64_LIMIT
            with archive.open(zipfile.ZipInfo(name, _EPOCH), "w", force_zip64=large) as member:
                for chunk in _chunks(content, blobs):
                    member.write(chunk)
                    yield sink.take()
    yield sink.take()


def _chunks(content: bytes | BlobRef, blobs: BlobStore) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with blobs.open(content.sha256) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
