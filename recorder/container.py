"""The envelope of docs/guides/recording-format.md: a clear header, then sealed pieces.

One libsodium secretstream (XChaCha20-Poly1305) a file, its key in a sealed box to the store's X25519 key. Nothing here
touches the disk; readers take any binary stream.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from recorder.canonical import canonical_json, strict_object

MAGIC = b"ADREC"
VERSION = 2
"""Of what is written; 1 is read as well."""
JOURNAL = "J"
FINALISED = "F"

MAX_HEADER = 65_536
MAX_PIECE = 262_144
"""Largest ciphertext of one piece, in bytes."""
MAX_CONTENT = 65_536
"""Largest run of content bytes in one ``O`` piece."""

AUDIO, GAP, EVENT, CONTENT, CLOSING = "A", "G", "E", "O", "C"
_KINDS = {JOURNAL: {AUDIO, GAP, EVENT, CLOSING}, FINALISED: {EVENT, CONTENT, CLOSING}}

CHANNELS = ["agent", "far"]
RATES = range(8000, 48001)

_TAG_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_TAG_FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_OVERHEAD = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_STREAM_HEADER_BYTES = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_PREFIX = struct.Struct("<5scHI")
_LENGTH = struct.Struct("<I")


class ContainerError(Exception):
    """A file that cannot be read as a recording.

    ``code``: ``not_a_recording``, ``unsupported_version``, ``damaged_header``, ``damaged_piece``, ``truncated``,
    ``wrong_key``.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What a header says of the recording; ``started_at`` is ISO 8601 in UTC, ``rate`` samples a second.

    ``mode`` and ``policy_sha256`` came with version 2 and are empty in version 1.
    """

    recording_id: str
    call_id: str
    seat_id: str
    line_id: str
    direction: str
    started_at: str
    rate: int
    mode: str = ""
    policy_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """The clear part of a file."""

    kind: str
    facts: HeaderFacts
    sealed_key: bytes
    store_key_id: str
    stream_header: bytes
    version: int
    digest: bytes
    """SHA-256 of every byte before the first piece: the associated data of every piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One decrypted piece: its type and body."""

    kind: str
    body: bytes
    final: bool


def store_key_id(store_public_key: bytes) -> str:
    """First 16 hex digits of the SHA-256 of the store's public key."""
    return hashlib.sha256(store_public_key).hexdigest()[:16]


class ContainerWriter:
    """Seals the pieces of one new file under a fresh key. One thread at a time."""

    def __init__(self, kind: str, facts: HeaderFacts, store_public_key: bytes) -> None:
        self._kind = kind
        self.key = bindings.crypto_secretstream_xchacha20poly1305_keygen()
        """The stream key. It lives in memory only, and only until the file is finalised."""
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        stream_header = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, self.key)
        body = canonical_json(
            asdict(facts)
            | {
                "channels": CHANNELS,
                "sealed_key": _b64(SealedBox(PublicKey(store_public_key)).encrypt(self.key)),
                "store_key_id": store_key_id(store_public_key),
                "stream_header": _b64(stream_header),
            }
        )
        if len(body) > MAX_HEADER:
            raise ValueError("the header is too long")
        self.preamble = _PREFIX.pack(MAGIC, kind.encode(), VERSION, len(body)) + body
        """Every byte before the first piece."""
        self._digest = hashlib.sha256(self.preamble).digest()
        self._final = False

    def seal(self, kind: str, body: bytes, *, final: bool = False) -> bytes:
        """The next piece as it goes to the file: length, then ciphertext. Raises ``ValueError`` for a misfit."""
        if self._final or kind not in _KINDS[self._kind] or final != (kind == CLOSING):
            raise ValueError("a piece out of place")
        if len(body) + 1 + _OVERHEAD > MAX_PIECE or (kind == CONTENT and len(body) > MAX_CONTENT):
            raise ValueError("the piece is too long")
        self._final = final
        tag = _TAG_FINAL if final else _TAG_MESSAGE
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(
            self._state, kind.encode() + body, self._digest, tag
        )
        return _LENGTH.pack(len(sealed)) + sealed


