"""Which case comes first, and why; and where a day begins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from agent_desktop.domain.days import day_start, local_date
from agent_desktop.domain.models import Money, Outcome, PromiseState
from agent_desktop.domain.work_order import CaseFacts, work_order
from tests.support.desk_data import NOON, SHANGHAI, TODAY, make_case, make_promise_note

DAY = timedelta(days=1)


def _facts(name: str, **changes: object) -> CaseFacts:
    case_fields = {"stage", "total", "last_contact_at", "next_follow_up_at", "paid"}
    of_case = {k: v for k, v in changes.items() if k in case_fields}
    rest = {k: v for k, v in changes.items() if k not in case_fields}
    return CaseFacts(make_case(debtor_name=name, **of_case), **rest)  # type: ignore[arg-type]


def _order(*facts: CaseFacts) -> list[tuple[str, str]]:
    return [(item.case.debtor_name, item.reason) for item in work_order(list(facts), NOON, SHANGHAI)]


def _promise(due: date, state: PromiseState = PromiseState.OPEN, minor: int = 300_000) -> object:
    return make_promise_note(make_case(), due, minor, state).promise


def test_each_kind_stands_in_its_place() -> None:
    handled = {"last_note_at": NOON - timedelta(hours=1), "last_outcome": Outcome.NO_ANSWER}
    assert _order(
        _facts("handled", **handled),
        _facts("new"),
        _facts("later", next_follow_up_at=NOON + 3 * DAY, last_contact_at=NOON - DAY),
        _facts("not contacted", last_contact_at=NOON - 3 * DAY),
        _facts("call back", next_follow_up_at=NOON + timedelta(hours=2)),
        _facts("broken", promise=_promise(TODAY - DAY)),
        _facts("due", promise=_promise(TODAY)),
    ) == [
        ("due", "promise_due"),
        ("broken", "promise_broken"),
        ("call back", "call_back"),
        ("not contacted", "not_contacted"),
        ("new", "new"),
        ("handled", "last_outcome"),
        ("later", "call_back"),
    ]


def test_within_a_kind_amount_time_and_stage_decide() -> None:
    assert [
        name
        for name, _ in _order(
            _facts("small", promise=_promise(TODAY, minor=1)),
            _facts("large", promise=_promise(TODAY, minor=2)),
        )
    ] == ["large", "small"]
    assert [
        name
        for name, _ in _order(
            _facts("at four", next_follow_up_at=NOON + timedelta(hours=4)),
            _facts("missed yesterday", next_follow_up_at=NOON - DAY),
            _facts("at one", next_follow_up_at=NOON + timedelta(hours=1)),
        )
    ] == ["missed yesterday", "at one", "at four"]
    ago = NOON - 2 * DAY
    assert [
        name
        for name, _ in _order(
            _facts("M2", last_contact_at=ago, stage="M2"),
            _facts("M5 small", last_contact_at=ago, stage="M5", total=Money(500_000)),
            _facts("M5 large", last_contact_at=ago, stage="M5", total=Money(900_000)),
            _facts("longer ago", last_contact_at=ago - 5 * DAY, stage="M1"),
        )
    ] == ["longer ago", "M5 large", "M5 small", "M2"]


def test_reasons_carry_their_figures() -> None:
    items = work_order(
        [_facts("a", promise=_promise(TODAY - 4 * DAY)), _facts("b", last_contact_at=NOON - 3 * DAY)], NOON, SHANGHAI
    )
    assert (items[0].reason_days, items[0].reason_amount) == (4, Money(300_000))
    assert (items[1].reason_days, items[1].reason_amount) == (3, None)


def test_a_promise_is_off_the_top_once_it_was_dealt_with_today() -> None:
    facts = _facts("a", promise=_promise(TODAY), last_note_at=NOON, last_outcome=Outcome.WILLING)
    assert _order(facts) == [("a", "last_outcome")]


def test_a_call_back_is_done_by_a_note_after_it_only() -> None:
    at = NOON + timedelta(hours=2)
    early = _facts("a", next_follow_up_at=at, last_note_at=NOON, last_outcome=Outcome.WILLING)
    assert _order(early) == [("a", "call_back")]
    done = _facts(
        "a", next_follow_up_at=NOON - DAY, last_note_at=NOON - timedelta(hours=1), last_outcome=Outcome.REFUSED
    )
    assert _order(done) == [("a", "last_outcome")]


def test_a_paid_case_is_no_work() -> None:
    assert _order(_facts("paid", paid=Money(1_846_237))) == []


def test_the_day_is_the_agencys_not_utcs() -> None:
    # 00:30 on the 24th in Shanghai is still the 23rd in UTC.
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    assert local_date(late, SHANGHAI) == date(2026, 11, 24)
    assert day_start(late, SHANGHAI) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    promise = _promise(date(2026, 11, 24))
    assert work_order([_facts("a", promise=promise)], late, SHANGHAI)[0].reason == "promise_due"
    assert work_order([_facts("a", promise=promise)], late - DAY, SHANGHAI)[0].reason != "promise_due"


@pytest.mark.parametrize("hours", [-11, 0, 8, 14])
def test_a_day_begins_within_24_hours_before(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    begun = day_start(NOON, zone)
    assert begun <= NOON < begun + DAY
    assert begun.astimezone(zone).hour == 0
    assert day_start(NOON) <= NOON < day_start(NOON) + timedelta(hours=25)
