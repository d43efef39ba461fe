"""The demo's data: believable, consistent, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from random import Random
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers import geocoder

from agent_desktop.domain import models
from agent_desktop.domain.work_order import CaseFacts, work_order
from collection_server.cases.tables import Case, Contact
from collection_server.demo.cases import ZHANG_NUMBER, Portfolio, make_portfolio
from collection_server.demo.history import PLANS, History, HistoryMaker
from collection_server.demo.people import People
from collection_server.demo.places import CITIES
from collection_server.notes.tables import Note

OWNERS = ["00000000-0000-4000-8000-00000000000" + n for n in "123"]
NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def make(seed: int, now: datetime, zone: tzinfo | None = UTC) -> tuple[Portfolio, History]:
    people = People(Random(seed))
    today = now.astimezone(zone).date()
    portfolio = make_portfolio(people, OWNERS, today)
    history = HistoryMaker(people, today, zone)
    for index, case in enumerate(portfolio.cases):
        contacts = portfolio.contacts[case.id]
        if index == 0:
            history.zhang(case, contacts)
        else:
            history.write(case, contacts, PLANS[index % 100])
    return portfolio, history.made


@pytest.fixture(scope="module", params=[1, 2, 77])
def demo(request: pytest.FixtureRequest) -> tuple[Portfolio, History]:
    return make(request.param, NOW)


Demo = tuple[Portfolio, History]


def test_the_same_seed_gives_the_same_data() -> None:
    def gist(made: Demo) -> list[object]:
        cases = [(c.id, c.number, c.debtor_name, c.total, c.next_follow_up_at) for c in made[0].cases]
        return [*cases, *((n.id, n.text, n.created_at) for n in made[1].notes)]

    assert gist(make(5, NOW)) == gist(make(5, NOW))
    assert gist(make(5, NOW)) != gist(make(6, NOW))


def test_three_hundred_cases_of_two_clients_a_hundred_a_collector(demo: Demo) -> None:
    cases = demo[0].cases
    assert Counter(c.owner_id for c in cases) == dict.fromkeys(OWNERS, 100)
    assert {(c.client, c.product) for c in cases} == {("华信银行", "信用卡"), ("安易消费金融", "消费贷")}
    assert len({c.number for c in cases}) == len({c.id for c in cases}) == 300
    assert {c.stage for c in cases} == {f"M{n}" for n in range(1, 7)}


def test_amounts_stages_and_dates_fit_together(demo: Demo) -> None:
    for case in demo[0].cases:
        assert case.stage == f"M{-(-case.days_overdue // 30)}"
        assert 0 <= case.paid < case.total
        assert 0 < case.principal < case.total
        assert 0 < case.minimum_due < case.total
        assert case.due_back > NOW.date()
        assert case.debtor_age and 18 < case.debtor_age < 70
        assert "****" in case.id_number_masked
        assert (int(case.id_number_masked[-2]) % 2 == 1) == (case.debtor_sex == "male")


def test_numbers_are_valid_at_home_in_a_city_and_one_debtors_only(demo: Demo) -> None:
    portfolio = demo[0]
    debtor = {c.id: c.debtor_id for c in portfolio.cases}
    users: dict[str, set[str]] = {}
    for case_id, contacts in portfolio.contacts.items():
        assert 1 <= len(contacts) <= 4
        assert contacts[0].relation == "self"
        for contact in contacts:
            number = phonenumbers.parse(contact.number)
            assert phonenumbers.is_valid_number(number), contact.number
            mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
            assert mobile == (contact.relation != "self_work")
            assert any(city.name in geocoder.description_for_number(number, "zh") for city in CITIES)
            users.setdefault(contact.number, set()).add(debtor[case_id])
    assert {len(debtors) for debtors in users.values()} == {1}
    linked = Counter(c.debtor_id for c in portfolio.cases)
    assert sum(count > 1 for count in linked.values()) >= 5


def test_the_first_case_is_zhang_jianguos(demo: Demo) -> None:
    portfolio = demo[0]
    first = portfolio.cases[0]
    contacts = portfolio.contacts[first.id]
    assert (first.debtor_name, first.stage, first.owner_id) == ("张建国", "M3", OWNERS[0])
    assert (contacts[0].number, len(contacts)) == (ZHANG_NUMBER, 3)
    holders = [c for found in portfolio.contacts.values() for c in found if c.number == ZHANG_NUMBER]
    assert holders == [contacts[0]]
    assert sum(c.debtor_id == first.debtor_id for c in portfolio.cases) == 2


def test_notes_fit_their_calls_and_lie_in_the_past(demo: Demo) -> None:
    portfolio, history = demo
    cases = {c.id: c for c in portfolio.cases}
    contacts = {c.id: c for found in portfolio.contacts.values() for c in found}
    calls = {c.id: c for c in history.calls}
    midnight = NOW.replace(hour=0, minute=0)
    for note in history.notes:
        call = calls[note.call_id or ""]
        assert call.case_id == note.case_id
        assert call.ended_at < note.created_at < midnight
        assert call.number == contacts[note.contact_id or ""].number
        assert contacts[note.contact_id or ""].state != "do_not_call"
        assert (call.talk_ms > 0) == (note.outcome not in ("no_answer", "dead_number"))
        assert (note.promise is not None) == (note.outcome == "promise")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in note.text)
        assert note.author_id == cases[note.case_id].owner_id
        assert 8 <= call.started_at.hour < 22


def test_each_collector_has_promises_due_broken_and_ahead(demo: Demo) -> None:
    cases = {c.id: c for c in demo[0].cases}
    for owner in OWNERS:
        promises = [n.promise for n in demo[1].notes if n.promise and cases[n.case_id].owner_id == owner]
        assert sum(p.due == NOW.date() for p in promises) >= 5
        assert sum(p.due < NOW.date() and p.state == "broken" for p in promises) >= 4
        assert sum(p.due > NOW.date() for p in promises) >= 5
        assert all(0 < p.amount <= cases[p.case_id].total for p in promises)


def queue(made: Demo, owner: str, now: datetime, zone: tzinfo) -> Iterator[models.QueueItem]:
    """The desktop's own order of work over this data."""
    portfolio, history = made
    notes = {i: list(g) for i, g in groupby(sorted(history.notes, key=lambda n: n.case_id), lambda n: n.case_id)}
    facts = []
    for case in portfolio.cases:
        if case.owner_id == owner:
            own = sorted(notes.get(case.id, []), key=lambda n: n.created_at)
            facts.append(_facts(case, portfolio.contacts[case.id], own))
    yield from work_order(facts, now, zone)


