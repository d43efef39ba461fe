"""The order of today's work (C1): which case first, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from agent_desktop.domain.days import local_date
from agent_desktop.domain.models import Case, Outcome, Promise, PromiseState, QueueItem


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What decides where a case stands: its latest promise that is open or broken, its latest note."""

    case: Case
    number: str = ""
    promise: Promise | None = None
    last_note_at: datetime | None = None
    last_outcome: Outcome | None = None


PROMISE_DUE, PROMISE_BROKEN, CALL_BACK, NOT_CONTACTED, NEW, HANDLED, LATER = range(7)

Placed = tuple[tuple[int, int, int, int, str], QueueItem]
"""Sorts by its first half, down to the case's id."""


def work_order(facts: list[CaseFacts], now: datetime, zone: tzinfo | None = None) -> list[QueueItem]:
    """All cases in the order to do them.

    Promises due today; promises broken, the largest first; call-backs of today, the earliest first; not contacted, the
    longest ago first; new; and last what was handled today or is put off to a later day. Among equals the later stage
    comes first, then the larger amount. Paid cases are left out.
    """
    placed = [place(f, now, zone) for f in facts if is_work(f)]
    placed.sort(key=lambda pair: pair[0])
    return [item for _, item in placed]


def is_work(facts: CaseFacts) -> bool:
    """Not paid in full."""
    return facts.case.paid.minor < facts.case.total.minor


def place(facts: CaseFacts, now: datetime, zone: tzinfo | None) -> Placed:
    """Where one case stands, and why. Depends on the day of ``now``, not on the hour."""
    today = local_date(now, zone)
    case, promise = facts.case, facts.promise
    follow_up = case.next_follow_up_at
    follow_up_day = local_date(follow_up, zone) if follow_up else None
    last_day = local_date(facts.last_note_at, zone) if facts.last_note_at else None
    handled = last_day == today
    if follow_up and facts.last_note_at and facts.last_note_at >= follow_up:
        follow_up = follow_up_day = None  # done: a note was written after it was due
    if promise and not handled and promise.state is PromiseState.OPEN and promise.due == today:
        return _entry(PROMISE_DUE, -promise.amount.minor, facts, "promise_due", amount=True)
    if promise and not handled and promise.due < today:
        days = (today - promise.due).days
        return _entry(PROMISE_BROKEN, -promise.amount.minor, facts, "promise_broken", days=days, amount=True)
    if follow_up and follow_up_day and follow_up_day <= today:
        return _entry(CALL_BACK, int(follow_up.timestamp()), facts, "call_back", at=follow_up)
    if handled:
        at = facts.last_note_at
        return _entry(HANDLED, int(at.timestamp()) if at else 0, facts, "last_outcome", at=at)
    if follow_up or (promise and promise.state is PromiseState.OPEN):
        return _later(facts, follow_up)
    last = max((at for at in (case.last_contact_at, facts.last_note_at) if at), default=None)
    if last is None:
        return _entry(NEW, 0, facts, "new")
    days = (today - local_date(last, zone)).days
    return _entry(NOT_CONTACTED, -days, facts, "not_contacted", days=days, at=last)


def _later(facts: CaseFacts, follow_up: datetime | None) -> Placed:
    order = int(follow_up.timestamp()) if follow_up else 0
    if facts.last_outcome is not None:
        return _entry(LATER, order, facts, "last_outcome", at=facts.last_note_at)
    return _entry(LATER, order, facts, "call_back", at=follow_up)


def _entry(
    rank: int,
    order: int,
    facts: CaseFacts,
    reason: str,
    *,
    days: int = 0,
    at: datetime | None = None,
    amount: bool = False,
) -> Placed:
    case = facts.case
    item = QueueItem(
        case=case,
        number=facts.number,
        reason=reason,
        reason_days=days,
        reason_amount=facts.promise.amount if amount and facts.promise else None,
        reason_at=at,
        reason_outcome=facts.last_outcome,
    )
    return (rank, order, -_stage(case.stage), -case.total.minor, case.id), item


def _stage(stage: str) -> int:
    digits = stage[1:]
    return int(digits) if digits.isdigit() else 0
