"""What the store says of recordings and of numbers without one: signed, chained, and an alarm where it is bad."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nacl.signing import SigningKey
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.auth.principal import Principal
from collection_server.canonical import canonical_json, sha256_hex
from collection_server.evidence import alarms, chain
from collection_server.evidence.chain import Subject
from collection_server.evidence.tables import ChainEntry, RecordingPieces
from collection_server.problems import Problem
from collection_server.recordings.check import Findings
from collection_server.recordings.tables import Recording, Upload

STORED, ADOPTED, VOIDED, FINALISED, DESTROYED = "stored", "adopted", "voided", "finalised", "destroyed"
NUMBERED = (STORED, ADOPTED, VOIDED)
"""Kinds of entries that account for a seat's number."""
Json = dict[str, Any]


def append(session: Session, kind: str, subject: Subject, facts: Json, now: datetime, receipt_key: SigningKey) -> Json:
    """A signed entry of any other kind (``held``, ``released``, ``destroyed`` …); see ``chain.append``."""
    return chain.signed(chain.append(session, kind, subject, facts, now, receipt_key))


def append_stored(
    session: Session, recording: Recording, found: Findings, now: datetime, receipt_key: SigningKey
) -> Json:
    """The receipt of a recording that is stored in this unit of work: the signed entry of the chain."""
    facts: Json = {
        "sha256": recording.sha256,
        "size": recording.size,
        "manifest_sha256": manifest_sha256(recording.manifest),
        "state": recording.state,
        "content_sha256": found.content_sha256,
        "pieces": len(found.digests) // 32,
        "pieces_sha256": sha256_hex(found.digests),
    }
    session.add(recording)
    session.flush()
    session.add(RecordingPieces(recording_id=recording.id, digests=found.digests))
    subject = Subject(recording.id, recording.seat_id, recording.number)
    if recording.state == "failed":
        alarms.raise_alarm(session, "failed", subject, now, call_id=recording.call_id)
    alarms.arrived(session, subject, recording.call_id, now)
    return append(session, STORED, subject, facts, now, receipt_key)


def append_voided(session: Session, who: Principal, manifest: Json, now: datetime, receipt_key: SigningKey) -> Json:
    """The receipt for a number that, as the seat has signed, has no audio. Always an alarm.

    The signature was checked. Raises 409 ``conflict`` or ``number_reused``.
    """
    subject = Subject(manifest["recording_id"], manifest["seat_id"], manifest["number"])
    known = _voided(session, subject)
    if known is not None:
        return chain.signed(known)
    for table, own_id in ((Recording, Recording.id), (Upload, Upload.recording_id)):
        same_number = (table.seat_id == subject.seat_id) & (table.number == subject.number)
        taken = session.scalars(select(own_id).where(or_(own_id == subject.recording_id, same_number))).first()
        if taken is not None:
            raise Problem(409, "conflict", "There is audio for this recording or number.", keep=True)
    call_id = manifest["call_id"]
    alarms.arrived(session, subject, call_id, now)
    alarms.raise_alarm(session, "void", subject, now, call_id=call_id)
    detail = {"number": subject.number, "call_id": call_id}
    audit.record(
        session, audit.Event(audit.Actor.of(who), "recording.voided", "recording", subject.recording_id, detail)
    )
    facts = {
        "sha256": manifest["sha256"],
        "size": 0,
        "manifest_sha256": manifest_sha256(manifest),
        "state": "void",
        "call_id": call_id,
        "manifest": manifest,
    }
    return append(session, VOIDED, subject, facts, now, receipt_key)


def refuse_voided(session: Session, manifest: Json) -> None:
    """Raises 409 when the seat has said before that this recording, or this number, has no audio."""
    if _voided(session, Subject(manifest["recording_id"], manifest["seat_id"], manifest["number"])) is not None:
        raise Problem(409, "voided", "The seat has declared this number void.", keep=True)


def _voided(session: Session, subject: Subject) -> ChainEntry | None:
    found = session.scalars(
        select(ChainEntry).where(
            ChainEntry.kind == VOIDED,
            ChainEntry.seat_id == subject.seat_id,
            or_(ChainEntry.number == subject.number, ChainEntry.recording_id == subject.recording_id),
        )
    ).first()
    if found is not None and (found.number, found.recording_id) != (subject.number, subject.recording_id):
        raise Problem(409, "number_reused", "The seat's number belongs to another recording.", keep=True)
    return found


def receipt_of(session: Session, recording_id: str) -> Json | None:
    """The signed receipt of a stored recording; None for one that was stored before there was a chain."""
    query = select(ChainEntry).where(ChainEntry.recording_id == recording_id, ChainEntry.kind == STORED)
    entry = session.scalars(query).one_or_none()
    return chain.signed(entry) if entry is not None else None


def adopt(session: Session, now: datetime, receipt_key: SigningKey, limit: int = 100) -> int:
    """Take recordings that were stored before there was a chain into it, oldest first; how many there were."""
    chained = select(ChainEntry.recording_id).where(
        ChainEntry.recording_id == Recording.id, ChainEntry.kind.in_((STORED, ADOPTED))
    )
    query = select(Recording).where(~chained.exists()).order_by(Recording.stored_at, Recording.id).limit(limit)
    found = list(session.scalars(query))
    for recording in found:
        facts = {
            "sha256": recording.sha256,
            "size": recording.size,
            "manifest_sha256": manifest_sha256(recording.manifest),
            "state": recording.state,
            "first_stored_at": chain.wire_time(recording.stored_at),
        }
        subject = Subject(recording.id, recording.seat_id, recording.number)
        append(session, ADOPTED, subject, facts, now, receipt_key)
    return len(found)


def manifest_sha256(manifest: Json) -> str:
    """Of the bytes that the seat has signed."""
    return sha256_hex(canonical_json({name: value for name, value in manifest.items() if name != "signature"}))
