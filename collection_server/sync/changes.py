"""The change sequence: numbers without gaps, in the order in which they can be seen.

Numbers are given out at the very end of a unit of work, from the one row of ``change_counter``. SQLite has a
single writer anyway. In PostgreSQL the ``UPDATE`` of that row takes its lock until the commit: the next writer
waits, so numbers become visible in order, and a rollback gives its numbers back with everything else. A
sequence would do neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from collection_server.db import pending
from collection_server.sync.broadcast import notify
from collection_server.sync.tables import Change, ChangeCounter, ChangeHole

_PENDING = "changes"


@dataclass(frozen=True, slots=True)
class PendingChange:
    kind: str
    object_id: str
    op: str
    scope: str


def record(session: Session, kind: str, object_id: str, scope: str | None, op: str = "upsert") -> None:
    """Have a change of an object told to the user ``scope`` (nobody when None), with this unit of work."""
    if scope is None:
        return
    pending(session, _PENDING).append(PendingChange(kind, object_id, op, scope))


def number_pending(session: Session) -> None:
    """Close of a unit of work: number and insert its changes, and have their users told after the commit."""
    changes: list[PendingChange] = pending(session, _PENDING)
    if not changes:
        return
    changes[:] = _without_repeats(changes)
    session.flush()
    counted = update(ChangeCounter).values(value=ChangeCounter.value + len(changes)).returning(ChangeCounter.value)
    last = session.execute(counted.execution_options(synchronize_session=False)).scalar_one()
    first = last - len(changes) + 1
    now = datetime.now(UTC)
    rows = [
        {"seq": seq, "kind": c.kind, "object_id": c.object_id, "op": c.op, "scope": c.scope, "at": now}
        for seq, c in enumerate(changes, first)
    ]
    session.execute(insert(Change), rows)
    for scope, seq in {row["scope"]: row["seq"] for row in rows}.items():
        notify(session, f"user:{scope}", {"type": "sync", "seq": seq})
    changes.clear()


def _without_repeats(changes: list[PendingChange]) -> list[PendingChange]:
    kept: dict[PendingChange, None] = {}
    for change in changes:
        if change.op == "delete":  # what follows a delete has to be told again
            return [*kept, change, *_without_repeats(changes[changes.index(change) + 1 :])]
        kept[change] = None
    return list(kept)


def head(session: Session) -> int:
    """The last number given out and committed."""
    return session.scalars(select(ChangeCounter.value)).one()


def was_never_given(session: Session, number: int) -> bool:
    """Whether the number lies in a hole that a restore left: whoever knows it knew the lost database."""
    inside = select(ChangeHole).where(ChangeHole.last_before < number, ChangeHole.resumed_at > number)
    return session.scalars(inside).first() is not None


def leave_hole(session: Session, size: int) -> None:
    """Go on ``size`` numbers ahead. For a restored database, before anybody is served."""
    counter = session.scalars(select(ChangeCounter).with_for_update()).one()
    session.add(ChangeHole(last_before=counter.value, resumed_at=counter.value + size))
    counter.value += size
