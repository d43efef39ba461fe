"""``/v1/audit``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select

from collection_server.audit import service
from collection_server.audit.schemas import AuditEntryOut, AuditOut
from collection_server.audit.tables import AuditEntry
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.context import ServerDep
from collection_server.cursors import decode_cursor, encode_cursor
from collection_server.problems import bad_request

router = APIRouter(tags=["audit"])

Auditor = Annotated[Principal, Depends(require(Permission.AUDIT_READ))]


@router.get("/audit", summary="The audit log, newest first")
def read_audit(
    server: ServerDep,
    who: Auditor,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> AuditOut:
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(limit + 1)
    if cursor:
        before = decode_cursor(cursor, 1)[0]
        if not isinstance(before, int) or not 0 <= before < 2**62:
            raise bad_request("query.cursor: not a cursor of this server")
        query = query.where(AuditEntry.seq < before)
    with server.db.write() as session:
        found = list(session.scalars(query))
        page = [AuditEntryOut.model_validate(entry) for entry in found[:limit]]
        service.record(session, service.Event(service.Actor.of(who), "audit.read", detail={"rows": len(page)}))
    return AuditOut(entries=page, next=encode_cursor(page[-1].seq) if len(found) > limit else "")
