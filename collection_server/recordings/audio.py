"""A recording as a file that can be played, made in memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

from nacl.public import PrivateKey

from collection_server.recordings import envelope
from collection_server.recordings.check import facts_of, journal_audio
from collection_server.recordings.envelope import Damaged, Header

FLAC_MAGIC = b"fLaC"
_OPUS_RATES = (8000, 12_000, 16_000, 24_000, 48_000)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a finalised file holds: the audio file (empty when there was none) and the call's facts, canonical JSON."""

    audio: bytes
    facts: bytes | None


def media_type(audio: bytes) -> str:
    """Of playable audio: native FLAC, or Ogg with Opus or FLAC inside."""
    return "audio/flac" if audio.startswith(FLAC_MAGIC) else "audio/ogg"


def opened(file: BinaryIO, store_key: PrivateKey) -> Opened:
    """Read a finalised file through. Raises ``Damaged``."""
    header = envelope.read_header(file)
    audio, facts = bytearray(), None
    for piece in envelope.pieces(file, header, store_key):
        if piece.type == "O":
            audio += piece.body
        elif piece.type == "E":
            facts = facts_of(piece) or facts
    return Opened(bytes(audio), facts)


def playable(file: BinaryIO, store_key: PrivateKey) -> bytes:
    """The audio file inside of a sealed recording; a journal is encoded to Ogg/Opus. Raises ``Damaged``."""
    header = envelope.read_header(file)
    if header.kind == "F":
        return b"".join(p.body for p in envelope.pieces(file, header, store_key) if p.type == "O")
    return _encode_journal(file, header, store_key)


def _encode_journal(file: BinaryIO, header: Header, store_key: PrivateKey) -> bytes:
    import numpy as np
    import soundfile

    rate = header.fields.get("rate")
    if rate not in _OPUS_RATES:
        raise Damaged("bad_header")
    out = io.BytesIO()
    position = 0
    with soundfile.SoundFile(out, "w", rate, 2, format="OGG", subtype="OPUS") as ogg:
        for start, pcm in journal_audio(file, header, store_key, rate):
            while position < start:  # a gap is heard as silence, so that both sides stay in time
                step = min(start - position, rate)
                ogg.write(np.zeros((step, 2), np.int16))
                position += step
            ogg.write(np.frombuffer(pcm, "<i2").reshape(-1, 2))
            position += len(pcm) // 4
    return out.getvalue()
