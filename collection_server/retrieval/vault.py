"""Packages at rest: pieces of 64 KiB, each sealed with XChaCha20-Poly1305, so that any range can be read alone.

The key is fresh for each file and kept in the job's row, sealed to the store's public key: neither the file nor a
copy of the database opens a package. A piece's number is its nonce, so none can be moved; the package's size and
SHA-256 are in the row, so none can be left out.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.utils import random

PIECE = 65_536
_TAG = bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
_NONCE = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_LABEL = b"agent-desktop retrieval package v1\n"


class VaultDamaged(Exception):
    """The file is not what was written for this job."""


def new_key(store_key: PrivateKey) -> tuple[bytes, str]:
    """A fresh key, and the same sealed to the store, for the job's row."""
    key = random(bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES)
    return key, base64.b64encode(SealedBox(store_key.public_key).encrypt(key)).decode()


def open_key(sealed: str, store_key: PrivateKey) -> bytes:
    """Raises ``VaultDamaged``."""
    try:
        return SealedBox(store_key).decrypt(base64.b64decode(sealed, validate=True))
    except (CryptoError, ValueError) as error:
        raise VaultDamaged("key") from error


class VaultWriter:
    """Writes one package. ``size`` and ``sha256`` are those of what was written, right once it is closed."""

    def __init__(self, path: Path, key: bytes, job_id: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._key = key
        self._bound = _LABEL + job_id.encode()
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._pieces = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self.size += len(data)
        self._buffer += data
        whole = len(self._buffer) // PIECE * PIECE
        for start in range(0, whole, PIECE):
            self._seal(bytes(self._buffer[start : start + PIECE]))
        del self._buffer[:whole]

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def _seal(self, piece: bytes) -> None:
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
            piece, self._bound, _nonce(self._pieces), self._key
        )
        self._file.write(sealed)
        self._pieces += 1

    def close(self) -> None:
        """Write the last piece and sync."""
        if self._buffer:
            self._seal(bytes(self._buffer))
            self._buffer.clear()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()


class VaultReader:
    """Reads a package of ``size`` bytes. Raises ``VaultDamaged`` when there is none, or its length is another one."""

    def __init__(self, path: Path, key: bytes, job_id: str, size: int) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise VaultDamaged("missing") from error
        self._key = key
        self._bound = _LABEL + job_id.encode()
        pieces = -(-size // PIECE)
        if os.fstat(self._file.fileno()).st_size != size + pieces * _TAG:
            self._file.close()
            raise VaultDamaged("length")

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end`` (exclusive), then closes. Raises ``VaultDamaged``."""
        with self._file:
            first = start // PIECE
            self._file.seek(first * (PIECE + _TAG))
            for number in range(first, -(-end // PIECE)):
                piece = self._open_piece(self._file.read(PIECE + _TAG), number)
                offset = number * PIECE
                yield piece[max(0, start - offset) : end - offset]

    def close(self) -> None:
        self._file.close()

    def _open_piece(self, sealed: bytes, number: int) -> bytes:
        try:
            return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, self._bound, _nonce(number), self._key)
        except (CryptoError, ValueError) as error:
            raise VaultDamaged("piece") from error


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE, "little")
