"""From journal to finalised file, while the key is still in memory. The plain audio stays in memory too."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any

from recorder.codec import CODEC, FRAME_BYTES, CodecError, OpusEncoder, content_samples
from recorder.container import (
    AUDIO,
    CLOSING,
    CONTENT,
    EVENT,
    FINALISED,
    GAP,
    JOURNAL,
    MAX_CONTENT,
    ContainerError,
    ContainerReader,
    ContainerWriter,
    HeaderFacts,
)
from recorder.evidence import Manifest, SeatIdentity, sign_manifest
from recorder.files import create, replace_durably, spool_errors, write_all
from recorder.journal import Close, closing_body
from recorder.spool import JournalFile, Spool, SpoolError
from recorder.status import Counts

_log = logging.getLogger(__name__)

_FIRST_SAMPLE = Struct("<Q")


class FinaliseError(Exception):
    """The finalised file is not what the journal holds, so the journal stays."""


@dataclass(frozen=True, slots=True)
class FinishedJournal:
    """A journal with its closing piece, still locked, and the key that dies with this object."""

    file: JournalFile
    facts: HeaderFacts
    key: bytes
    counts: Counts
    close: Close


class _SealedFile:
    """The growing ``.rec.part``: content is cut into pieces as it comes."""

    def __init__(self, path: Path, facts: HeaderFacts, store_public_key: bytes) -> None:
        self._container = ContainerWriter(FINALISED, facts, store_public_key)
        self.key = self._container.key
        self._content = hashlib.sha256()
        self._run = bytearray()
        self.whole = hashlib.sha256()
        self.size = 0
        path.unlink(missing_ok=True)
        self._fd = create(path)

    def begin(self) -> None:
        """Write what comes before the first piece."""
        self._write(self._container.preamble)

    def content(self, data: bytes) -> None:
        self._content.update(data)
        self._run += data
        while len(self._run) >= MAX_CONTENT:
            self._piece(CONTENT, bytes(self._run[:MAX_CONTENT]))
            del self._run[:MAX_CONTENT]

    def event(self, body: bytes) -> None:
        self._piece(EVENT, body)

    def finish(self, rate: int, counts: Counts, close: Close) -> str:
        """Write the rest and the closing piece, have it on the disk, and return the content's SHA-256."""
        if self._run:
            self._piece(CONTENT, bytes(self._run))
        digest = self._content.hexdigest()
        self._piece(CLOSING, closing_body(rate, counts, close, codec=CODEC, content_sha256=digest), final=True)
        os.fsync(self._fd)
        return digest

    def close(self) -> None:
        os.close(self._fd)

    def _piece(self, kind: str, body: bytes, *, final: bool = False) -> None:
        self._write(self._container.seal(kind, body, final=final))

    def _write(self, data: bytes) -> None:
        write_all(self._fd, data)
        self.whole.update(data)
        self.size += len(data)


def finalise(
    spool: Spool,
    identity: SeatIdentity,
    store_public_key: bytes,
    journal: FinishedJournal,
    pause: Callable[[float], None] = lambda _busy: None,
) -> Manifest:
    """Encode, seal, check, sign, publish; drop the journal. Finaliser thread.

    ``pause`` is called after each second of audio with the seconds that it took, and may sleep. Raises ``SpoolError``
    and ``FinaliseError``; the journal is then still there, whole, and may be published as it is.
    """
    recording_id = journal.facts.recording_id
    part = spool.part(recording_id)
    try:
        with spool_errors():
            manifest = _encode(part, store_public_key, journal, pause)
            replace_durably(part, spool.payload(recording_id, FINALISED))
    except (CodecError, ContainerError) as error:
        raise FinaliseError("the journal could not be turned into a finalised file") from error
    finally:
        part.unlink(missing_ok=True)
    signed = publish(spool, identity, manifest)
    try:
        spool.drop_journal(journal.file)
    except SpoolError:
        _log.warning("recording %s: its journal stays until the next start", recording_id)
    return signed


def publish_journal(
    spool: Spool,
    identity: SeatIdentity,
    file: JournalFile,
    facts: HeaderFacts,
    counts: Counts | None,
    ended_at: str,
) -> Manifest:
    """Make a journal ready for upload as it is. ``counts`` is None for one that was found at start: recovered.

    Raises ``SpoolError``.
    """
    with spool_errors():
        for unpublished in (spool.part(facts.recording_id), spool.payload(facts.recording_id, FINALISED)):
            unpublished.unlink(missing_ok=True)
        file.sync()
        digest, size = file_digest(file.path)
    known = counts or Counts(0, 0, 0.0, 0.0)
    manifest = _manifest(JOURNAL, facts, known, ended_at, size, digest, recovered=counts is None)
    return publish(spool, identity, manifest)


def publish(spool: Spool, identity: SeatIdentity, manifest: Manifest) -> Manifest:
    """Number, sign and write the manifest. Raises ``SpoolError``."""
    with spool_errors():
        number = spool.numbers.take(manifest.recording_id)
    values = manifest.to_json() | {"number": number}
    signed = sign_manifest(identity, Manifest(**values))
    spool.publish(signed)
    return signed


