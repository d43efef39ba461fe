"""Cases and contacts on the wire."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from collection_server.calls.schemas import CallOut
from collection_server.notes.schemas import NoteOut
from collection_server.schemas import Model, Money, Time, UuidOrEmpty, UuidText


class Relation(StrEnum):
    SELF = "self"
    SELF_WORK = "self_work"
    SPOUSE = "spouse"
    PARENT = "parent"
    SIBLING = "sibling"
    CHILD = "child"
    COLLEAGUE = "colleague"
    FRIEND = "friend"


class ContactState(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    UNREACHED = "unreached"
    DO_NOT_CALL = "do_not_call"


class CaseOut(Model):
    id: UuidText
    number: str
    client: str
    product: str
    batch: str
    debtor_name: str
    debtor_sex: str
    debtor_age: int | None
    id_number_masked: str
    account_tail: str
    stage: str
    days_overdue: int
    due_back: date
    total: Money
    principal: Money
    minimum_due: Money
    paid: Money
    relief: str
    owner_id: UuidOrEmpty
    linked_cases: int
    last_contact_at: Time | None
    next_follow_up_at: Time | None


class ContactOut(Model):
    id: UuidText
    case_id: UuidText
    name: str
    relation: Relation
    number: str
    source: Literal["original", "traced"]
    state: ContactState


class ContactStateIn(Model):
    """Data of ``contact.state``."""

    contact_id: UuidText
    state: ContactState


class CasesOut(Model):
    cases: list[CaseOut]
    next: str = Field(description="Cursor of the next page, or empty")


class CaseDetailOut(Model):
    case: CaseOut
    contacts: list[ContactOut]
    notes: list[NoteOut]
    calls: list[CallOut]


class OwnerIn(Model):
    owner_id: UuidText


class OwnerOut(Model):
    id: UuidOrEmpty
    name: str


class MatchOut(Model):
    case: CaseOut
    contact: ContactOut
    owner: OwnerOut


class LookupOut(Model):
    matches: list[MatchOut]
