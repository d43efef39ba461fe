"""What the store finds when it opens an upload: does it decrypt to its end, and is it what its manifest says?"""

from __future__ import annotations

import hashlib
import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from nacl.public import PrivateKey

from collection_server.canonical import NotCanonical, canonical_json, sha256_hex
from collection_server.recordings import envelope
from collection_server.recordings.envelope import Damaged, Header, Piece

FIRST_SAMPLE = struct.Struct("<Q")
MAX_SECONDS = 24 * 3600
"""No call lasts a day: a sample number beyond that is damage, not silence to be filled in."""
CODECS = {"opus": (("OGG", "OPUS"),), "flac": (("FLAC", "PCM_16"), ("OGG", "FLAC"))}
_LENGTH_TOLERANCE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Findings:
    """``state`` as in the table of recordings; ``reason`` is empty or a short code. Levels in dBFS."""

    state: str
    reason: str = ""
    rate: int = 0
    samples: int = 0
    lost_frames: int = 0
    codec: str = ""
    left_dbfs: float | None = None
    right_dbfs: float | None = None
    direction: str = ""
    content_sha256: str = ""
    """Of the audio file inside; empty for a journal, and where it could not be read."""
    digests: bytes = field(default=b"", repr=False, compare=False)
    """See ``envelope.piece_digests``."""


def examine(file: BinaryIO, manifest: dict[str, Any], store_key: PrivateKey) -> Findings:
    """Read a sealed file through. Never raises for what is in it: that is what the findings say."""
    found = _examine(file, manifest, store_key)
    return replace(found, digests=envelope.piece_digests(file))


def _examine(file: BinaryIO, manifest: dict[str, Any], store_key: PrivateKey) -> Findings:
    blank = Findings("failed", rate=manifest["rate"], samples=manifest["samples"], lost_frames=manifest["lost_frames"])
    try:
        header = envelope.read_header(file)
        blank = replace(blank, direction=_direction(header))
        _same(header, manifest)
        if header.kind == "F":
            return _examine_finalised(file, header, manifest, store_key, blank)
        return _examine_journal(file, header, manifest, store_key, blank)
    except Damaged as damage:
        return replace(blank, reason=damage.reason)


def _same(header: Header, manifest: dict[str, Any]) -> None:
    names = ("recording_id", "call_id", "seat_id", "rate")
    if header.kind != manifest["kind"] or any(header.fields.get(n) != manifest[n] for n in names):
        raise Damaged("other_header")


def _direction(header: Header) -> str:
    value = header.fields.get("direction")
    return value if value in ("inbound", "outbound") else ""


def _examine_finalised(
    file: BinaryIO, header: Header, manifest: dict[str, Any], store_key: PrivateKey, blank: Findings
) -> Findings:
    content = bytearray()
    last: Piece | None = None
    facts = ""
    for last in envelope.pieces(file, header, store_key):
        if last.type == "O":
            content += last.body
        elif last.type == "E":
            facts = _facts_sha256(last) or facts
    found = _closing(last, blank)
    assert last is not None
    digest = hashlib.sha256(content).hexdigest()
    _same_statement(last.json(), manifest, digest, facts)
    if found.samples != manifest["samples"] or found.rate != manifest["rate"]:
        raise Damaged("other_length")
    _check_playable(bytes(content), found)
    return replace(found, state="recovered" if manifest["recovered"] else "verified", content_sha256=digest)


def _same_statement(closing: dict[str, Any], manifest: dict[str, Any], content_sha256: str, facts_sha256: str) -> None:
    """What the seat signed in the manifest is what it sealed into the file. A recovered file's seat knew less."""
    if closing.get("content_sha256") != content_sha256:
        raise Damaged("other_content")
    if manifest.get("version", 1) < 2 or manifest["recovered"]:
        return
    if manifest["content_sha256"] not in ("", content_sha256):
        raise Damaged("other_content")
    if manifest["facts_sha256"] not in ("", facts_sha256):
        raise Damaged("other_facts")
    same = ("codec", "call_samples", "segments")
    if any(name in closing and closing[name] != manifest[name] for name in same if manifest[name]):
        raise Damaged("other_length")


def _facts_sha256(piece: Piece) -> str:
    facts = facts_of(piece)
    return sha256_hex(facts) if facts is not None else ""


def facts_of(piece: Piece) -> bytes | None:
    """The canonical JSON of the call facts that an ``E`` piece holds; None for any other. Raises ``Damaged``."""
    body = piece.json()
    if body.get("kind") != "facts":
        return None
    try:
        return canonical_json(body.get("facts"))
    except NotCanonical as error:
        raise Damaged("bad_piece") from error


