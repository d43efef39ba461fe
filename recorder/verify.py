"""Offline checks of a recording: what was checked, and what did not hold.

Reads every file as a stream; only the audio of a finalised one is held, 18 MB an hour. Without a key it checks the
envelope's form, the size and the sum; with the public keys the signatures; with the store's private key everything
that is inside.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

from recorder.canonical import strict_object
from recorder.codec import CodecError, decode
from recorder.container import (
    AUDIO,
    CLOSING,
    CONTENT,
    FINALISED,
    GAP,
    ContainerError,
    ContainerReader,
    Header,
    raw_pieces,
)
from recorder.evidence import EvidenceError, Manifest, verify_manifest, verify_receipt
from recorder.finalise import file_digest

_FIRST_SAMPLE = Struct("<Q")
_LARGEST_JSON = 1 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``detail`` is a plain sentence."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file shows without any key. ``problem`` is a ``ContainerError``'s code, or empty."""

    header: Header
    pieces: int
    size: int
    problem: str
    manifest: Manifest | None


@dataclass
class Contents:
    """What a decrypted file holds. ``problem`` is the code that ended the reading, empty for a whole file."""

    pieces: Counter[str] = field(default_factory=Counter)
    samples: int = 0
    good_bytes: int = 0
    problem: str = ""
    detail: str = ""
    closing: dict[str, Any] | None = None
    content: io.BytesIO = field(default_factory=io.BytesIO)


def inspect(path: Path) -> Inspection:
    """Read a file's clear parts. Raises ``ContainerError`` when it has no good header, ``OSError``."""
    with path.open("rb") as stream:
        reader = ContainerReader(stream)
        count, size, problem = 0, reader.good_bytes, ""
        try:
            for sealed in raw_pieces(stream):
                count += 1
                size += 4 + len(sealed)
        except ContainerError as error:
            problem = error.code
    return Inspection(reader.header, count, path.stat().st_size, problem, read_manifest(beside(path)))


def beside(path: Path) -> Path:
    """Where the manifest of a sealed file is by custom."""
    return path.with_name(path.name.split(".")[0] + ".manifest.json")


def read_manifest(path: Path) -> Manifest | None:
    """The manifest at ``path``; None when there is none. Raises ``EvidenceError``."""
    if not path.exists():
        return None
    try:
        return Manifest.from_json(strict_object(_small(path)))
    except ValueError as error:
        raise EvidenceError("malformed", "the manifest is not JSON") from error


def read_receipt(path: Path) -> dict[str, Any]:
    """A receipt, alone or as the spool keeps it. Raises ``EvidenceError``, ``OSError``."""
    try:
        body = strict_object(_small(path))
    except ValueError as error:
        raise EvidenceError("malformed", "the receipt is not JSON") from error
    inner = body.get("receipt", body)
    if not isinstance(inner, dict):
        raise EvidenceError("malformed", "the receipt is not an object")
    return inner


def check_manifest(path: Path, manifest: Manifest, seat_key: bytes | None) -> list[Check]:
    """The file against its manifest, and the manifest against the seat's key."""
    digest, size = file_digest(path)
    checks = [
        _check("size", size == manifest.size, "The size is the manifest's.", "The size is not the manifest's."),
        _check("content hash", digest == manifest.sha256, "The SHA-256 is the manifest's.", "The SHA-256 differs."),
        _check_header(path, manifest),
    ]
    if seat_key is not None:
        try:
            verify_manifest(manifest, seat_key)
            checks.append(Check("signature", True, f"The seat signed this as its number {manifest.number}."))
        except EvidenceError:
            checks.append(Check("signature", False, "The manifest is not signed by this seat's key."))
    return checks


def check_receipt(path: Path, receipt: object, receipt_key: bytes) -> Check:
    """The store's receipt against its key and this very file."""
    digest, size = file_digest(path)
    try:
        with path.open("rb") as stream:
            recording_id = ContainerReader(stream).header.facts.recording_id
        found = verify_receipt(receipt, receipt_key, recording_id=recording_id, sha256=digest, size=size)
    except (EvidenceError, ContainerError) as error:
        return Check("receipt", False, f"The receipt does not prove that the store has this file: {error.code}.")
    return Check("receipt", True, f"The store signed for this file at {found.stored_at}.")


def check_envelope(path: Path) -> Check:
    """The form of the file, without a key."""
    try:
        found = inspect(path)
    except ContainerError as error:
        return Check("envelope", False, f"The file cannot be read as a recording: {error.code}.")
    except EvidenceError:
        return Check("envelope", True, "The header is good.")
    if found.problem:
        return Check("envelope", False, f"The header is good, but after {found.pieces} pieces: {found.problem}.")
    return Check("envelope", True, f"The header and the form of {found.pieces} pieces are good.")


