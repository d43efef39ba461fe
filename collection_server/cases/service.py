"""Reading cases, who may see and write them, moving them, and finding them by number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from collection_server.auth.permissions import Role
from collection_server.auth.principal import Principal
from collection_server.auth.tables import User
from collection_server.calls.tables import Call
from collection_server.cases.schemas import CaseOut, ContactOut
from collection_server.cases.tables import Case, CaseAccess, Contact
from collection_server.notes.tables import Note
from collection_server.problems import Problem, forbidden, not_found
from collection_server.schemas import Money
from collection_server.sync import changes

ASSIGNED, LOOKUP = "assigned", "lookup"


def case_out(case: Case, linked: int) -> CaseOut:
    """The case as seats see it. ``linked``: how many cases its debtor has."""
    amounts: dict[str, Any] = {name: Money(minor=getattr(case, name), currency=case.currency) for name in _AMOUNTS}
    plain: dict[str, Any] = {name: getattr(case, name) for name in _PLAIN}
    return CaseOut(**plain, **amounts, owner_id=case.owner_id or "", linked_cases=linked)


_AMOUNTS = ("total", "principal", "minimum_due", "paid")
_PLAIN = tuple(n for n in CaseOut.model_fields if n not in (*_AMOUNTS, "owner_id", "linked_cases"))


def cases_out(session: Session, cases: Sequence[Case]) -> list[CaseOut]:
    """Cases with the number of their debtors' cases, by one query for all of them."""
    debtors = {case.debtor_id for case in cases}
    counted = select(Case.debtor_id, func.count()).where(Case.debtor_id.in_(debtors)).group_by(Case.debtor_id)
    linked = dict(session.execute(counted).all())
    return [case_out(case, linked[case.debtor_id]) for case in cases]


def contacts_of(session: Session, case_ids: Iterable[str]) -> list[Contact]:
    query = select(Contact).where(Contact.case_id.in_(set(case_ids)))
    return list(session.scalars(query.order_by(Contact.case_id, Contact.position)))


def visible_to(who: Principal) -> ColumnElement[bool]:
    """The condition on cases that this user may read."""
    if who.role in (Role.QA, Role.DATA_OFFICER):
        return true()
    if who.role is Role.LEAD:
        return Case.owner_id.in_(select(User.id).where(User.team == who.team))
    return Case.owner_id == who.user_id


def list_cases(session: Session, who: Principal, limit: int, after: str) -> list[Case]:
    """A page in the order of case numbers, those after ``after``."""
    query = select(Case).where(visible_to(who), Case.number > after).order_by(Case.number).limit(limit)
    return list(session.scalars(query))


def read_case(session: Session, who: Principal, case_id: str) -> Case:
    """Raises 404, also for a case that is not to be seen."""
    case = session.scalars(select(Case).where(Case.id == case_id, visible_to(who))).one_or_none()
    if case is None:
        raise not_found("case")
    return case


def write_access(session: Session, who: Principal, case: Case) -> str | None:
    """Whether the user may add to a case: ``""`` yes, ``not_owner`` yes but it is somebody else's by now, None
    no.

    What a collector wrote about a case that was given to them is kept even when it arrives after the case was
    moved, and so is what they wrote on a call from a number that ``/v1/lookup`` tied to somebody else's case.
    """
    if case.owner_id == who.user_id:
        return ""
    if who.role is Role.LEAD and case.owner_id is not None:
        owner = session.get(User, case.owner_id)
        if owner is not None and owner.team == who.team:
            return ""
    given = select(CaseAccess.case_id).where(CaseAccess.case_id == case.id, CaseAccess.user_id == who.user_id)
    return "not_owner" if session.scalars(given.limit(1)).first() else None


def give_access(session: Session, case_id: str, user_id: str, reason: str, now: datetime) -> None:
    key = (case_id, user_id, reason)
    if session.get(CaseAccess, key) is None:
        session.add(CaseAccess(case_id=case_id, user_id=user_id, reason=reason, at=now))


def move_case(session: Session, who: Principal, case_id: str, owner_id: str, now: datetime) -> Case:
    """Give a case to another collector. Raises 404, 403 (a lead: outside of the team) or 409 (not a collector)."""
    read_case(session, who, case_id)
    case = session.scalars(select(Case).where(Case.id == case_id).with_for_update()).one()
    owner = session.get(User, owner_id)
    if owner is None:
        raise not_found("user")
    if who.role is Role.LEAD and owner.team != who.team:
        raise forbidden()
    if owner.role != Role.COLLECTOR or owner.disabled_at is not None:
        raise Problem(409, "conflict", "Cases can be given to active collectors only.")
    if case.owner_id != owner_id:
        _change_owner(session, case, owner_id, now)
    return case


def _change_owner(session: Session, case: Case, owner_id: str, now: datetime) -> None:
    changes.record(session, "case", case.id, case.owner_id, "delete")
    case.owner_id = owner_id
    give_access(session, case.id, owner_id, ASSIGNED, now)
    changes.record(session, "case", case.id, owner_id)
    for contact in contacts_of(session, [case.id]):
        changes.record(session, "contact", contact.id, owner_id)
    for call_id in session.scalars(select(Call.id).where(Call.case_id == case.id).order_by(Call.started_at)):
        changes.record(session, "call", call_id, owner_id)
    for note_id in session.scalars(select(Note.id).where(Note.case_id == case.id).order_by(Note.created_at)):
        changes.record(session, "note", note_id, owner_id)


def find_by_number(session: Session, number: str) -> list[tuple[Case, Contact, User | None]]:
    """Cases that a number in E.164 belongs to, over all collectors; an index answers this."""
    query = (
        select(Case, Contact, User)
        .join(Contact, Contact.case_id == Case.id)
        .outerjoin(User, User.id == Case.owner_id)
        .where(Contact.number == number)
        .order_by(Contact.position, Case.number)
        .limit(50)
    )
    return list(session.execute(query))


def contact_out(contact: Contact) -> ContactOut:
    return ContactOut.model_validate(contact)
