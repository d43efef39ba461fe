"""The list of a sealed file's pieces that the store signed, and what it says of a file that was changed.

The list has the SHA-256 of everything before the first piece, of each piece with its length as it lies in the file, and
of what is left behind the last whole one. No key is needed.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

from recorder.container import MAX_HEADER, MAX_PIECE

_PREFIX = struct.Struct("<5scHI")
_LENGTH = struct.Struct("<I")
_RUN = 1 << 20


def piece_digests(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Digest of each part of the file, and whether the part is whole: False only where the file ends in it."""
    head = stream.read(_PREFIX.size)
    length = _PREFIX.unpack(head)[3] if len(head) == _PREFIX.size else MAX_HEADER + 1
    body = stream.read(length) if length <= MAX_HEADER else b""
    yield hashlib.sha256(head + body).digest(), len(body) == length
    while prefix := stream.read(_LENGTH.size):
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
        digest = hashlib.sha256(prefix)
        if 0 < length <= MAX_PIECE:
            sealed = stream.read(length)
            digest.update(sealed)
            yield digest.digest(), len(sealed) == length
            continue
        while rest := stream.read(_RUN):
            digest.update(rest)
        yield digest.digest(), len(prefix) == _LENGTH.size


def what_changed(stream: BinaryIO, signed: list[bytes]) -> tuple[str, str]:
    """Code and sentence for a file that is not the one whose pieces are ``signed``.

    ``truncation``: a good beginning whose end is missing; ``order``: good pieces, but not all of them, or not as they
    were; ``content``: bytes that nobody signed.
    """
    found = list(piece_digests(stream))
    place = {digest: index for index, digest in enumerate(signed)}
    order = [place.get(digest) for digest, _ in found]
    if len(order) > 1 and order[-1] is None and not found[-1][1]:
        order.pop()  # cut in the middle of a piece: nobody can say what its beginning was
    unknown = [index for index, known in enumerate(order) if known is None]
    if unknown:
        return "content", f"{len(unknown)} of {len(signed)} pieces are not what was signed, the first is {unknown[0]}."
    if order == list(range(len(order))) and len(order) < len(signed):
        return "truncation", f"Only the first {len(order)} of {len(signed)} pieces are there."
    first = next((i for i, known in enumerate(order) if known != i), len(order))
    return "order", f"The pieces are not in the order that was signed, from piece {first} on."
