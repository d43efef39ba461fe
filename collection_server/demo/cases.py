"""The demo's cases and contacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from collection_server.cases.tables import Case, Contact
from collection_server.demo.people import People, Person
from collection_server.demo.words import RELIEF

CASES_EACH = 100
ZHANG_NUMBER = "+8613801386021"
STAGES = (20, 22, 22, 16, 11, 9)
"""How many in a hundred are in M1 … M6."""
CLIENTS = (("华信银行", "信用卡", "HX"), ("安易消费金融", "消费贷", "AY"))
_THIRD_PARTIES = ("spouse", "parent", "sibling", "colleague", "friend", "child")


@dataclass(slots=True)
class Portfolio:
    """Cases in the order of their making, with the contacts of each."""

    cases: list[Case] = field(default_factory=list)
    contacts: dict[str, list[Contact]] = field(default_factory=dict)


def make_portfolio(people: People, owners: list[str], today: date) -> Portfolio:
    """``CASES_EACH`` cases for each owner; the first owner's first is 张建国's."""
    made = Portfolio()
    numbers = _Numbers()
    for owner in owners:
        first = len(made.cases)
        while len(made.cases) - first < CASES_EACH:
            left = CASES_EACH - (len(made.cases) - first)
            _debtor(people, made, numbers, owner, today, left)
    return made


class _Numbers:
    """Case numbers as the clients give them."""

    def __init__(self) -> None:
        self._next = {"HX": 118_204, "AY": 206_011}

    def take(self, prefix: str) -> str:
        number = self._next[prefix]
        self._next[prefix] = number + 1
        return f"{prefix}-{number}"


def _debtor(people: People, made: Portfolio, numbers: _Numbers, owner: str, today: date, left: int) -> None:
    zhang = not made.cases
    person = people.zhang() if zhang else people.person()
    mobile = people.take(ZHANG_NUMBER) if zhang else people.mobile(person.city)
    linked = left > 1 and (zhang or people.random.random() < 0.06)
    debtor_id = people.new_id()
    clients = CLIENTS if linked else (people.random.choice(CLIENTS),)
    for client in clients:
        case = _case(people, person, debtor_id, client, numbers.take(client[2]), owner, today)
        if zhang and client is CLIENTS[0]:
            _as_zhang(case, today)
        made.cases.append(case)
        count = 3 if zhang else people.random.choices((1, 2, 3, 4), (18, 34, 32, 16))[0]
        # 张建国 left another number with the second client: a call from his mobile shows exactly one case.
        own = people.mobile(person.city) if zhang and client is not CLIENTS[0] else mobile
        made.contacts[case.id] = _contacts(people, person, case.id, own, count)


def _case(
    people: People,
    person: Person,
    debtor_id: str,
    client: tuple[str, str, str],
    number: str,
    owner: str,
    today: date,
) -> Case:
    random = people.random
    stage = random.choices(range(1, 7), STAGES)[0]
    days = (stage - 1) * 30 + random.randint(1, 30)
    principal = random.randint(12, 480) * 10_000 + random.randrange(10_000)
    interest = principal * days * random.randint(14, 24) // 36_500
    penalty = principal * stage // 100
    paid = random.choice((0, 0, 0, random.randint(2, 20) * 5_000))
    total = principal + interest + penalty
    return Case(
        id=people.new_id(),
        number=number,
        client=client[0],
        product=client[1],
        batch=f"{today - timedelta(days=random.choice((12, 26, 40))):%Y-%m}{random.choice('AB')}",
        debtor_id=debtor_id,
        debtor_name=person.name,
        debtor_sex=person.sex,
        debtor_age=person.age,
        id_number_masked=person.id_number_masked,
        account_tail=f"{random.randrange(10_000):04d}",
        stage=f"M{stage}",
        days_overdue=days,
        due_back=today + timedelta(days=random.randint(5, 45)),
        currency="CNY",
        total=total,
        principal=principal,
        minimum_due=max(10_000, total * random.randint(9, 14) // 100),
        paid=min(paid, total // 3),
        relief=random.choice(RELIEF),
        owner_id=owner,
        last_contact_at=None,
        next_follow_up_at=None,
    )


def _as_zhang(case: Case, today: date) -> None:
    case.stage, case.days_overdue = "M3", 78
    case.account_tail = "4417"
    case.total, case.principal, case.minimum_due, case.paid = 1_846_237, 1_520_000, 231_080, 100_000
    case.relief = "可申请 ≤ 20% 息费"
    case.due_back = today + timedelta(days=22)


def _contacts(people: People, debtor: Person, case_id: str, mobile: str, count: int) -> list[Contact]:
    random = people.random
    made = [_contact(people, case_id, 0, debtor.name, "self", mobile, "original")]
    relations = ["self_work", *random.sample(_THIRD_PARTIES, 3)] if random.random() < 0.6 or count == 3 else []
    relations = relations or random.sample(_THIRD_PARTIES, 3)
    for position, relation in enumerate(relations[: count - 1], 1):
        work = relation == "self_work"
        name = debtor.name if work else people.relative(debtor, relation)
        number = people.landline(debtor.city) if work else people.mobile(debtor.city)
        source = "original" if work or random.random() < 0.6 else "traced"
        made.append(_contact(people, case_id, position, name, relation, number, source))
    return made


def _contact(
    people: People, case_id: str, position: int, name: str, relation: str, number: str, source: str
) -> Contact:
    states = ("valid", "unreached", "invalid", "do_not_call")
    weights = (100, 0, 0, 0) if position == 0 else (68, 18, 8, 6 if relation != "self_work" else 0)
    return Contact(
        id=people.new_id(),
        case_id=case_id,
        position=position,
        name=name,
        relation=relation,
        number=number,
        source=source,
        state=people.random.choices(states, weights)[0],
        state_at=None,
        state_by=None,
    )
