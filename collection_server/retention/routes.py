"""``/v1/retention`` and ``/v1/holds``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import select, tuple_

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.context import ServerDep
from collection_server.cursors import decode_cursor, encode_cursor
from collection_server.problems import bad_request
from collection_server.retention import holds, rules
from collection_server.retention.schemas import (
    Client,
    DestructionOut,
    DestructionsOut,
    HoldIn,
    HoldOut,
    HoldsOut,
    ReleaseIn,
    RuleIn,
    RuleOut,
    RulesOut,
)
from collection_server.retention.tables import Destruction, LegalHold
from collection_server.schemas import UuidText

router = APIRouter(tags=["retention"])

Officer = Annotated[Principal, Depends(require(Permission.RETENTION))]


@router.get("/retention/rules", summary="How long recordings are kept")
def read_rules(server: ServerDep, who: Officer) -> RulesOut:
    with server.db.read() as session:
        found = rules.current(session).by_client
    return RulesOut(rules=[RuleOut.model_validate(found[client]) for client in sorted(found)])


@router.put("/retention/rules", summary="Set a client's rule")
def put_rule(body: RuleIn, server: ServerDep, who: Officer) -> RuleOut:
    """Two years at least. A rule that was set or changed destroys nothing for a day."""
    with server.db.write() as session:
        return RuleOut.model_validate(rules.put(session, who, body.client, body.days, server.clock()))


@router.delete("/retention/rules", summary="Remove a client's rule", status_code=204)
def remove_rule(client: Annotated[Client, Query()], server: ServerDep, who: Officer) -> Response:
    with server.db.write() as session:
        rules.remove(session, who, client)
    return Response(status_code=204)


@router.get("/retention/destructions", summary="What was destroyed, newest first")
def read_destructions(
    server: ServerDep,
    who: Officer,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> DestructionsOut:
    query = select(Destruction).order_by(Destruction.decided_at.desc(), Destruction.recording_id.desc())
    if cursor:
        query = query.where(tuple_(Destruction.decided_at, Destruction.recording_id) < _position(cursor))
    with server.db.write() as session:
        found = list(session.scalars(query.limit(limit + 1)))
        page = [DestructionOut.model_validate(row) for row in found[:limit]]
        event = audit.Event(audit.Actor.of(who), "destructions.read", detail={"rows": len(page)})
        audit.record(session, event)
    last = page[-1] if len(found) > limit else None
    following = encode_cursor(last.decided_at.isoformat(), last.recording_id) if last else ""
    return DestructionsOut(destructions=page, next=following)


def _position(cursor: str) -> tuple[datetime, str]:
    at, recording_id = decode_cursor(cursor, 2)
    try:
        decided_at = datetime.fromisoformat(str(at))
    except ValueError as error:
        raise bad_request("query.cursor: not a cursor of this server") from error
    if decided_at.tzinfo is None:
        raise bad_request("query.cursor: not a cursor of this server")
    return decided_at, str(recording_id)


@router.get("/holds", summary="Legal holds, newest first")
def read_holds(server: ServerDep, who: Officer, released: Annotated[bool, Query()] = False) -> HoldsOut:
    """Those in force; with ``released`` also the others."""
    query = select(LegalHold).order_by(LegalHold.placed_at.desc(), LegalHold.id)
    if not released:
        query = query.where(LegalHold.released_at.is_(None))
    with server.db.read() as session:
        return HoldsOut(holds=[HoldOut.model_validate(hold) for hold in session.scalars(query)])


@router.post("/holds", summary="Place a legal hold", status_code=201)
def place_hold(body: HoldIn, server: ServerDep, who: Officer) -> HoldOut:
    """From then on nothing it covers is destroyed, whatever the rules say."""
    with server.db.write() as session:
        hold = holds.place(session, who, body, server.clock(), server.keys.receipt)
        return HoldOut.model_validate(hold)


@router.post("/holds/{hold_id}/release", summary="Release a legal hold")
def release_hold(hold_id: UuidText, body: ReleaseIn, server: ServerDep, who: Officer) -> HoldOut:
    with server.db.write() as session:
        hold = holds.release(session, who, hold_id, body.reason, server.clock(), server.keys.receipt)
        return HoldOut.model_validate(hold)
