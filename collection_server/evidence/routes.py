"""``/v1/evidence``: the chain for whoever witnesses it, alarms for QA; and one recording's bundle."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.context import ServerDep
from collection_server.evidence import bundle, chain, rounds
from collection_server.evidence.schemas import AlarmOut, AlarmsOut, ChainLinkOut, ChainOut, CloseBody
from collection_server.evidence.tables import Alarm, ChainEntry, EvidenceHead
from collection_server.evidence.zipping import zipped
from collection_server.problems import Problem, not_found
from collection_server.recordings import search
from collection_server.schemas import UuidText

router = APIRouter(tags=["evidence"])

Witness = Annotated[Principal, Depends(require(Permission.EVIDENCE_READ))]
Reviewer = Annotated[Principal, Depends(require(Permission.EVIDENCE_ALARMS))]
Exporter = Annotated[Principal, Depends(require(Permission.RECORDINGS_EXPORT))]


@router.get("/evidence/chain", summary="Countersigned entries, oldest first")
def read_chain(
    server: ServerDep,
    who: Witness,
    since: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> ChainOut:
    """Those after number ``since``. Whoever keeps them, or only the head, can show later that none was changed."""
    with server.db.write() as session:
        query = select(ChainEntry).where(ChainEntry.seq > since).order_by(ChainEntry.seq).limit(limit)
        found = list(session.scalars(query))
        head = session.scalars(select(EvidenceHead)).one()
        event = audit.Event(audit.Actor.of(who), "evidence.read", detail={"since": since, "rows": len(found)})
        audit.record(session, event)
    entries = [
        ChainLinkOut(body=e.body, signature=e.signature, body_sha256=chain.link(e)["body_sha256"], hash=e.hash)
        for e in found
    ]
    return ChainOut(entries=entries, head_seq=head.seq, head_hash=head.hash)


@router.get("/evidence/alarms", summary="What is missing or broken, newest first")
def list_alarms(
    server: ServerDep,
    who: Reviewer,
    closed: Annotated[bool, Query(description="Also those that are closed")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> AlarmsOut:
    with server.db.write() as session:
        rounds.look(session, server)
        query = select(Alarm).order_by(Alarm.found_at.desc(), Alarm.seat_id, Alarm.number.desc()).limit(limit)
        found = list(session.scalars(query if closed else query.where(Alarm.closed_at.is_(None))))
        still = session.scalar(select(func.count()).select_from(Alarm).where(Alarm.closed_at.is_(None))) or 0
    return AlarmsOut(alarms=[AlarmOut.model_validate(alarm) for alarm in found], open=still)


@router.post("/evidence/alarms/{alarm_id}/close", summary="Say what was found out")
def close_alarm(alarm_id: UuidText, body: CloseBody, server: ServerDep, who: Reviewer) -> AlarmOut:
    with server.db.write() as session:
        alarm = session.get(Alarm, alarm_id, with_for_update=True)
        if alarm is None:
            raise not_found("alarm")
        if alarm.closed_at is not None:
            raise Problem(409, "conflict", "The alarm is closed already.")
        alarm.closed_at, alarm.closed_by, alarm.remark = server.clock(), who.user_id, body.remark
        detail = {"kind": alarm.kind, "seat_id": alarm.seat_id, "number": alarm.number}
        audit.record(session, audit.Event(audit.Actor.of(who), "alarm.closed", "alarm", alarm_id, detail))
        return AlarmOut.model_validate(alarm)


@router.get(
    "/recordings/{recording_id}/bundle",
    summary="Everything that proves a recording, as one ZIP for offline verification",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}},
)
def get_bundle(recording_id: UuidText, server: ServerDep, who: Exporter) -> StreamingResponse:
    """The form is in docs/guides/evidence-bundle.md. Audited as an export before a byte leaves."""
    with server.db.write() as session:
        recording = search.find_recording(session, who, recording_id)
        event = audit.Event(audit.Actor.of(who), "recording.exported", "recording", recording_id, {"form": "evidence"})
        audit.record(session, event)
        files = bundle.bundle_files(session, server, [recording_id])
    name = f"{recording.seat_id}-{recording.number}.evidence.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(zipped(files, server.blobs), media_type="application/zip", headers=headers)
