"""The chain: one signed entry after the other, none of which can be changed or left out afterwards."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.canonical import NotCanonical, canonical_json, sha256_hex
from collection_server.evidence.tables import ChainEntry, EvidenceHead

FIRST_HASH = "0" * 64
Json = dict[str, Any]
LINK = ("seq", "kind", "seat_id", "number", "prev_hash", "seat_prev_hash")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about. ``number`` is the seat's, 0 where it is not about one recording."""

    recording_id: str = ""
    seat_id: str = ""
    number: int = 0


def append(
    session: Session, kind: str, subject: Subject, facts: Json, now: datetime, receipt_key: SigningKey
) -> ChainEntry:
    """Sign a statement and give it its place, in this unit of work.

    Holds the chain's head until the commit: call it as late as can be. ``facts`` (text, whole numbers, lists and
    objects of them) are the body's own part. Raises ``NotCanonical``.
    """
    head = session.scalars(select(EvidenceHead).with_for_update()).one()
    before = select(ChainEntry.hash).where(ChainEntry.seat_id == subject.seat_id).order_by(ChainEntry.seq.desc())
    body = facts | {
        "kind": kind,
        "recording_id": subject.recording_id,
        "seat_id": subject.seat_id,
        "number": subject.number,
        "stored_at": wire_time(now),
        "seq": head.seq + 1,
        "prev_hash": head.hash,
        "seat_prev_hash": session.scalars(before.limit(1)).first() or FIRST_HASH,
    }
    _refuse_floats(body)
    entry = ChainEntry(
        **{name: body[name] for name in LINK},
        at=now,
        recording_id=subject.recording_id or None,
        body=body,
        hash=link_hash(body),
        signature=base64.b64encode(receipt_key.sign(canonical_json(body)).signature).decode(),
    )
    session.add(entry)
    head.seq, head.hash = entry.seq, entry.hash
    session.flush()
    return entry


def signed(entry: ChainEntry) -> Json:
    """The entry as it goes out: a receipt, for one that says that something is stored."""
    return {**entry.body, "signature": entry.signature}


def link(entry: ChainEntry) -> Json:
    """What the chain needs of an entry, without saying which recording it is about."""
    return {name: getattr(entry, name) for name in LINK} | {"body_sha256": _digest(entry.body), "hash": entry.hash}


def link_hash(body: Json) -> str:
    """SHA-256 of the canonical JSON of the link: the body's place and subject, and the body's own SHA-256."""
    return _digest({name: body[name] for name in LINK} | {"body_sha256": _digest(body)})


def verify(session: Session, receipt_key: VerifyKey) -> int | None:
    """The number of the first entry that does not fit, is not signed or is missing; None when all is well."""
    previous, expected, seats = FIRST_HASH, 1, dict[str, str]()
    for entry in session.scalars(select(ChainEntry).order_by(ChainEntry.seq).execution_options(yield_per=500)):
        if entry.seq != expected or entry.prev_hash != previous or not _is_whole(entry, receipt_key):
            return expected
        if entry.seat_prev_hash != seats.get(entry.seat_id, FIRST_HASH):
            return expected
        previous = seats[entry.seat_id] = entry.hash
        expected += 1
    head = session.scalars(select(EvidenceHead)).one()
    return None if (head.seq, head.hash) == (expected - 1, previous) else expected


def _is_whole(entry: ChainEntry, receipt_key: VerifyKey) -> bool:
    try:
        receipt_key.verify(canonical_json(entry.body), base64.b64decode(entry.signature, validate=True))
    except (CryptoError, ValueError, NotCanonical):
        return False
    columns = all(getattr(entry, name) == entry.body.get(name) for name in LINK)
    return (
        columns and (entry.recording_id or "") == entry.body.get("recording_id") and link_hash(entry.body) == entry.hash
    )


def wire_time(at: datetime) -> str:
    """ISO 8601 in UTC with ``Z``."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _digest(value: Json) -> str:
    return sha256_hex(canonical_json(value))


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise NotCanonical("a float has no one form")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_floats(item)