def _facts(case: Case, contacts: list[Contact], notes: list[Note]) -> CaseFacts:
    promises = [n.promise for n in notes if n.promise is not None and n.promise.state != "kept"]
    last = promises[-1] if promises else None
    money = {name: models.Money(getattr(case, name)) for name in ("total", "principal", "minimum_due", "paid")}
    plain_names = set(models.Case.__dataclass_fields__) - {*money, "owner_id", "linked_cases"}
    plain = {name: getattr(case, name) for name in plain_names}
    promise = last and models.Promise(
        last.id, case.id, last.note_id, models.Money(last.amount), last.due, models.PromiseState(last.state)
    )
    return CaseFacts(
        case=models.Case(**plain, **money, owner_id=case.owner_id or "", linked_cases=1),
        number=contacts[0].number,
        promise=promise,
        last_note_at=notes[-1].created_at if notes else None,
        last_outcome=models.Outcome(notes[-1].outcome) if notes else None,
    )


@pytest.mark.parametrize("hour", [0, 7, 15, 23])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_zhang_is_first_in_the_queue_at_any_hour(hour: int, zone: str) -> None:
    now = datetime(2026, 11, 23, hour, 59, tzinfo=UTC)
    made = make(1, now, ZoneInfo(zone))
    items = list(queue(made, OWNERS[0], now, ZoneInfo(zone)))
    assert items[0].case.debtor_name == "张建国"
    assert (items[0].reason, items[0].reason_amount) == ("promise_due", models.Money(300_000))
    reasons = Counter(item.reason for item in items)
    assert {"promise_due", "promise_broken", "call_back", "new", "not_contacted"} <= set(reasons)


def test_dates_follow_the_day() -> None:
    earlier, later = make(1, NOW), make(1, NOW + timedelta(days=40))
    assert later[0].cases[0].due_back - earlier[0].cases[0].due_back == timedelta(days=40)
