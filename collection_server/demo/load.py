"""Fills an empty database with the demo: accounts, cases, history. The same seed and day give the same data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random

from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.auth.passwords import Passwords
from collection_server.auth.permissions import Role
from collection_server.auth.tables import User
from collection_server.cases import service as cases
from collection_server.cases.tables import CaseAccess
from collection_server.demo.cases import CASES_EACH, Portfolio, make_portfolio
from collection_server.demo.history import PLANS, History, HistoryMaker
from collection_server.demo.people import People
from collection_server.sync import changes

PASSWORD = "demo-2026-desk"  # noqa: S105  # of invented accounts over invented data; printed by init
TEAM = "一组"


@dataclass(frozen=True, slots=True)
class Account:
    login: str
    name: str
    role: Role
    team: str


ACCOUNTS = (
    Account("liting", "李婷", Role.COLLECTOR, TEAM),
    Account("guowei", "郭伟", Role.COLLECTOR, TEAM),
    Account("hemin", "何敏", Role.COLLECTOR, TEAM),
    Account("xujing", "徐静", Role.LEAD, TEAM),
    Account("chenyu", "陈瑜", Role.QA, "质检"),
    Account("shujv", "宋书语", Role.DATA_OFFICER, "数据"),
    Account("admin", "系统管理员", Role.ADMINISTRATOR, "信息"),
)


def load_demo(session: Session, passwords: Passwords, now: datetime, zone: tzinfo | None, seed: int) -> None:
    """Everything in the caller's unit of work."""
    people = People(Random(seed))  # noqa: S311  # invented data is to be the same each time
    users = _add_users(session, people, passwords, now)
    session.flush()
    today = now.astimezone(zone).date()
    collectors = [user.id for user in users if user.role == Role.COLLECTOR]
    portfolio = make_portfolio(people, collectors, today)
    history = HistoryMaker(people, today, zone)
    for index, case in enumerate(portfolio.cases):
        contacts = portfolio.contacts[case.id]
        if index == 0:
            history.zhang(case, contacts)
        else:
            history.write(case, contacts, PLANS[index % CASES_EACH])
    session.add_all(portfolio.cases)
    session.flush()
    given = now.astimezone(UTC) - timedelta(days=41)
    for case in portfolio.cases:
        session.add_all(portfolio.contacts[case.id])
        session.add(CaseAccess(case_id=case.id, user_id=case.owner_id, reason=cases.ASSIGNED, at=given))
    session.add_all(history.made.calls)
    session.add_all(history.made.notes)
    _tell(session, portfolio, history.made)
    detail = {"cases": len(portfolio.cases), "seed": seed}
    audit.record(session, audit.Event(audit.Actor(), "demo.loaded", detail=detail))


def _add_users(session: Session, people: People, passwords: Passwords, now: datetime) -> list[User]:
    stored = passwords.hash(PASSWORD)  # one for all: they share the password anyway
    users = [
        User(
            id=people.new_id(),
            login=account.login,
            name=account.name,
            role=account.role.value,
            team=account.team,
            password_hash=stored,
            created_at=now,
            disabled_at=None,
        )
        for account in ACCOUNTS
    ]
    session.add_all(users)
    return users


def _tell(session: Session, made: Portfolio, history: History) -> None:
    """Put everything into the change sequence, each case before what belongs to it."""
    owner = {case.id: case.owner_id for case in made.cases}
    for case in made.cases:
        changes.record(session, "case", case.id, case.owner_id)
        for contact in made.contacts[case.id]:
            changes.record(session, "contact", contact.id, case.owner_id)
    for call in history.calls:
        changes.record(session, "call", call.id, owner[call.case_id or ""])
    for note in history.notes:
        changes.record(session, "note", note.id, owner[note.case_id])
