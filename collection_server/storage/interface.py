"""What the recordings need of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


class BlobMissing(Exception):
    """No such blob."""


class StagedPartMissing(Exception):
    """A part of an upload is not there (any more)."""


class Locked(Exception):
    """The store itself keeps the blob, until ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class WrongSum(Exception):
    """A file is not what its SHA-256 says."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """What came of joining parts: SHA-256 in hex, and bytes."""

    sha256: str
    size: int


class BlobStore(Protocol):
    """Blobs that never change, named by their SHA-256 in hex, and parts on their way to become one.

    What a method has stored is durable when it returns. Any thread.
    """

    def put_part(self, upload_id: str, number: int, data: bytes) -> None:
        """Keep a part; the same number again replaces it."""

    def assemble(self, upload_id: str, numbers: Sequence[int], sha256: str) -> Assembled:
        """Join the parts in this order and store them when their SHA-256 is ``sha256``; else store nothing.

        Raises ``StagedPartMissing``.
        """

    def drop_parts(self, upload_id: str) -> None:
        """Forget the parts of an upload; nothing happens when there are none."""

    def open(self, sha256: str) -> BinaryIO:
        """Read a blob. Raises ``BlobMissing``."""

    def stat(self, sha256: str) -> int:
        """Size of a blob in bytes. Raises ``BlobMissing``."""

    def list(self) -> Iterator[str]:
        """The SHA-256 of every blob, in no particular order."""

    def put_file(self, path: Path, sha256: str) -> None:
        """Store a copy of a file as a blob; one that is there stays. Raises ``WrongSum``, ``OSError``."""

    def delete(self, sha256: str) -> None:
        """Destroy a blob; nothing happens when there is none. Raises ``Locked``."""
