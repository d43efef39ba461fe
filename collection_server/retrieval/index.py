"""The index of a package: what each recording is, where its files are, and what could not be brought."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.auth.tables import User
from collection_server.calls.tables import Call
from collection_server.cases.tables import Case
from collection_server.evidence.chain import wire_time
from collection_server.recordings.tables import Recording
from collection_server.retrieval.tables import RetrievalItem

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Row:
    """One recording. ``result``: ``included``, ``damaged`` (sealed file and evidence are here, its audio cannot be
    decoded), ``missing`` or ``destroyed`` (at the end of its retention; the signed record of it is here).
    """

    recording_id: str
    seat_id: str
    number: int
    call_id: str
    case_number: str
    client: str
    agent_login: str
    agent_name: str
    direction: str
    far_number: str
    started_at: str
    seconds: float
    state: str
    sha256: str
    result: str = ""
    sealed_file: str = ""
    audio_file: str = ""


def rows(session: Session, job_id: str) -> list[Row]:
    """In the job's order, without results yet."""
    query = (
        select(Recording, Call, Case, User)
        .join(RetrievalItem, RetrievalItem.recording_id == Recording.id)
        .outerjoin(Call, Call.id == Recording.call_id)
        .outerjoin(Case, Case.id == Call.case_id)
        .outerjoin(User, User.id == Call.agent_id)
        .where(RetrievalItem.job_id == job_id)
        .order_by(RetrievalItem.position)
    )
    return [_row(*found) for found in session.execute(query)]


def _row(recording: Recording, call: Call | None, case: Case | None, agent: User | None) -> Row:
    return Row(
        recording_id=recording.id,
        seat_id=recording.seat_id,
        number=recording.number,
        call_id=recording.call_id,
        case_number=case.number if case else "",
        client=case.client if case else "",
        agent_login=agent.login if agent else "",
        agent_name=agent.name if agent else "",
        direction=call.direction if call else recording.direction,
        far_number=call.number if call else "",
        started_at=wire_time(recording.started_at),
        seconds=round(recording.samples / recording.rate, 3) if recording.rate else 0.0,
        state=recording.state,
        sha256=recording.sha256,
        result="destroyed" if recording.destroyed_at is not None else "",
    )


def to_json(job: dict[str, Any], found: list[Row]) -> bytes:
    """``job``: what was asked for, by whom and why."""
    body = {**job, "recordings": [asdict(row) for row in found]}
    return json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"


def to_csv(found: list[Row]) -> bytes:
    """For spreadsheets: UTF-8 with a byte order mark; no cell is taken for a formula (OWASP, "CSV Injection")."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([field.name for field in fields(Row)])
    writer.writerows([_cell(value) for value in asdict(row).values()] for row in found)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
