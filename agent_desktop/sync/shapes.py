"""JSON of the server's API to domain types and back, as in docs/guides/http-api.md. Raises ``ShapeError``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

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
    RecordingRow,
    Relation,
    Role,
    SeatState,
    User,
)
from agent_desktop.domain.sync import Change, ChangePage, Operation

Json = Mapping[str, Any]


class ShapeError(ValueError):
    """JSON that is not what the API promises; the text names the type, never a value."""


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with ``Z``."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """An aware datetime in UTC. Raises ``ValueError`` without an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("time without offset")
    return at.astimezone(UTC)


def _at(text: str | None) -> datetime | None:
    return from_iso(text) if text else None


def money(body: Json) -> Money:
    minor = body["minor"]
    if not isinstance(minor, int) or isinstance(minor, bool):
        raise ShapeError("Money")
    return Money(minor, str(body["currency"]))


def money_json(amount: Money) -> dict[str, object]:
    return {"minor": amount.minor, "currency": amount.currency}


def user(body: Json) -> User:
    return User(body["id"], body["login"], body["name"], Role(body["role"]), body.get("team") or "")


def case(body: Json) -> Case:
    amounts = [money(body[name]) for name in ("total", "principal", "minimum_due", "paid")]
    if len({amount.currency for amount in amounts}) != 1:
        raise ShapeError("Case in two currencies")
    total, principal, minimum_due, paid = amounts
    return Case(
        id=body["id"],
        number=body["number"],
        client=body["client"],
        product=body["product"],
        batch=body["batch"],
        debtor_name=body["debtor_name"],
        debtor_sex=body.get("debtor_sex") or "",
        debtor_age=body.get("debtor_age"),
        id_number_masked=body.get("id_number_masked") or "",
        account_tail=body.get("account_tail") or "",
        stage=body["stage"],
        days_overdue=int(body["days_overdue"]),
        due_back=date.fromisoformat(body["due_back"]),
        total=total,
        principal=principal,
        minimum_due=minimum_due,
        paid=paid,
        relief=body.get("relief") or "",
        owner_id=body.get("owner_id") or "",
        linked_cases=int(body.get("linked_cases") or 1),
        last_contact_at=_at(body.get("last_contact_at")),
        next_follow_up_at=_at(body.get("next_follow_up_at")),
    )


def contact(body: Json) -> Contact:
    return Contact(
        id=body["id"],
        case_id=body["case_id"],
        name=body.get("name") or "",
        relation=Relation(body["relation"]),
        number=body["number"],
        source=ContactSource(body["source"]),
        state=ContactState(body["state"]),
    )


def note(body: Json) -> Note:
    promised = body.get("promise")
    promise = None
    if promised:
        promise = Promise(
            id=promised["id"],
            case_id=body["case_id"],
            note_id=body["id"],
            amount=money(promised["amount"]),
            due=date.fromisoformat(promised["due"]),
            state=PromiseState(promised["state"]),
        )
    return Note(
        id=body["id"],
        case_id=body["case_id"],
        call_id=body.get("call_id") or "",
        contact_id=body.get("contact_id") or "",
        author_id=body["author_id"],
        author_name=body.get("author_name") or "",
        created_at=from_iso(body["created_at"]),
        outcome=Outcome(body["outcome"]),
        text=body.get("text") or "",
        next_follow_up_at=_at(body.get("next_follow_up_at")),
        promise=promise,
    )


def note_json(item: Note) -> dict[str, object]:
    """A note as ``note.add`` carries it."""
    promise = item.promise
    return {
        "id": item.id,
        "case_id": item.case_id,
        "call_id": item.call_id,
        "contact_id": item.contact_id,
        "author_id": item.author_id,
        "created_at": iso(item.created_at),
        "outcome": item.outcome.value,
        "text": item.text,
        "next_follow_up_at": iso(item.next_follow_up_at) if item.next_follow_up_at else None,
        "promise": {
            "id": promise.id,
            "amount": money_json(promise.amount),
            "due": promise.due.isoformat(),
            "state": promise.state.value,
        }
        if promise
        else None,
    }


def call(body: Json) -> Call:
    return Call(
        id=body["id"],
        case_id=body.get("case_id") or "",
        contact_id=body.get("contact_id") or "",
        agent_id=body["agent_id"],
        line_id=body.get("line_id") or "",
        direction=Direction(body["direction"]),
        number=body["number"],
        started_at=from_iso(body["started_at"]),
        answered_at=_at(body.get("answered_at")),
        ended_at=from_iso(body["ended_at"]),
        cause=body["cause"],
        talk_ms=int(body["talk_ms"]),
        recording_id=body.get("recording_id") or "",
        quality=dict(body.get("quality") or {}),
        sip_code=int(body.get("sip_code") or 0),
    )


def call_json(item: Call) -> dict[str, object]:
    """A call as ``call.add`` carries it."""
    body = asdict(item)
    body["direction"] = item.direction.value
    body["started_at"] = iso(item.started_at)
    body["answered_at"] = iso(item.answered_at) if item.answered_at else None
    body["ended_at"] = iso(item.ended_at)
    return body


def operation_json(operation: Operation) -> dict[str, object]:
    return {"id": operation.id, "kind": operation.kind, "at": iso(operation.at), "data": operation.data}


_ITEMS: dict[str, Callable[[Json], Case | Contact | Note | Call]] = {
    "case": case,
    "contact": contact,
    "note": note,
    "call": call,
}


def change_page(body: Json) -> ChangePage:
    """A page of changes. A change of an unknown kind or shape is counted and left out: it must not stop the rest."""
    changes, skipped = [], 0
    for entry in body["changes"]:
        try:
            build = _ITEMS[entry["kind"]]
            item = None if entry["op"] == "delete" else build(entry["data"])
            changes.append(Change(int(entry["seq"]), entry["kind"], str(entry["id"]), item))
        except (KeyError, TypeError, ValueError, AttributeError):
            skipped += 1
    return ChangePage(tuple(changes), int(body["next"]), bool(body["more"]), skipped)


def recording_row(body: Json) -> RecordingRow:
    outcome, promised = body.get("outcome"), body.get("promised")
    return RecordingRow(
        id=body["id"],
        call_id=body["call_id"],
        number=int(body["number"]),
        case_id=body.get("case_id") or "",
        case_number=body.get("case_number") or "",
        debtor_name=body.get("debtor_name") or "",
        number_masked=body.get("number_masked") or "",
        agent_id=body.get("agent_id") or "",
        agent_name=body.get("agent_name") or "",
        direction=Direction(body["direction"]),
        started_at=from_iso(body["started_at"]),
        seconds=float(body["seconds"]),
        outcome=Outcome(outcome) if outcome else None,
        promised=money(promised) if promised else None,
        state=body["state"],
    )


def seat_state(body: Json) -> SeatState:
    return SeatState(
        seat_id=body["seat_id"],
        agent_id=body.get("agent_id") or "",
        agent_name=body.get("agent_name") or "",
        team=body.get("team") or "",
        state=body["state"],
        since=from_iso(body["since"]),
        call_id=body.get("call_id") or "",
        case_number=body.get("case_number") or "",
        debtor_name=body.get("debtor_name") or "",
        client=body.get("client") or "",
        stage=body.get("stage") or "",
        line_state=body.get("line_state") or "",
        recording=bool(body.get("recording")),
        recording_problem=body.get("recording_problem") or "",
        cases_handled=int(body.get("cases_handled") or 0),
        talk_seconds=int(body.get("talk_seconds") or 0),
        promises=int(body.get("promises") or 0),
    )
