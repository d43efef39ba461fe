"""Reader of sealed recordings, format versions 1 and 2 (``docs/guides/recording-format.md``).

The store's own reader, written from the document and not from the recorder's code: a mistake in one of them
shows as a disagreement.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

MAGIC = b"ADREC"
VERSIONS = (1, 2)
MAX_HEADER = 65_536
MAX_PIECE = 262_144
_PREFIX = struct.Struct("<5scHI")
_LENGTH = struct.Struct("<I")
_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL


class Damaged(Exception):
    """The file cannot be read (on); ``reason`` is a short stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    """The start of a file. ``prefix_sha256`` binds every piece to it."""

    kind: str
    fields: dict[str, Any]
    prefix_sha256: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """One decrypted piece: its type letter and its body."""

    type: str
    body: bytes = field(repr=False)
    final: bool

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises ``Damaged``."""
        return _json_object(self.body, "bad_piece")


def read_header(file: BinaryIO) -> Header:
    """Read up to the first piece. Raises ``Damaged``."""
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        raise Damaged("not_a_recording")
    magic, kind, version, length = _PREFIX.unpack(prefix)
    if magic != MAGIC or kind not in (b"J", b"F"):
        raise Damaged("not_a_recording")
    if version not in VERSIONS:
        raise Damaged("unknown_version")
    raw = file.read(length) if length <= MAX_HEADER else b""
    if len(raw) != length or not raw:
        raise Damaged("bad_header")
    digest = hashlib.sha256(prefix + raw).digest()
    return Header(kind.decode(), _json_object(raw, "bad_header"), digest)


def key_id(public_key: bytes) -> str:
    """What ``store_key_id`` says for a store's public key."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def pieces(file: BinaryIO, header: Header, store_key: PrivateKey) -> Iterator[Piece]:
    """Decrypt piece after piece up to the final one.

    Raises ``Damaged``: ``other_store_key``, ``bad_header``, ``truncated`` (the file ends in or before a piece,
    without the final tag), ``tampered`` (a piece does not belong there), ``trailing_data``, ``bad_piece``.
    """
    state = _open_stream(header, store_key)
    while True:
        raw_length = file.read(_LENGTH.size)
        if len(raw_length) < _LENGTH.size:
            raise Damaged("truncated")
        (length,) = _LENGTH.unpack(raw_length)
        if not bindings.crypto_secretstream_xchacha20poly1305_ABYTES < length <= MAX_PIECE:
            raise Damaged("tampered")
        ciphertext = file.read(length)
        if len(ciphertext) < length:
            raise Damaged("truncated")
        piece = _decrypt(state, ciphertext, header.prefix_sha256)
        yield piece
        if piece.final:
            break
    if file.read(1):
        raise Damaged("trailing_data")


def piece_digests(file: BinaryIO) -> bytes:
    """SHA-256, 32 bytes each, of everything before the first piece, of each piece with its length as it lies in the
    file, and of what is left behind the last whole one. Needs no key; together they are over every byte.
    """
    file.seek(0)
    head = file.read(_PREFIX.size)
    if len(head) == _PREFIX.size and (length := _PREFIX.unpack(head)[3]) <= MAX_HEADER:
        head += file.read(length)
    digests = [hashlib.sha256(head).digest()]
    while prefix := file.read(_LENGTH.size):
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
        digest = hashlib.sha256(prefix)
        if 0 < length <= MAX_PIECE:
            digest.update(file.read(length))
        else:  # no piece begins here: damage, or a torn end
            while rest := file.read(1 << 20):
                digest.update(rest)
        digests.append(digest.digest())
    return b"".join(digests)


def _open_stream(header: Header, store_key: PrivateKey) -> Any:
    if header.fields.get("store_key_id") != key_id(bytes(store_key.public_key)):
        raise Damaged("other_store_key")
    sealed, start = _base64(header, "sealed_key"), _base64(header, "stream_header")
    try:
        key = SealedBox(store_key).decrypt(sealed)
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, start, key)
    except (CryptoError, ValueError, TypeError, AssertionError) as error:
        raise Damaged("bad_header") from error
    return state


def _decrypt(state: Any, ciphertext: bytes, bound_to: bytes) -> Piece:
    try:
        plain, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, ciphertext, bound_to)
    except (CryptoError, RuntimeError) as error:
        raise Damaged("tampered") from error
    if not plain:
        raise Damaged("bad_piece")
    if tag not in (_MESSAGE, _FINAL) or (tag == _FINAL) != (plain[:1] == b"C"):
        raise Damaged("bad_piece")
    return Piece(chr(plain[0]), plain[1:], tag == _FINAL)


def _base64(header: Header, name: str) -> bytes:
    value = header.fields.get(name)
    if not isinstance(value, str):
        raise Damaged("bad_header")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Damaged("bad_header") from error


def _json_object(raw: bytes, reason: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Damaged(reason) from error
    if not isinstance(value, dict):
        raise Damaged(reason)
    return value
