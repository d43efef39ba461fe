"""Adding and reading calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.calls.schemas import CallIn, CallOut
from collection_server.calls.tables import Call
from collection_server.cases.tables import Case
from collection_server.sync import changes


def add_call(session: Session, case: Case | None, call: CallIn, now: datetime, *, not_owner: bool) -> Call:
    """Keep a call and tell the owner of its case, or the agent when it belongs to none."""
    row = Call(
        id=call.id,
        case_id=case.id if case else None,
        contact_id=call.contact_id or None,
        agent_id=call.agent_id,
        line_id=call.line_id,
        direction=call.direction,
        number=call.number,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        received_at=now,
        cause=call.cause,
        sip_code=call.sip_code,
        talk_ms=call.talk_ms,
        recording_id=call.recording_id or None,
        quality=call.quality,
        not_owner=not_owner,
    )
    session.add(row)
    changes.record(session, "call", call.id, case.owner_id if case else call.agent_id)
    return row


def of_case(session: Session, case_id: str) -> list[Call]:
    return list(session.scalars(select(Call).where(Call.case_id == case_id).order_by(Call.started_at.desc())))


def call_out(call: Call) -> CallOut:
    return CallOut.model_validate(call)