def _closing(piece: Piece | None, blank: Findings) -> Findings:
    if piece is None or piece.type != "C":
        raise Damaged("no_closing")
    body = piece.json()
    counts = [body.get(name) for name in ("samples", "rate", "lost_frames")]
    if any(type(count) is not int or not 0 <= count < 2**53 for count in counts) or not 8000 <= body["rate"] <= 48_000:
        raise Damaged("bad_piece")
    return replace(
        blank,
        samples=body["samples"],
        rate=body["rate"],
        lost_frames=min(body["lost_frames"], 2**31 - 1),
        codec=body["codec"] if body.get("codec") in (*CODECS, "pcm_s16le") else "",
        left_dbfs=_level(body.get("left_dbfs")),
        right_dbfs=_level(body.get("right_dbfs")),
    )


def _level(value: object) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return max(-200.0, min(0.0, float(value))) if fits and isinstance(value, int | float) else None


def _check_playable(content: bytes, found: Findings) -> None:
    import soundfile

    if found.samples == 0:
        return  # a call without media; libsndfile does not open a file without audio
    try:
        info = soundfile.info(io.BytesIO(content))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise Damaged("not_audio") from error
    if info.channels != 2 or (info.format, info.subtype) not in CODECS.get(found.codec, ()):
        raise Damaged("not_audio")
    if abs(info.frames / info.samplerate - found.samples / found.rate) > _LENGTH_TOLERANCE_SECONDS:
        raise Damaged("other_length")


@dataclass(slots=True)
class _Energy:
    left: float = 0.0
    right: float = 0.0
    frames: int = 0

    def add(self, pcm: bytes) -> None:
        import numpy as np

        frames = np.frombuffer(pcm, "<i2").reshape(-1, 2).astype(np.float64)
        sums = (frames * frames).sum(axis=0)
        self.left += float(sums[0])
        self.right += float(sums[1])
        self.frames += len(frames)

    def dbfs(self, energy: float) -> float | None:
        if not self.frames:
            return None
        rms = math.sqrt(energy / self.frames) / 32_768
        return 20 * math.log10(rms) if rms > 1e-5 else -100.0


def _examine_journal(
    file: BinaryIO, header: Header, manifest: dict[str, Any], store_key: PrivateKey, blank: Findings
) -> Findings:
    """As far as it goes: a journal is what a crash left, or what could not be encoded on the seat."""
    samples, reason, energy = 0, "", _Energy()
    closed: Findings | None = None
    try:
        for piece in envelope.pieces(file, header, store_key):
            if piece.type == "A":
                start, pcm = audio_of(piece, blank.rate, samples)
                samples = start + len(pcm) // 4
                energy.add(pcm)
            elif piece.type == "G":
                samples = max(samples, _end_of_gap(piece, blank.rate))
            elif piece.type == "C":
                closed = _closing(piece, blank)
    except Damaged as damage:
        if not energy.frames:
            raise
        reason = damage.reason
    if not energy.frames and closed is None:
        raise Damaged("no_audio")
    whole = closed is not None and not manifest["recovered"] and closed.samples == samples == manifest["samples"]
    return replace(
        blank,
        state="verified" if whole and not reason else "recovered",
        reason=reason,
        samples=samples,
        lost_frames=closed.lost_frames if closed else blank.lost_frames,
        codec="pcm_s16le",
        left_dbfs=energy.dbfs(energy.left),
        right_dbfs=energy.dbfs(energy.right),
    )


def _end_of_gap(piece: Piece, rate: int) -> int:
    """Where a gap of both sides ends; 0 for one side's, whose silence is in the audio that follows."""
    body = piece.json()
    numbers = [body.get("start"), body.get("samples")]
    if any(type(n) is not int or not 0 <= n <= MAX_SECONDS * rate for n in numbers):
        raise Damaged("bad_piece")
    return int(body["start"]) + int(body["samples"]) if body.get("channel") == "both" else 0


def audio_of(piece: Piece, rate: int, position: int) -> tuple[int, bytes]:
    """First sample, not before ``position``, and interleaved PCM of an ``A`` piece. Raises ``Damaged``."""
    if len(piece.body) < FIRST_SAMPLE.size or (len(piece.body) - FIRST_SAMPLE.size) % 4:
        raise Damaged("bad_piece")
    (start,) = FIRST_SAMPLE.unpack_from(piece.body)
    if not position <= start <= MAX_SECONDS * rate:
        raise Damaged("bad_piece")
    return start, piece.body[FIRST_SAMPLE.size :]


def journal_audio(file: BinaryIO, header: Header, store_key: PrivateKey, rate: int) -> Iterator[tuple[int, bytes]]:
    """The good part of a journal: sample number and PCM, in order, ending quietly where the damage begins."""
    position = 0
    try:
        for piece in envelope.pieces(file, header, store_key):
            if piece.type == "A":
                start, pcm = audio_of(piece, rate, position)
                position = start + len(pcm) // 4
                yield start, pcm
    except Damaged:
        return