def check_decrypted(path: Path, store_private_key: bytes, manifest: Manifest | None) -> list[Check]:
    """Everything inside: authenticity, order and end of all pieces, the audio's sum and its length."""
    with path.open("rb") as stream:
        try:
            reader = ContainerReader(stream)
            reader.unlock(store_private_key)
        except ContainerError as error:
            return [Check("decryption", False, f"The file does not open: {error.code}.")]
        contents = read_contents(reader)
    header = reader.header
    checks = [_check_pieces(header, contents, manifest)]
    if contents.closing is not None:
        checks.append(_check_counts(contents, manifest))
    if header.kind == FINALISED and contents.closing is not None:
        checks += _check_content(header, contents)
    return checks


def read_contents(reader: ContainerReader) -> Contents:
    """Decrypt an unlocked file as far as it is good. Raises nothing for what is in it."""
    found = Contents()
    try:
        for piece in reader.pieces():
            _take(found, piece.kind, piece.body)
    except ContainerError as error:
        found.problem, found.detail = error.code, error.detail
    except (ValueError, KeyError, TypeError):
        found.problem, found.detail = "damaged_piece", "a piece holds what it must not"
    found.good_bytes = reader.good_bytes
    return found


def _take(found: Contents, kind: str, body: bytes) -> None:
    if kind == AUDIO:
        if len(body) < _FIRST_SAMPLE.size or (len(body) - _FIRST_SAMPLE.size) % 4:
            raise ValueError("audio of a broken length")
        (start,) = _FIRST_SAMPLE.unpack_from(body)
        if start < found.samples:
            raise ValueError("the samples go back")
        found.samples = start + (len(body) - _FIRST_SAMPLE.size) // 4
    elif kind == GAP:
        gap = strict_object(body)
        if gap["channel"] == "both":
            found.samples = max(found.samples, int(gap["start"]) + int(gap["samples"]))
    elif kind == CONTENT:
        found.content.write(body)
    elif kind == CLOSING:
        found.closing = json.loads(body)
        if not isinstance(found.closing, dict):
            raise ValueError("the closing piece is not an object")
    found.pieces[kind] += 1


def _check_header(path: Path, manifest: Manifest) -> Check:
    try:
        with path.open("rb") as stream:
            header = ContainerReader(stream).header
    except ContainerError as error:
        return Check("header", False, f"The header cannot be read: {error.code}.")
    facts = header.facts
    same = all(
        getattr(facts, name) == getattr(manifest, name)
        for name in ("recording_id", "call_id", "seat_id", "rate", "started_at")
    )
    good, bad = "The header and the manifest name the same recording.", "The manifest is for another recording."
    return _check("header", same and header.kind == manifest.kind, good, bad)


def _check_pieces(header: Header, contents: Contents, manifest: Manifest | None) -> Check:
    if not contents.problem:
        count = contents.pieces.total()
        return Check("decryption", True, f"All {count} pieces are authentic, in order and complete.")
    seconds = contents.samples / header.facts.rate
    good = f"{contents.good_bytes} bytes" + (f" ({seconds:.2f} s of audio)" if contents.samples else "")
    recovered = manifest is not None and manifest.recovered and header.kind != FINALISED
    if recovered and contents.samples:
        return Check("decryption", True, f"A recovered journal without an end; the first {good} are authentic.")
    return Check("decryption", False, f"{contents.problem}: {contents.detail}. The first {good} are authentic.")


def _check_counts(contents: Contents, manifest: Manifest | None) -> Check:
    closing = contents.closing or {}
    samples, lost = closing.get("samples"), closing.get("lost_frames")
    agree = not contents.samples or contents.samples == samples
    if manifest is not None and not manifest.recovered:
        agree = agree and (samples, lost) == (manifest.samples, manifest.lost_frames)
    good = f"The counts agree: {samples} samples, {lost} frames lost."
    return _check("counts", agree, good, "The counts of pieces, closing piece and manifest disagree.")


def _check_content(header: Header, contents: Contents) -> list[Check]:
    closing = contents.closing or {}
    digest = hashlib.sha256(contents.content.getbuffer()).hexdigest()
    same = digest == closing.get("content_sha256")
    checks = [_check("audio hash", same, "The audio's SHA-256 is right.", "The audio's SHA-256 differs.")]
    contents.content.seek(0)
    expected = closing.get("samples")
    try:
        samples = _decoded_samples(contents.content) if expected else 0
    except CodecError:
        return [*checks, Check("audio", False, "The audio cannot be decoded.")]
    seconds = samples / header.facts.rate
    good = f"All of it decodes: two channels, {seconds:.2f} s."
    return [*checks, _check("audio", samples == expected, good, f"Only {seconds:.2f} s of the audio decode.")]


def _decoded_samples(content: BinaryIO) -> int:
    return sum(len(run) // 4 for run in decode(content))


def _check(name: str, passed: bool, good: str, bad: str) -> Check:
    return Check(name, passed, good if passed else bad)


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        raise ValueError("the file is too large")
    return data
