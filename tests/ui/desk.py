"""A desk in memory for tests of widgets alone: the services' signatures over plain lists of believable data.

``test_collector_desk.py`` holds its methods to the services' own signatures, so that it cannot drift from them.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from agent_desktop.domain.models import (
    Call,
    Case,
    CaseDetail,
    CaseMatch,
    Contact,
    ContactRow,
    ContactSource,
    ContactState,
    DayFigures,
    Direction,
    Draft,
    Money,
    Note,
    Outcome,
    Promise,
    PromiseState,
    QueueItem,
    Relation,
    Role,
    TimelineEntry,
    TimelineKind,
    User,
)
from agent_desktop.services.calls import AlarmView, CallView, LevelsView, QualityView, TransferView
from agent_desktop.services.desk import Desk
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.listeners import Listeners
from agent_desktop.services.phone import PhoneService
from agent_desktop.services.status import StatusView
from agent_desktop.services.wrap_up import WrapUpInvalid

LI_TING = User("u-liting", "liting", "李婷", Role.COLLECTOR, "一组")
NOW = datetime.now(UTC)


def _day(days: int, hour: int, minute: int) -> datetime:
    local = (NOW + timedelta(days=days)).astimezone()
    return local.replace(hour=hour, minute=minute, second=0, microsecond=0).astimezone(UTC)


def _case(n: int, name: str, minor: int, stage: str, days: int, client: str, product: str, linked: int = 1) -> Case:
    return Case(
        id=f"case-{n}",
        number=f"HX-1182{n:02d}",
        client=client,
        product=product,
        batch="2026-11",
        debtor_name=name,
        debtor_sex="female" if name[-1] in "兰芳玲" else "male",
        debtor_age=40 + n,
        id_number_masked="110108****3316",
        account_tail="4417",
        stage=stage,
        days_overdue=days,
        due_back=(NOW + timedelta(days=22)).date(),
        total=Money(minor),
        principal=Money(minor * 82 // 100),
        minimum_due=Money(minor // 8),
        paid=Money(100_000),
        relief="可申请 ≤ 20% 息费",
        owner_id=LI_TING.id,
        linked_cases=linked,
        last_contact_at=None,
        next_follow_up_at=None,
    )


CASES = [
    _case(4, "张建国", 1_846_237, "M3", 92, "华信", "信用卡", 2),
    _case(5, "王秀兰", 620_500, "M2", 45, "华信", "信用卡"),
    _case(6, "陈志强", 4_211_890, "M5", 140, "安易", "消费贷"),
    _case(7, "刘芳", 276_048, "M1", 12, "安易", "消费贷"),
    _case(8, "赵海洋", 990_000, "M2", 40, "华信", "信用卡"),
    _case(9, "周美玲", 1_503_012, "M4", 104, "华信", "信用卡"),
    _case(10, "孙立军", 341_855, "M1", 20, "安易", "消费贷"),
    _case(11, "吴晓东", 2_780_400, "M6", 171, "安易", "消费贷"),
]
NUMBERS = ["13801016021", "18601011189", "13501017745", "15001013320", "17701010852", "13901014408", "18801019167"]
NUMBERS = [f"+86{n}" for n in [*NUMBERS, "13101012254"]]


def _items() -> list[QueueItem]:
    reasons: list[dict[str, object]] = [
        {"reason": "promise_due", "reason_amount": Money(300_000)},
        {"reason": "call_back", "reason_at": _day(0, 14, 30)},
        {"reason": "not_contacted", "reason_days": 3},
        {"reason": "new"},
        {"reason": "last_outcome", "reason_outcome": Outcome.THIRD_PARTY},
        {"reason": "last_outcome", "reason_outcome": Outcome.NO_ANSWER},
        {"reason": "last_outcome", "reason_outcome": Outcome.WILLING},
        {"reason": "promise_broken", "reason_amount": Money(90_000)},
    ]
    return [
        QueueItem(case=c, number=n, **r)  # type: ignore[arg-type]
        for c, n, r in zip(CASES, NUMBERS, reasons, strict=True)
    ]


def _contacts(case: Case, number: str) -> list[ContactRow]:
    def row(
        n: int, name: str, relation: Relation, number: str, source: ContactSource, state: ContactState,
        attempts: int = 0, last: Outcome | None = None, at: datetime | None = None,
    ) -> ContactRow:  # fmt: skip
        contact = Contact(f"{case.id}-c{n}", case.id, name, relation, number, source, state)
        return ContactRow(contact, attempts, last, at)

    o, t = ContactSource.ORIGINAL, ContactSource.TRACED
    return [
        row(1, case.debtor_name, Relation.SELF, number, o, ContactState.VALID, 2, Outcome.WILLING, _day(-3, 10, 12)),
        row(2, case.debtor_name, Relation.SELF_WORK, "+861088888877", o, ContactState.UNREACHED, 0, Outcome.NO_ANSWER,
            _day(-3, 9, 2)),
        row(3, "林慧", Relation.SPOUSE, "+8613931222206", t, ContactState.VALID, 0, Outcome.THIRD_PARTY,
            _day(-11, 16, 40)),
        row(4, "何平", Relation.COLLEAGUE, "+8618601029931", o, ContactState.DO_NOT_CALL, 0, Outcome.REFUSED,
            _day(-24, 15, 0)),
    ]  # fmt: skip


def _call(case: Case, contact: str, number: str, direction: Direction, at: datetime, talk: int, cause: str) -> Call:
    answered = at + timedelta(seconds=8) if talk else None
    return Call(
        str(uuid.uuid4()), case.id, contact, LI_TING.id, "1001", direction, number, at, answered,
        at + timedelta(seconds=8 + talk), cause, talk * 1000, "r", {"codec": "G722"},
    )  # fmt: skip


def _timeline(case: Case, number: str) -> list[TimelineEntry]:
    promise = Promise("p-1", case.id, "n-1", Money(300_000), NOW.date(), PromiseState.OPEN)
    note = Note(
        "n-1", case.id, "", f"{case.id}-c1", LI_TING.id, "李婷", _day(-3, 10, 12), Outcome.PROMISE,
        "称工资 23 日到账，先还 3,000，其余申请分期。情绪平和。", None, promise,
    )  # fmt: skip
    told = replace(
        note, id="n-2", created_at=_day(-11, 16, 42), outcome=Outcome.THIRD_PARTY, text="愿意转告，未提及欠款内容。"
    )
    me, spouse = f"{case.id}-c1", f"{case.id}-c3"
    out, into = Direction.OUTBOUND, Direction.INBOUND
    k = TimelineKind
    return [
        TimelineEntry(k.PROMISE, _day(-3, 10, 12), promise=promise, author_name="李婷"),
        TimelineEntry(k.NOTE, _day(-3, 10, 12), note=replace(note, promise=None), author_name="李婷"),
        TimelineEntry(k.CALL, _day(-3, 10, 7), call=_call(case, me, number, out, _day(-3, 10, 7), 291, "hung_up")),
        TimelineEntry(k.NOTE, _day(-11, 16, 42), note=told, author_name="李婷"),
        TimelineEntry(
            k.CALL, _day(-11, 16, 40), call=_call(case, spouse, "+8613931222206", out, _day(-11, 16, 40), 68, "hung_up")
        ),
        TimelineEntry(k.CALL, _day(-13, 11, 21), call=_call(case, me, number, out, _day(-13, 11, 21), 0, "no_answer")),
        TimelineEntry(
            k.CALL, _day(-15, 15, 2), call=_call(case, me, number, into, _day(-15, 15, 2), 153, "far_hung_up")
        ),
    ]


class MemoryCases:
    def __init__(self) -> None:
        self.changed: Listeners[frozenset[str]] = Listeners()
        self.items = _items()
        self.asked_on: set[str] = set()
        """Names of the threads that called: none may be the main one."""
        self.details = {i.case.id: self._detail(i) for i in self.items}

    @staticmethod
    def _detail(item: QueueItem) -> CaseDetail:
        timeline = _timeline(item.case, item.number)
        return CaseDetail(item.case, tuple(_contacts(item.case, item.number)), tuple(timeline), timeline[0].promise)

    def _note_thread(self) -> None:
        self.asked_on.add(threading.current_thread().name)

    def queue(self, kind: str = "today", text: str = "") -> list[QueueItem]:
        self._note_thread()
        chosen = [i for i in self.items if kind == "today" or i.reason == kind]
        return [i for i in chosen if text in i.case.debtor_name or text in i.number or text in i.case.number]

    def counts(self) -> dict[str, int]:
        self._note_thread()
        return {kind: len(self.queue(kind)) for kind in ("today", "promise_due", "call_back")}

    def detail(self, case_id: str) -> CaseDetail:
        self._note_thread()
        if case_id not in self.details:
            raise DeskError(Problem.NOT_FOUND)
        return self.details[case_id]

    def match(self, number: str) -> list[CaseMatch]:
        self._note_thread()
        rows = [(d.case, r.contact) for d in self.details.values() for r in d.contacts]
        return [CaseMatch(case, contact) for case, contact in rows if contact.number == number]

    def set_contact_state(self, contact_id: str, state: ContactState) -> None:
        self._note_thread()
        for case_id, detail in self.details.items():
            if any(r.contact.id == contact_id for r in detail.contacts):
                rows = tuple(
                    replace(r, contact=replace(r.contact, state=state)) if r.contact.id == contact_id else r
                    for r in detail.contacts
                )
                self.details[case_id] = replace(detail, contacts=rows)
                self.changed.emit(frozenset({case_id}))
                return
        raise DeskError(Problem.NOT_FOUND)

    def figures(self) -> DayFigures:
        self._note_thread()
        return DayFigures(cases_handled=46, talk_seconds=118 * 60, promises=7, promised=Money(2_340_000))


class MemoryCalls:
    def __init__(self, cases: MemoryCases) -> None:
        self.changed: Listeners[CallView] = Listeners()
        self.levels: Listeners[LevelsView] = Listeners()
        self.transfers: Listeners[TransferView] = Listeners()
        self.quality: Listeners[QualityView] = Listeners()
        self.alarms: Listeners[AlarmView] = Listeners()
        self.sealed: Listeners[CallView] = Listeners()
        self.last_dialled = ""
        self._cases = cases
        self._current: CallView | None = None
        self.digits = ""
        self.problem: Problem | None = None
        """Set to make the next command fail."""

    @property
    def current(self) -> CallView | None:
        return self._current

    @property
    def calls(self) -> tuple[CallView, ...]:
        return () if self._current is None else (self._current,)

    def show(self, view: CallView) -> None:
        """What the line process would report: the call is now this."""
        self._current = None if view.state == "ended" else view
        self.changed.emit(view)

    def _start(self, number: str, contact: Contact | None, case_id: str) -> str:
        self._fail()
        if self._current is not None:
            raise DeskError(Problem.LINE_BUSY)
        call_id = str(uuid.uuid4())
        now = datetime.now(UTC)
        self.show(CallView(call_id, Direction.OUTBOUND, number, "dialing", now, case_id=case_id, contact=contact))
        return call_id

    def _fail(self) -> None:
        problem, self.problem = self.problem, None
        if problem is not None:
            raise DeskError(problem)

    def dial(self, contact: Contact, line_id: str = "") -> str:
        if contact.state is ContactState.DO_NOT_CALL:
            raise DeskError(Problem.DO_NOT_CALL)
        return self._start(contact.number, contact, contact.case_id)

    def dial_number(self, number: str, case_id: str = "", line_id: str = "") -> str:
        if not any(c.isdigit() for c in number):
            raise DeskError(Problem.BAD_NUMBER)
        return self._start(number, None, case_id)

    def _change(self, call_id: str, **fields: object) -> None:
        self._fail()
        if self._current is None or self._current.id != call_id:
            raise DeskError(Problem.CALL_GONE)
        self.show(replace(self._current, **fields))  # type: ignore[arg-type]

    def answer(self, call_id: str) -> None:
        self._change(call_id, state="active", answered_at=datetime.now(UTC), codec="G722", recording_state="recording")

    def reject(self, call_id: str, reason: str = "busy") -> None:
        self._change(call_id, state="ended", cause="rejected", ended_at=datetime.now(UTC))

    def hang_up(self, call_id: str) -> None:
        self._change(call_id, state="ended", cause="hung_up", ended_at=datetime.now(UTC), recording_state="sealed")

    def set_mute(self, call_id: str, on: bool) -> None:
        self._change(call_id, muted=on)

    def set_hold(self, call_id: str, on: bool) -> None:
        self._change(call_id, held=on)

    def send_dtmf(self, call_id: str, digits: str) -> None:
        self.digits += digits

    def pause_recording(self, call_id: str, reason: str = "") -> None:
        self._change(call_id, paused=reason, pause_ends=time.monotonic() + 60)

    def resume_recording(self, call_id: str) -> None:
        self._change(call_id, paused="")

    def start_recording(self, call_id: str) -> None:
        self._change(call_id, recording_state="recording")

    def stop_recording(self, call_id: str) -> None:
        self._change(call_id, recording_state="waiting")

    def attach(self, call_id: str, case_id: str, contact_id: str = "") -> None:
        detail = self._cases.detail(case_id)
        contact = next((r.contact for r in detail.contacts if r.contact.id == contact_id), None)
        self._change(call_id, case_id=case_id, contact=contact, matches=())


class MemoryWrapUp:
    def __init__(self, cases: MemoryCases) -> None:
        self._cases = cases
        self.drafts: dict[str, Draft] = {}
        self.saved: list[Draft] = []

    def save(self, draft: Draft) -> Note:
        if draft.outcome is None:
            raise WrapUpInvalid("outcome", "missing")
        if draft.outcome is Outcome.PROMISE and not draft.amount_text.replace(",", "").replace(".", "").isdigit():
            raise WrapUpInvalid("amount", "not_a_number" if draft.amount_text else "missing")
        if draft.outcome is Outcome.PROMISE and (draft.due is None or draft.due < date.today()):
            raise WrapUpInvalid("due", "missing" if draft.due is None else "in_the_past")
        self.saved.append(draft)
        self.drafts.pop(draft.case_id, None)
        note = Note(
            str(uuid.uuid4()), draft.case_id, draft.call_id, draft.contact_id, LI_TING.id, LI_TING.name,
            datetime.now(UTC), draft.outcome, draft.text, draft.next_follow_up_at,
        )  # fmt: skip
        detail = self._cases.details[draft.case_id]
        entry = TimelineEntry(TimelineKind.NOTE, note.created_at, note=note, author_name=LI_TING.name)
        self._cases.details[draft.case_id] = replace(detail, timeline=(entry, *detail.timeline))
        self._cases.changed.emit(frozenset({draft.case_id}))
        return note

    def keep_draft(self, draft: Draft) -> None:
        self.drafts[draft.case_id] = draft

    def draft(self, case_id: str) -> Draft | None:
        return self.drafts.get(case_id)


class MemoryStatus:
    def __init__(self) -> None:
        self.changed: Listeners[StatusView] = Listeners()
        self._now = StatusView(line_state="registered", line_name="1001", online=True, uploads_waiting=1)
        self.states: list[str] = []

    @property
    def now(self) -> StatusView:
        return self._now

    def show(self, view: StatusView) -> None:
        self._now = view
        self.changed.emit(view)

    def set_agent_state(self, state: str) -> None:
        self.states.append(state)


class MemoryDesk:
    def __init__(self, user: User = LI_TING) -> None:
        self.user = user
        self.cases = MemoryCases()
        self.calls = MemoryCalls(self.cases)
        self.wrap_up = MemoryWrapUp(self.cases)
        self.status = MemoryStatus()
        self.phone = PhoneService()

    @property
    def desk(self) -> Desk:
        """As the windows' type."""
        return cast(Desk, self)

    def sign_in_again(self, password: str) -> None:
        """There is no session."""

    def close(self) -> None:
        """Nothing runs."""


def inbound(desk: MemoryDesk, *indexes: int, number: str = "") -> CallView:
    """A ringing call that belongs to the cases at ``indexes``; to none of them when there are none."""
    items = [desk.cases.items[i] for i in indexes]
    details = [desk.cases.details[i.case.id] for i in items]
    matches = tuple(CaseMatch(d.case, d.contacts[0].contact) for d in details)
    one = details[0] if len(details) == 1 else None
    return CallView(
        id=str(uuid.uuid4()),
        direction=Direction.INBOUND,
        number=number or (items[0].number if items else "+8613700001234"),
        state="ringing",
        started_at=datetime.now(UTC),
        case_id=one.case.id if one else "",
        contact=matches[0].contact if one else None,
        matches=matches,
        detail=one,
        invited_ns=1,
    )
