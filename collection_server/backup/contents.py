"""What belongs to a snapshot, read from the very database that is in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.audit.tables import AuditHead
from collection_server.evidence.chain import wire_time
from collection_server.evidence.tables import EvidenceHead
from collection_server.recordings.tables import Recording
from collection_server.retention.derived import derived_blobs
from collection_server.retention.tables import Destruction
from collection_server.sync.tables import ChangeCounter

Json = dict[str, Any]
Derived = dict[str, list[tuple[str, int]]]


def store_list(session: Session) -> Json:
    """Every blob that must be there, by recording, and what was destroyed."""
    live = select(Recording.id, Recording.sha256, Recording.size).where(Recording.destroyed_at.is_(None))
    derived = derived_blobs(session)
    blobs = []
    for recording_id, sha256, size in session.execute(live.order_by(Recording.stored_at, Recording.id)):
        blobs.append({"recording_id": recording_id, "sha256": sha256, "size": size})
        blobs += [{"recording_id": recording_id, "sha256": s, "size": n} for s, n in derived.get(recording_id, ())]
    gone = session.scalars(select(Destruction).order_by(Destruction.recording_id))
    return {"blobs": blobs, "destroyed": [_destruction(row, derived) for row in gone]}


def _destruction(row: Destruction, derived: Derived) -> Json:
    return {
        "derived": [sha256 for sha256, _ in derived.get(row.recording_id, ())],
        "recording_id": row.recording_id,
        "state": row.state,
        "sha256": row.sha256,
        "client": row.client,
        "rule_client": row.rule_client,
        "rule_days": row.rule_days,
        "rule_set_by": row.rule_set_by,
        "due_at": wire_time(row.due_at),
        "decided_at": wire_time(row.decided_at),
    }


def heads(session: Session) -> Json:
    """The ends of the chains, to be found again after a restore."""
    evidence = session.scalars(select(EvidenceHead)).one()
    audit = session.scalars(select(AuditHead)).one()
    return {
        "evidence": {"seq": evidence.seq, "hash": evidence.hash},
        "audit": {"seq": audit.seq, "hash": audit.hash},
        "changes": session.scalars(select(ChangeCounter.value)).one(),
    }
