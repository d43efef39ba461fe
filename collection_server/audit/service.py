"""Writing to the audit log, and checking its chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from collection_server.audit.tables import AuditEntry, AuditHead
from collection_server.canonical import canonical_json, sha256_hex
from collection_server.db import pending

if TYPE_CHECKING:
    from collection_server.auth.principal import Principal

FIRST_HASH = "0" * 64
_PENDING = "audit"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as far as known."""

    user_id: str | None = None
    seat_id: str = ""
    ip: str = ""

    @classmethod
    def of(cls, who: Principal) -> Actor:
        return cls(who.user_id, who.seat_id, who.ip)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, before it has a place in the chain."""

    actor: Actor
    action: str
    object_kind: str = ""
    object_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def record(session: Session, event: Event) -> None:
    """Have the event written in this unit of work: both are committed or neither."""
    pending(session, _PENDING).append(event)


def append_pending(session: Session) -> None:
    """Close of a unit of work: give each event its place in the chain."""
    events: list[Event] = pending(session, _PENDING)
    if not events:
        return
    head = session.scalars(select(AuditHead).with_for_update()).one()
    rows = list(_chain(events, head.seq, head.hash))
    session.execute(insert(AuditEntry), rows)
    head.seq, head.hash = rows[-1]["seq"], rows[-1]["hash"]
    events.clear()


def _chain(events: Iterable[Event], seq: int, previous: str) -> Iterable[Row]:
    for number, event in enumerate(events, seq + 1):
        row: Row = {
            "seq": number,
            "at": event.at,
            "user_id": event.actor.user_id,
            "seat_id": event.actor.seat_id,
            "ip": event.actor.ip,
            "action": event.action,
            "object_kind": event.object_kind,
            "object_id": event.object_id,
            "detail": event.detail,
            "prev_hash": previous,
        }
        previous = row["hash"] = entry_hash(row)
        yield row


def entry_hash(row: Row) -> str:
    """SHA-256 of the canonical JSON of everything in the entry but ``hash``."""
    content = {k: v for k, v in row.items() if k != "hash"}
    content["at"] = row["at"].astimezone(UTC).isoformat()
    return sha256_hex(canonical_json(content))


def verify(session: Session) -> int | None:
    """The number of the first entry that does not fit the chain or is missing, or None when all is well."""
    previous, expected = FIRST_HASH, 1
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq).execution_options(yield_per=500))
    for entry in entries:
        row = {c.key: getattr(entry, c.key) for c in AuditEntry.__table__.columns}
        if entry.seq != expected or entry.prev_hash != previous or entry.hash != entry_hash(row):
            return expected
        previous, expected = entry.hash, expected + 1
    head = session.scalars(select(AuditHead)).one()
    return None if (head.seq, head.hash) == (expected - 1, previous) else expected