def file_digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size of a file, read as a stream. Raises ``OSError``."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _manifest(
    kind: str, facts: HeaderFacts, counts: Counts, ended_at: str, size: int, digest: str, *, recovered: bool
) -> Manifest:
    return Manifest(
        recording_id=facts.recording_id,
        call_id=facts.call_id,
        seat_id=facts.seat_id,
        number=0,
        kind=kind,
        recovered=recovered,
        size=size,
        sha256=digest,
        rate=facts.rate,
        samples=counts.samples,
        lost_frames=counts.lost_frames,
        started_at=facts.started_at,
        ended_at=ended_at,
    )


def _encode(part: Path, store_public_key: bytes, journal: FinishedJournal, pause: Callable[[float], None]) -> Manifest:
    sealed = _SealedFile(part, journal.facts, store_public_key)
    try:
        sealed.begin()
        samples = _transcribe(journal, sealed, pause)
        if samples != journal.counts.samples:
            raise FinaliseError("the journal does not hold what was written")
        content_sha256 = sealed.finish(journal.facts.rate, journal.counts, journal.close)
    finally:
        sealed.close()
    _check(part, sealed.key, journal, content_sha256)
    digest, size = sealed.whole.hexdigest(), sealed.size
    return _manifest(FINALISED, journal.facts, journal.counts, journal.close.at, size, digest, recovered=False)


def _transcribe(journal: FinishedJournal, sealed: _SealedFile, pause: Callable[[float], None]) -> int:
    rate = journal.facts.rate
    encoder = OpusEncoder(sealed.content, rate)
    run, done = bytearray(), 0
    second = rate * FRAME_BYTES
    gaps = _Gaps()
    try:
        with journal.file.path.open("rb") as stream:
            reader = ContainerReader(stream)
            reader.unlock_with(journal.key)
            for piece in reader.pieces():
                if piece.kind == AUDIO:
                    (start,) = _FIRST_SAMPLE.unpack_from(piece.body)
                    done = _silence(encoder, run, done, start, rate, pause)
                    run += memoryview(piece.body)[_FIRST_SAMPLE.size :]
                    done = start + (len(piece.body) - _FIRST_SAMPLE.size) // FRAME_BYTES
                    if len(run) >= second:
                        _encode_run(encoder, run, pause)
                elif piece.kind == EVENT:
                    sealed.event(piece.body)
                elif piece.kind == GAP:
                    gap = json.loads(piece.body)
                    if gap["channel"] == "both":
                        done = _silence(encoder, run, done, gap["start"] + gap["samples"], rate, pause)
                    for event in gaps.add(gap):
                        sealed.event(event)
        for event in gaps.rest():
            sealed.event(event)
        _encode_run(encoder, run, pause)
    finally:
        encoder.close()
    return done


def _silence(
    encoder: OpusEncoder, run: bytearray, done: int, start: int, rate: int, pause: Callable[[float], None]
) -> int:
    """Fill a gap, a second at a time, so that the finalised audio is as long as the call."""
    while done < start:
        step = min(start - done, rate)
        run += bytes(step * FRAME_BYTES)
        done += step
        _encode_run(encoder, run, pause)
    return done


def _encode_run(encoder: OpusEncoder, run: bytearray, pause: Callable[[float], None]) -> None:
    began = time.monotonic()
    encoder.write(bytes(run))
    run.clear()
    pause(time.monotonic() - began)


class _Gaps:
    """Joins the journal's gap records, one for each piece, into one event for each gap."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, Any]] = {}

    def add(self, gap: dict[str, Any]) -> list[bytes]:
        """Take one record; returns the event of an earlier gap on that channel, when it is over."""
        last = self._open.get(gap["channel"])
        if last is not None and last["start"] + last["samples"] == gap["start"]:
            last["samples"] += gap["samples"]
            return []
        self._open[gap["channel"]] = dict(gap)
        return [self._event(last)] if last is not None else []

    def rest(self) -> list[bytes]:
        return [self._event(gap) for gap in self._open.values()]

    @staticmethod
    def _event(gap: dict[str, Any]) -> bytes:
        return json.dumps({"kind": "gap", "at": "", **gap}, separators=(",", ":")).encode("utf-8")


def _check(part: Path, key: bytes, journal: FinishedJournal, content_sha256: str) -> None:
    """Read our own file back from the disk, as the store will, before anything is dropped for it."""
    content = io.BytesIO()
    closing: dict[str, Any] = {}
    with part.open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock_with(key)
        for piece in reader.pieces():
            if piece.kind == CONTENT:
                content.write(piece.body)
            elif piece.kind == CLOSING:
                closing = json.loads(piece.body)
    if hashlib.sha256(content.getbuffer()).hexdigest() != content_sha256:
        raise FinaliseError("the finalised file does not hold what was encoded")
    if closing.get("samples") != journal.counts.samples or closing.get("content_sha256") != content_sha256:
        raise FinaliseError("the closing piece is wrong")
    content.seek(0)
    expected = (journal.counts.samples, journal.facts.rate)
    if journal.counts.samples and content_samples(content) != expected:
        raise FinaliseError("the finalised audio has another length than the call")
