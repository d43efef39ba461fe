"""A journal that came from a crash is encoded once, sealed, stored beside the original and signed for.

The journal itself stays what it was. Replays use what was made of it.
"""

from __future__ import annotations

import io
import logging
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from nacl.public import PrivateKey
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from collection_server.canonical import canonical_json, sha256_hex
from collection_server.context import Server
from collection_server.evidence import alarms, service
from collection_server.evidence.chain import Subject
from collection_server.evidence.tables import Alarm, ChainEntry, EvidenceHead
from collection_server.recordings import envelope
from collection_server.recordings.audio import playable
from collection_server.recordings.envelope import Damaged, Header
from collection_server.recordings.sealing import seal_finalised
from collection_server.recordings.tables import Recording
from collection_server.storage import BlobMissing

log = logging.getLogger(__name__)

AT_ONCE = 10


def playable_blob(session: Session, recording: Recording) -> str:
    """SHA-256 of the blob that a replay is to open: what was made of a journal, or the recording itself."""
    if recording.kind != "J":
        return recording.sha256
    query = select(ChainEntry.body).where(ChainEntry.recording_id == recording.id)
    made = session.scalars(query.where(ChainEntry.kind == service.FINALISED)).first()
    return str(made["derived_sha256"]) if made is not None else recording.sha256


def finalise_journals(server: Server, limit: int = AT_ONCE) -> int:
    """Those that were stored and not yet encoded, oldest first; how many were made.

    One that cannot be encoded is an alarm, and is not tried again.
    """
    with server.db.read() as session:
        waiting = _waiting(session, limit)
    made = 0
    for recording in waiting:
        try:
            sealed, content_sha256 = _made_of(server, recording)
        except (Damaged, BlobMissing) as error:
            log.warning("a stored journal cannot be finalised: %s", type(error).__name__)
            with server.db.write() as session:
                subject = Subject(recording.id, recording.seat_id, recording.number)
                alarms.raise_alarm(session, "failed", subject, server.clock(), recording.call_id)
            continue
        digest = sha256_hex(sealed)
        with tempfile.TemporaryDirectory(dir=server.settings.data, prefix="finalising-") as folder:
            path = Path(folder) / "sealed"
            path.write_bytes(sealed)
            server.blobs.put_file(path, digest)
        facts = {"sha256": recording.sha256, "derived_sha256": digest, "derived_size": len(sealed)}
        made += _note(server, recording, facts | {"content_sha256": content_sha256})
    return made


def _waiting(session: Session, limit: int) -> list[Recording]:
    known = (
        exists().where(ChainEntry.recording_id == Recording.id, ChainEntry.kind == service.FINALISED),
        exists().where(Alarm.kind == "failed", Alarm.recording_id == Recording.id),
    )
    query = select(Recording).where(
        Recording.kind == "J", Recording.state != "failed", Recording.samples > 0, Recording.destroyed_at.is_(None)
    )
    return list(session.scalars(query.where(*(~one for one in known)).order_by(Recording.stored_at).limit(limit)))


def _made_of(server: Server, recording: Recording) -> tuple[bytes, str]:
    with server.checks, server.blobs.open(recording.sha256) as blob:
        file = io.BytesIO(blob.read())
    content = playable(file, server.keys.store)
    file.seek(0)
    header = envelope.read_header(file)
    events, end = _told(file, header, server.keys.store)
    digest = sha256_hex(content)
    closing = _closing(recording, end) | {"samples": _samples(content, recording.rate), "content_sha256": digest}
    closing["segments"] = [[0, 0, closing["samples"]]]
    return seal_finalised(header.fields, events, content, closing, server.keys.store.public_key), digest


def _told(file: BinaryIO, header: Header, store_key: PrivateKey) -> tuple[list[bytes], dict[str, Any]]:
    """The journal's events and gaps, as events, and what its closing piece says, if it has one."""
    events: list[bytes] = []
    end: dict[str, Any] = {}
    with suppress(Damaged):  # a torn end: what comes before it is good
        for piece in envelope.pieces(file, header, store_key):
            if piece.type == "E":
                events.append(piece.body)
            elif piece.type == "G":
                events.append(canonical_json({"kind": "gap", "at": ""} | piece.json()))
            elif piece.type == "C":
                end = piece.json()
    return events, end


def _samples(content: bytes, rate: int) -> int:
    import soundfile

    info = soundfile.info(io.BytesIO(content))
    return int(info.frames * rate // info.samplerate)


def _closing(recording: Recording, end: dict[str, Any]) -> dict[str, Any]:
    ended: str = recording.manifest.get("ended_at", "")
    return {
        "call_samples": recording.samples,
        "rate": recording.rate,
        "lost_frames": recording.lost_frames,
        "cause": end.get("cause", "recovered"),
        "ended_at": end.get("ended_at", ended),
        "wall_ended_at": ended,
        "monotonic_ms": recording.samples * 1000 // recording.rate,
        "codec": "opus",
        "left_dbfs": recording.left_dbfs,
        "right_dbfs": recording.right_dbfs,
    }


def _note(server: Server, recording: Recording, facts: dict[str, Any]) -> bool:
    now: datetime = server.clock()
    with server.db.write() as session:
        session.scalars(select(EvidenceHead).with_for_update()).one()  # another process may have been as quick
        query = select(ChainEntry.seq).where(ChainEntry.recording_id == recording.id)
        if session.scalars(query.where(ChainEntry.kind == service.FINALISED)).first() is not None:
            return False
        subject = Subject(recording.id, recording.seat_id, recording.number)
        service.append(session, service.FINALISED, subject, facts, now, server.keys.receipt)
    return True
