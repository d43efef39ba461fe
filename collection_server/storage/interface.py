"""What the recordings need of a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

StoreKind = Literal["disk", "s3"]


class BlobMissing(Exception):
    """No such blob, or none whose bytes are what its name says."""


class StagedPartMissing(Exception):
    """A part of an upload is not there (any more)."""


class StoreAway(Exception):
    """The store cannot be used just now: full, out of reach, or it does not know us. The text is for the log."""


class Locked(Exception):
    """The store itself keeps the blob, until ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class WrongSum(Exception):
    """A file or part is not what its sum says."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """What came of joining parts: SHA-256 in hex, and bytes. ``file`` is the blob, to be closed by the caller, where it
    had to be read anyway.
    """

    sha256: str
    size: int
    file: BinaryIO | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Staging:
    """An upload under way: our id for it, and what the store's ``begin`` has called it."""

    upload_id: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class PartSums:
    """A part that is to be sent: number from 1, bytes, and its sums in hex."""

    number: int
    size: int
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a seat sends a part to, and the headers that must go with it: until it expires, and these bytes only."""

    url: str = field(repr=False)
    headers: Mapping[str, str]


class BlobStore(Protocol):
    """Blobs that never change, named by their SHA-256 in hex, and parts on their way to become one.

    What a method has stored is durable when it returns. Any thread. Each may raise ``StoreAway``.
    """

    kind: StoreKind

    def begin(self, upload_id: str) -> str:
        """Make room for an upload. The reference to keep with it; empty where the store needs none."""

    def put_part(self, upload: Staging, number: int, data: bytes, sha256: str) -> None:
        """Keep a part, whose SHA-256 in hex the caller has checked; the same number again replaces it.

        Raises ``StagedPartMissing`` when the store does not know the upload.
        """

    def addresses(self, upload: Staging, parts: Sequence[PartSums], seconds: int) -> dict[int, Address] | None:
        """Where to send these parts, good for so long; None: to the server itself."""

    def received(self, upload: Staging, sizes: Mapping[int, int], sha256: str) -> set[int] | None:
        """Which parts of these sizes are there; all of them when the blob ``sha256`` is. None: the server's own books
        say it. Raises ``StagedPartMissing`` when the store does not know the upload.
        """

    def assemble(self, upload: Staging, parts: Mapping[int, str], sha256: str) -> Assembled:
        """Join the parts (number to SHA-256 as put; empty when not known) in the order of their numbers and store
        them when their SHA-256 is ``sha256``; else store nothing. Again, when the blob is there, it says so.

        Raises ``StagedPartMissing``.
        """

    def drop_parts(self, upload: Staging) -> None:
        """Forget the parts of an upload; nothing happens when there are none."""

    def open(self, sha256: str) -> BinaryIO:
        """Read a blob, at its start; can be searched. Raises ``BlobMissing``."""

    def stat(self, sha256: str) -> int:
        """Size of a blob in bytes. Raises ``BlobMissing``."""

    def list(self) -> Iterator[str]:
        """The SHA-256 of every blob, in no particular order."""

    def put_file(self, path: Path, sha256: str) -> None:
        """Store a copy of a file as a blob; one that is there stays. Raises ``WrongSum``, ``OSError``."""

    def delete(self, sha256: str) -> None:
        """Destroy a blob; nothing happens when there is none. Raises ``Locked``."""

    def protect(self, sha256: str, until: datetime) -> bool:
        """Have the store itself refuse to destroy a blob before then; False where it cannot. Never shortens.

        Raises ``BlobMissing``.
        """
