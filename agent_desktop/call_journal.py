"""The journal of calls on the seat's disk: sealed, appended, synced (docs/decisions/0015-call-journal.md)."""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from recorder.files import O_BINARY, sync_data, sync_folder, try_lock, write_all, write_durably

log = logging.getLogger(__name__)

MAGIC = b"ADCALL01"
_ID_BYTES = 16
_HEADER = len(MAGIC) + _ID_BYTES
_LENGTH = struct.Struct("<I")
_NUMBER = struct.Struct("<Q")
_NONCE = 24
_SMALLEST = _NONCE + 16
_LARGEST = 65_536


def journal_key(signing_key: bytes) -> bytes:
    """The key that the journal is sealed with, derived so that nothing but the seat's own key need be kept."""
    return hmac.digest(signing_key, b"agent-desktop call journal v1", "sha256")


class SealedLog:
    """A ``telephony.interfaces.RecordLog`` in one file.

    Header: ``ADCALL01`` and 16 random bytes. Then entries: length (32 bits, little-endian), nonce, and the entry's JSON
    sealed by XChaCha20-Poly1305; header and the entry's number are authenticated with it, so that none can be moved or
    left out unseen. Each stands by itself: one that is damaged does not cost those after it.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._lock = -1
        self._file = -1
        self._header = b""
        self._next = 0

    def load(self) -> list[dict[str, Any]]:
        """See ``RecordLog``. A torn end is cut off; damage is logged and the file kept beside its successor."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            data = b""
        entries, whole, damaged = self._read(data)
        if damaged:
            self._set_aside(damaged)
        if whole and data:
            self._continue(data, len(entries))
        else:
            self.rewrite(entries)
        return entries

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """See ``RecordLog``."""
        sealed = b"".join(self._seal(entry, self._next + i) for i, entry in enumerate(entries))
        write_all(self._file, sealed)
        sync_data(self._file)
        self._next += len(entries)

    def rewrite(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """See ``RecordLog``."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        self._let_go()
        self._header = MAGIC + secrets.token_bytes(_ID_BYTES)
        sealed = b"".join(self._seal(entry, number) for number, entry in enumerate(entries))
        write_durably(self._path, self._header + sealed)
        self._open(len(entries))

    def close(self) -> None:
        """See ``RecordLog``."""
        self._let_go()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _take_lock(self) -> None:
        if self._lock >= 0:
            return
        fd = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | O_BINARY, 0o600)
        if not try_lock(fd):
            os.close(fd)
            raise BlockingIOError("another process has the call journal")
        self._lock = fd

    def _read(self, data: bytes) -> tuple[list[dict[str, Any]], bool, str]:
        """The entries; whether the file is whole to its last byte; what is damaged, empty for nothing."""
        if len(data) < _HEADER:
            return [], False, ""
        header = data[:_HEADER]
        if not header.startswith(MAGIC):
            return [], False, "not a call journal"
        entries: list[dict[str, Any]] = []
        place, number, bad = _HEADER, 0, 0
        while place + _LENGTH.size <= len(data):
            (length,) = _LENGTH.unpack_from(data, place)
            start, end = place + _LENGTH.size, place + _LENGTH.size + length
            if not any(data[place:]):
                break  # the disk gave the file its length before its content: a torn end
            if not _SMALLEST <= length <= _LARGEST:
                return entries, False, f"no entry at byte {place}"
            if end > len(data):
                break
            opened = self._open_entry(header, number, data[start:end])
            entries += [opened] if opened is not None else []
            bad += opened is None
            place, number = end, number + 1
        if place < len(data):
            log.warning("the call journal ended in the middle of an entry: %d bytes", len(data) - place)
        return entries, place == len(data) and not bad, f"{bad} of {number} entries" if bad else ""

    def _open_entry(self, header: bytes, number: int, sealed: bytes) -> dict[str, Any] | None:
        bound = header + _NUMBER.pack(number)
        try:
            plain = crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[_NONCE:], bound, sealed[:_NONCE], self._key)
            entry = json.loads(plain)
        except (CryptoError, ValueError):
            return None
        return entry if isinstance(entry, dict) else None

    def _seal(self, entry: Mapping[str, Any], number: int) -> bytes:
        plain = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        nonce = secrets.token_bytes(_NONCE)
        bound = self._header + _NUMBER.pack(number)
        sealed = nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plain, bound, nonce, self._key)
        return _LENGTH.pack(len(sealed)) + sealed

    def _set_aside(self, damaged: str) -> None:
        """Keep the damaged file under another name; what could be read goes on."""
        when = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self._path.with_name(f"{self._path.name}.damaged-{when}")
        self._path.replace(aside)
        sync_folder(self._path.parent)
        log.error("the call journal is damaged (%s); it is set aside as %s", damaged, aside.name)

    def _continue(self, data: bytes, entries: int) -> None:
        self._let_go()
        self._header = data[:_HEADER]
        self._open(entries)

    def _open(self, entries: int) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | O_BINARY)
        self._next = entries

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
