"""Cases, contacts and notes for tests of the desk, and a clock that stands still until it is told."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agent_desktop.domain.models import (
    Call,
    Case,
    Contact,
    ContactSource,
    ContactState,
    Direction,
    Money,
    Note,
    Outcome,
    Promise,
    PromiseState,
    Relation,
    Role,
    User,
)
from agent_desktop.domain.sync import Change, ChangePage, Operation

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""12:00 on Monday, 23 November 2026 in Shanghai."""
TODAY = date(2026, 11, 23)
ME = User("10000000-0000-4000-8000-000000000001", "liting", "李婷", Role.COLLECTOR, "一组")


class Clock:
    """Gives ``now``; ``tick`` moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **by: float) -> None:
        self.now += timedelta(**by)


def new_id() -> str:
    return str(uuid.uuid4())


def make_case(**changes: Any) -> Case:
    case = Case(
        id=new_id(),
        number=f"HX-{uuid.uuid4().hex[:6]}",
        client="华信",
        product="信用卡",
        batch="2026-11",
        debtor_name="张建国",
        debtor_sex="male",
        debtor_age=47,
        id_number_masked="110108****3316",
        account_tail="4417",
        stage="M3",
        days_overdue=92,
        due_back=date(2026, 12, 15),
        total=Money(1_846_237),
        principal=Money(1_520_000),
        minimum_due=Money(231_080),
        paid=Money(100_000),
        relief="可申请 ≤ 20% 息费",
        owner_id=ME.id,
        linked_cases=1,
        last_contact_at=None,
        next_follow_up_at=None,
    )
    return replace(case, **changes)


def make_contact(case: Case, number: str = "+8613800006021", **changes: Any) -> Contact:
    contact = Contact(new_id(), case.id, "张建国", Relation.SELF, number, ContactSource.ORIGINAL, ContactState.VALID)
    return replace(contact, **changes)


def make_note(case: Case, outcome: Outcome = Outcome.WILLING, **changes: Any) -> Note:
    note = Note(new_id(), case.id, "", "", ME.id, ME.name, NOON, outcome, "称工资 23 日到账")
    return replace(note, **changes)


def make_promise_note(
    case: Case, due: date, minor: int = 300_000, state: PromiseState = PromiseState.OPEN, **changes: Any
) -> Note:
    note = make_note(case, Outcome.PROMISE, **changes)
    return replace(note, promise=Promise(new_id(), case.id, note.id, Money(minor), due, state))


def make_call(case: Case | None = None, **changes: Any) -> Call:
    call = Call(
        id=new_id(),
        case_id=case.id if case else "",
        contact_id="",
        agent_id=ME.id,
        line_id="line-1",
        direction=Direction.OUTBOUND,
        number="+8613800006021",
        started_at=NOON,
        answered_at=NOON + timedelta(seconds=8),
        ended_at=NOON + timedelta(seconds=68),
        cause="hung_up",
        talk_ms=60_000,
        recording_id="",
        quality={"codec": "PCMA", "rx_jitter_ms": 1.5},
        sip_code=200,
    )
    return replace(call, **changes)


_seq = itertools.count(1)


def upsert(item: Case | Contact | Note | Call) -> Change:
    kind = type(item).__name__.lower()
    return Change(next(_seq), kind, item.id, item)


def delete_case(case_id: str) -> Change:
    return Change(next(_seq), "case", case_id, None)


def page(*changes: Change, more: bool = False) -> ChangePage:
    return ChangePage(changes, max((c.seq for c in changes), default=0), more)


def note_operation(note: Note) -> Operation:
    from agent_desktop.sync.shapes import note_json

    return Operation(note.id, "note.add", note.created_at, note.case_id, note_json(note))
