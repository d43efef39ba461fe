"""Rows of the store's tables to domain types and back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from agent_desktop.domain.models import (
    Call,
    Case,
    Contact,
    ContactSource,
    ContactState,
    Direction,
    Draft,
    Money,
    Note,
    Outcome,
    Promise,
    PromiseState,
    Relation,
)
from agent_desktop.domain.numbers import tail
from agent_desktop.domain.sync import OpenCall, Operation

Row = RowMapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def _us_or_none(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _at_or_none(value: int | None) -> datetime | None:
    return None if value is None else from_us(value)


def case_row(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.number,
        "client": case.client,
        "product": case.product,
        "batch": case.batch,
        "debtor_name": case.debtor_name,
        "debtor_sex": case.debtor_sex,
        "debtor_age": case.debtor_age,
        "id_number_masked": case.id_number_masked,
        "account_tail": case.account_tail,
        "stage": case.stage,
        "days_overdue": case.days_overdue,
        "due_back": case.due_back.isoformat(),
        "currency": case.total.currency,
        "total": case.total.minor,
        "principal": case.principal.minor,
        "minimum_due": case.minimum_due.minor,
        "paid": case.paid.minor,
        "relief": case.relief,
        "owner_id": case.owner_id,
        "linked_cases": case.linked_cases,
        "last_contact_at": _us_or_none(case.last_contact_at),
        "next_follow_up_at": _us_or_none(case.next_follow_up_at),
    }


def row_case(row: Row) -> Case:
    currency = row["currency"]
    return Case(
        id=row["id"],
        number=row["number"],
        client=row["client"],
        product=row["product"],
        batch=row["batch"],
        debtor_name=row["debtor_name"],
        debtor_sex=row["debtor_sex"],
        debtor_age=row["debtor_age"],
        id_number_masked=row["id_number_masked"],
        account_tail=row["account_tail"],
        stage=row["stage"],
        days_overdue=row["days_overdue"],
        due_back=date.fromisoformat(row["due_back"]),
        total=Money(row["total"], currency),
        principal=Money(row["principal"], currency),
        minimum_due=Money(row["minimum_due"], currency),
        paid=Money(row["paid"], currency),
        relief=row["relief"],
        owner_id=row["owner_id"],
        linked_cases=row["linked_cases"],
        last_contact_at=_at_or_none(row["last_contact_at"]),
        next_follow_up_at=_at_or_none(row["next_follow_up_at"]),
    )


def contact_row(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "case_id": contact.case_id,
        "name": contact.name,
        "relation": contact.relation.value,
        "number": contact.number,
        "tail": tail(contact.number),
        "source": contact.source.value,
        "state": contact.state.value,
    }


def row_contact(row: Row) -> Contact:
    return Contact(
        id=row["id"],
        case_id=row["case_id"],
        name=row["name"],
        relation=Relation(row["relation"]),
        number=row["number"],
        source=ContactSource(row["source"]),
        state=ContactState(row["state"]),
    )


def note_row(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "case_id": note.case_id,
        "call_id": note.call_id,
        "contact_id": note.contact_id,
        "author_id": note.author_id,
        "author_name": note.author_name,
        "created_at": to_us(note.created_at),
        "outcome": note.outcome.value,
        "text": note.text,
        "next_follow_up_at": _us_or_none(note.next_follow_up_at),
    }


def row_note(row: Row, promise: Promise | None = None) -> Note:
    return Note(
        id=row["id"],
        case_id=row["case_id"],
        call_id=row["call_id"],
        contact_id=row["contact_id"],
        author_id=row["author_id"],
        author_name=row["author_name"],
        created_at=from_us(row["created_at"]),
        outcome=Outcome(row["outcome"]),
        text=row["text"],
        next_follow_up_at=_at_or_none(row["next_follow_up_at"]),
        promise=promise,
    )


def promise_row(promise: Promise, made_at: datetime) -> dict[str, Any]:
    return {
        "id": promise.id,
        "case_id": promise.case_id,
        "note_id": promise.note_id,
        "amount": promise.amount.minor,
        "currency": promise.amount.currency,
        "due": promise.due.isoformat(),
        "state": promise.state.value,
        "made_at": to_us(made_at),
    }


def row_promise(row: Row) -> Promise:
    return Promise(
        id=row["id"],
        case_id=row["case_id"],
        note_id=row["note_id"],
        amount=Money(row["amount"], row["currency"]),
        due=date.fromisoformat(row["due"]),
        state=PromiseState(row["state"]),
    )


def call_row(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "case_id": call.case_id,
        "contact_id": call.contact_id,
        "agent_id": call.agent_id,
        "line_id": call.line_id,
        "direction": call.direction.value,
        "number": call.number,
        "started_at": to_us(call.started_at),
        "answered_at": _us_or_none(call.answered_at),
        "ended_at": to_us(call.ended_at),
        "cause": call.cause,
        "talk_ms": call.talk_ms,
        "recording_id": call.recording_id,
        "quality": json.dumps(call.quality),
        "sip_code": call.sip_code,
    }


def row_call(row: Row) -> Call:
    return Call(
        id=row["id"],
        case_id=row["case_id"],
        contact_id=row["contact_id"],
        agent_id=row["agent_id"],
        line_id=row["line_id"],
        direction=Direction(row["direction"]),
        number=row["number"],
        started_at=from_us(row["started_at"]),
        answered_at=_at_or_none(row["answered_at"]),
        ended_at=from_us(row["ended_at"]),
        cause=row["cause"],
        talk_ms=row["talk_ms"],
        recording_id=row["recording_id"],
        quality=json.loads(row["quality"]),
        sip_code=row["sip_code"],
    )


def operation_row(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "kind": operation.kind,
        "at": to_us(operation.at),
        "subject": operation.subject,
        "data": json.dumps(operation.data, ensure_ascii=False),
        "state": "waiting",
        "code": "",
    }


def row_operation(row: Row) -> Operation:
    return Operation(row["id"], row["kind"], from_us(row["at"]), row["subject"], json.loads(row["data"]))


def draft_row(draft: Draft) -> dict[str, Any]:
    body = {
        "call_id": draft.call_id,
        "contact_id": draft.contact_id,
        "outcome": draft.outcome.value if draft.outcome else None,
        "text": draft.text,
        "amount_text": draft.amount_text,
        "due": draft.due.isoformat() if draft.due else None,
        "next_follow_up_at": _us_or_none(draft.next_follow_up_at),
    }
    return {"case_id": draft.case_id, "data": json.dumps(body, ensure_ascii=False)}


def row_draft(row: Row) -> Draft:
    body = json.loads(row["data"])
    return Draft(
        case_id=row["case_id"],
        call_id=body["call_id"],
        contact_id=body["contact_id"],
        outcome=Outcome(body["outcome"]) if body["outcome"] else None,
        text=body["text"],
        amount_text=body["amount_text"],
        due=date.fromisoformat(body["due"]) if body["due"] else None,
        next_follow_up_at=_at_or_none(body["next_follow_up_at"]),
    )


def open_call_row(call: OpenCall) -> dict[str, Any]:
    body = {
        "case_id": call.case_id,
        "contact_id": call.contact_id,
        "number": call.number,
        "line_id": call.line_id,
        "direction": call.direction.value,
        "started_at": to_us(call.started_at),
        "answered_at": _us_or_none(call.answered_at),
        "recording_id": call.recording_id,
    }
    return {"call_id": call.call_id, "data": json.dumps(body, ensure_ascii=False)}


def row_open_call(row: Row) -> OpenCall:
    body = json.loads(row["data"])
    return OpenCall(
        call_id=row["call_id"],
        case_id=body["case_id"],
        contact_id=body["contact_id"],
        number=body["number"],
        line_id=body["line_id"],
        direction=Direction(body["direction"]),
        started_at=from_us(body["started_at"]),
        answered_at=_at_or_none(body["answered_at"]),
        recording_id=body["recording_id"],
    )
