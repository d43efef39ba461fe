"""``/v1/sync`` and ``/v1/operations``."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.context import ServerDep
from collection_server.monitoring import service as monitoring
from collection_server.sync import operations, service
from collection_server.sync.schemas import OperationsIn, ResultsOut, SyncOut

router = APIRouter(tags=["sync"])

Holder = Annotated[Principal, Depends(require(Permission.SYNC))]
Operator = Annotated[Principal, Depends(require(Permission.OPERATE))]


@router.get("/sync", summary="Changes since a number", response_model=SyncOut)
def sync(
    server: ServerDep,
    who: Holder,
    since: Annotated[int, Query(ge=0, lt=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> Response:
    with server.db.read() as session:
        page = service.read_page(session, who, since, limit)
    if page.changes:
        # Committed before the answer leaves, so nothing is handed out that is not in the log.
        detail = {"since": since, "next": page.next, "changes": len(page.changes)}
        with server.db.write() as session:
            audit.record(session, audit.Event(audit.Actor.of(who), "changes.pulled", detail=detail))
    # Made here: checking a thousand objects again on their way out would double the time.
    return Response(page.model_dump_json(), media_type="application/json")


@router.post("/operations", summary="Add notes and calls, mark contacts")
def apply_operations(body: OperationsIn, server: ServerDep, who: Operator) -> ResultsOut:
    with server.db.write() as session:
        results = operations.apply_batch(session, who, body.operations, server.clock())
        counts = Counter(result.status for result in results)
        done = [o for o, r in zip(body.operations, results, strict=True) if r.status == "done"]
        objects = [[o.kind, str(o.data.get("id") or o.data.get("contact_id"))] for o in done]
        detail = {"results": dict(counts), "done": objects}
        audit.record(session, audit.Event(audit.Actor.of(who), "operations.taken", detail=detail))
        if done:
            monitoring.figures_changed(session, who.user_id)
    return ResultsOut(results=results)
