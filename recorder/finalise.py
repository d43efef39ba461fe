"""From journal to finalised file, while the key is still in memory. The plain audio stays in memory too."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from recorder.codec import FLAC, CodecError, content_samples, decode
from recorder.container import (
    CLOSING,
    CONTENT,
    EVENT,
    FINALISED,
    JOURNAL,
    MAX_CONTENT,
    ContainerError,
    ContainerReader,
    ContainerWriter,
    HeaderFacts,
)
from recorder.evidence import Manifest, SeatIdentity, sign_manifest
from recorder.files import create, replace_durably, spool_errors, write_all
from recorder.journal import PCM, Close, closing_body, whole
from recorder.rules import RecordingRules
from recorder.spool import JournalFile, Spool, SpoolError
from recorder.status import Counts
from recorder.transcribe import Transcript, transcribe

_log = logging.getLogger(__name__)


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
    rules: RecordingRules = field(default_factory=RecordingRules)
    facts_sha256: str = ""


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

    def finish(self, journal: FinishedJournal, found: Transcript) -> str:
        """Write the rest and the closing piece, have it on the disk, and return the content's SHA-256."""
        if self._run:
            self._piece(CONTENT, bytes(self._run))
        digest = self._content.hexdigest()
        closing = closing_body(
            journal.facts.rate,
            journal.counts,
            journal.close,
            codec=journal.rules.codec,
            samples=found.samples,
            segments=found.segments,
            content_sha256=digest,
        )
        self._piece(CLOSING, closing, final=True)
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
    finished: FinishedJournal | None,
    ended_at: str = "",
) -> Manifest:
    """Make a journal ready for upload as it is. ``finished`` is None for one that was found at start: recovered, and
    last written to at ``ended_at``.

    Raises ``SpoolError``.
    """
    with spool_errors():
        for unpublished in (spool.part(facts.recording_id), spool.payload(facts.recording_id, FINALISED)):
            unpublished.unlink(missing_ok=True)
        file.sync()
        digest, size = file_digest(file.path)
    if finished is None:
        nothing = Counts(0, 0, 0.0, 0.0)
        manifest = _manifest(JOURNAL, facts, nothing, Close("", ended_at), size, digest, recovered=True)
        return publish(spool, identity, manifest)
    manifest = _manifest(JOURNAL, facts, finished.counts, finished.close, size, digest)
    segments = whole(finished.counts)
    return publish(spool, identity, replace(manifest, segments=segments, facts_sha256=finished.facts_sha256))


def publish(spool: Spool, identity: SeatIdentity, manifest: Manifest) -> Manifest:
    """Number, sign and write the manifest. Raises ``SpoolError``."""
    with spool_errors():
        number = spool.numbers.take(manifest.recording_id)
    signed = sign_manifest(identity, replace(manifest, number=number))
    spool.publish(signed)
    return signed


def file_digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size of a file, read as a stream. Raises ``OSError``."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _manifest(
    kind: str, facts: HeaderFacts, counts: Counts, close: Close, size: int, digest: str, *, recovered: bool = False
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
        ended_at=close.at,
        codec=PCM,
        call_samples=counts.samples,
        mode=facts.mode,
        policy_sha256=facts.policy_sha256,
        monotonic_ms=close.monotonic_ms,
    )


def _encode(part: Path, store_public_key: bytes, journal: FinishedJournal, pause: Callable[[float], None]) -> Manifest:
    sealed = _SealedFile(part, journal.facts, store_public_key)
    counts = journal.counts
    try:
        sealed.begin()
        found = transcribe(journal.file.path, journal.key, journal.facts.rate, counts, journal.rules, sealed, pause)
        if (found.call_samples, found.samples) != (counts.samples, counts.samples - counts.left_out):
            raise FinaliseError("the journal does not hold what was written")
        content_sha256 = sealed.finish(journal, found)
    finally:
        sealed.close()
    _check(part, sealed.key, journal, found, content_sha256)
    return replace(
        _manifest(FINALISED, journal.facts, counts, journal.close, sealed.size, sealed.whole.hexdigest()),
        codec=journal.rules.codec,
        content_sha256=content_sha256,
        samples=found.samples,
        segments=found.segments,
        facts_sha256=journal.facts_sha256,
    )


def _check(part: Path, key: bytes, journal: FinishedJournal, found: Transcript, content_sha256: str) -> None:
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
    if closing.get("samples") != found.samples or closing.get("content_sha256") != content_sha256:
        raise FinaliseError("the closing piece is wrong")
    if not found.samples:
        return
    content.seek(0)
    if content_samples(content) != (found.samples, journal.facts.rate):
        raise FinaliseError("the finalised audio has another length than the call")
    if journal.rules.codec == FLAC:
        content.seek(0)
        _check_lossless(content, found)


def _check_lossless(content: BinaryIO, found: Transcript) -> None:
    digest = hashlib.sha256()
    for run in decode(content):
        digest.update(run)
    if digest.hexdigest() != found.pcm_sha256:
        raise FinaliseError("the finalised audio is not sample for sample what was recorded")