class ContainerReader:
    """Reads one file strictly, as a stream. One thread at a time.

    The header is read at once; ``unlock`` or ``unlock_with``, then ``pieces``. ``good_bytes`` is how much of the file
    has been found good so far, ``complete`` whether its end was seen.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.good_bytes = 0
        self.header = self._read_header()
        self.complete = False
        self._key: bytes | None = None

    def unlock(self, store_private_key: bytes) -> None:
        """Open with the store's X25519 private key. Raises ``ContainerError`` (``wrong_key``)."""
        private = PrivateKey(store_private_key)
        if store_key_id(bytes(private.public_key)) != self.header.store_key_id:
            raise ContainerError("wrong_key", "the file was sealed to another store key")
        try:
            key = SealedBox(private).decrypt(self.header.sealed_key)
        except CryptoError as error:
            raise ContainerError("wrong_key", "the sealed key does not open with this store key") from error
        self.unlock_with(key)

    def unlock_with(self, stream_key: bytes) -> None:
        """Open with the stream key itself, which only the recorder that is writing the file has."""
        if len(stream_key) != bindings.crypto_secretstream_xchacha20poly1305_KEYBYTES:
            raise ContainerError("wrong_key", "the stream key has the wrong length")
        self._key = stream_key

    def pieces(self) -> Iterator[Piece]:
        """The pieces in order. Raises ``ContainerError`` (``damaged_piece``, ``truncated``) at the good part's end."""
        if self._key is None:
            raise ContainerError("wrong_key", "the file has not been unlocked")
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, self.header.stream_header, self._key)
        for sealed in raw_pieces(self._stream):
            piece = self._open(state, sealed)
            self.good_bytes += _LENGTH.size + len(sealed)
            self.complete = piece.final
            yield piece
            if piece.final and self._stream.read(1):
                self.complete = False
                raise ContainerError("damaged_piece", "there are bytes after the closing piece")
            if piece.final:
                return
        raise ContainerError("truncated", "the closing piece is not there")

    def _open(self, state: Any, sealed: bytes) -> Piece:
        try:
            plain, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, sealed, self.header.digest)
        except CryptoError as error:
            raise ContainerError("damaged_piece", f"at byte {self.good_bytes}: not authentic") from error
        kind, body = plain[:1].decode("latin-1"), plain[1:]
        if kind not in _KINDS[self.header.kind] or tag != (_TAG_FINAL if kind == CLOSING else _TAG_MESSAGE):
            raise ContainerError("damaged_piece", f"at byte {self.good_bytes}: a piece out of place")
        if kind == CONTENT and len(body) > MAX_CONTENT:
            raise ContainerError("damaged_piece", f"at byte {self.good_bytes}: the content is too long")
        return Piece(kind, body, tag == _TAG_FINAL)

    def _read_header(self) -> Header:
        prefix = _read_exactly(self._stream, _PREFIX.size)
        if not prefix.startswith(MAGIC[: len(prefix)]) or not prefix:
            raise ContainerError("not_a_recording", "the file does not begin like a recording")
        if len(prefix) < _PREFIX.size:
            raise ContainerError("truncated", "the file ends in its header")
        _, kind, version, length = _PREFIX.unpack(prefix)
        if not 1 <= version <= VERSION:
            raise ContainerError("unsupported_version", f"version {version}")
        if kind.decode("latin-1") not in _KINDS:
            raise ContainerError("damaged_header", "unknown kind of file")
        if not 0 < length <= MAX_HEADER:
            raise ContainerError("damaged_header", "impossible length of the header")
        body = _read_exactly(self._stream, length)
        if len(body) < length:
            raise ContainerError("truncated", "the file ends in its header")
        self.good_bytes = _PREFIX.size + length
        return _parse_header(kind.decode(), version, body, hashlib.sha256(prefix + body).digest())


def raw_pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The ciphertexts that follow a header, unopened. Raises ``ContainerError`` (``damaged_piece``, ``truncated``)."""
    while True:
        prefix = _read_exactly(stream, _LENGTH.size)
        if not prefix:
            return
        if len(prefix) < _LENGTH.size:
            raise ContainerError("truncated", "the file ends in a piece's length")
        (length,) = _LENGTH.unpack(prefix)
        if not _OVERHEAD < length <= MAX_PIECE:
            raise ContainerError("damaged_piece", "impossible length of a piece")
        sealed = _read_exactly(stream, length)
        if len(sealed) < length:
            raise ContainerError("truncated", "the file ends in a piece")
        yield sealed


def _parse_header(kind: str, version: int, body: bytes, digest: bytes) -> Header:
    try:
        fields = strict_object(body)
        if canonical_json(fields) != body:
            raise ValueError("not canonical")
        if fields.pop("channels") != CHANNELS:
            raise ValueError("unknown channels")
        sealed_key = _unb64(fields.pop("sealed_key"), 80)
        stream_header = _unb64(fields.pop("stream_header"), _STREAM_HEADER_BYTES)
        key_id = fields.pop("store_key_id")
        if len(fields) != (7 if version == 1 else 9):
            raise ValueError("missing or unknown fields")
        facts = HeaderFacts(**fields)
        rate = fields.pop("rate")
        if not all(isinstance(value, str) for value in (key_id, *fields.values())):
            raise ValueError("a value is not text")
        if type(rate) is not int or rate not in RATES or rate % 50:
            raise ValueError("impossible rate")
    except (ValueError, KeyError, TypeError) as error:
        raise ContainerError("damaged_header", "the header cannot be understood") from error
    return Header(kind, facts, sealed_key, key_id, stream_header, version, digest)


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: Any, size: int) -> bytes:
    data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    if len(data) != size:
        raise ValueError("wrong length")
    return data
