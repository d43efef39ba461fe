"""Writes a finalised recording of format version 1 or 2 (``docs/guides/recording-format.md``), for what the store makes
of a journal. The whole file is in memory.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable
from typing import Any

from nacl import bindings
from nacl.public import PublicKey, SealedBox

from collection_server.canonical import canonical_json
from collection_server.recordings.envelope import MAGIC, key_id

RUN = 65_536
"""Bytes of content in one piece, at most."""
_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL


def seal_finalised(
    header: dict[str, Any], events: Iterable[bytes], content: bytes, closing: dict[str, Any], store_key: PublicKey
) -> bytes:
    """The sealed file, under a key of its own. ``header`` is the journal's, ``events`` bodies of ``E`` pieces."""
    key = bindings.crypto_secretstream_xchacha20poly1305_keygen()
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    start = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
    own = {
        "sealed_key": base64.b64encode(SealedBox(store_key).encrypt(key)).decode(),
        "store_key_id": key_id(bytes(store_key)),
        "stream_header": base64.b64encode(start).decode(),
    }
    body = canonical_json(header | own)
    preamble = MAGIC + b"F" + struct.pack("<HI", 2 if "mode" in header else 1, len(body)) + body
    bound = hashlib.sha256(preamble).digest()

    def piece(kind: bytes, text: bytes, tag: int = _MESSAGE) -> bytes:
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(state, kind + text, bound, tag)
        return struct.pack("<I", len(sealed)) + sealed

    pieces = [piece(b"E", event) for event in events]
    pieces += [piece(b"O", content[at : at + RUN]) for at in range(0, len(content), RUN)]
    pieces.append(piece(b"C", canonical_json(closing), _FINAL))
    return preamble + b"".join(pieces)
