"""Seat states, wallboard and monitoring grants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.context import ServerDep
from collection_server.monitoring import grants, service
from collection_server.monitoring.schemas import GrantIn, GrantOut, SeatStateIn, WallboardOut
from collection_server.problems import Problem, forbidden

router = APIRouter(tags=["monitoring"])

Seated = Annotated[Principal, Depends(require(Permission.SEAT_STATE))]
Lead = Annotated[Principal, Depends(require(Permission.WALLBOARD))]
Monitor = Annotated[Principal, Depends(require(Permission.MONITOR))]


@router.put("/seats/{seat_id}/state", summary="What this seat is doing", status_code=204)
def put_state(
    seat_id: Annotated[str, Path(max_length=64)], body: SeatStateIn, server: ServerDep, who: Seated
) -> Response:
    if seat_id != who.seat_id:
        raise forbidden("A seat speaks for itself only.")
    with server.db.write() as session:
        service.set_state(session, who, body, server.clock())
    server.presence.heard(who.seat_id)
    return Response(status_code=204)


@router.get("/wallboard", summary="The team's seats now")
def wallboard(server: ServerDep, who: Lead) -> WallboardOut:
    with server.db.write() as session:
        seats = service.wallboard(session, who.team, server.clock(), server.settings.zone)
        if any(seat.debtor_name for seat in seats):
            event = audit.Event(audit.Actor.of(who), "wallboard.read", detail={"rows": len(seats)})
            audit.record(session, event)
    return WallboardOut(seats=seats)


@router.post("/monitor/grants", summary="Permission to listen to a seat")
def grant(body: GrantIn, server: ServerDep, who: Monitor) -> GrantOut:
    """Signed for this lead, seat and mode; valid for 30 s; the seat's engine takes it once."""
    with server.db.write() as session:
        try:
            seat = service.seat_to_monitor(session, who, body.seat_id)
        except Problem as problem:
            problem.keep = True
            detail = {"mode": body.mode, "code": problem.code}
            audit.record(session, audit.Event(audit.Actor.of(who), "grant.refused", "seat", body.seat_id, detail))
            raise
        grant_id, token, expires = grants.make_grant(
            server.keys.grant,
            lead_id=who.user_id,
            lead_name=who.name,
            seat_id=body.seat_id,
            mode=body.mode,
            now=server.clock(),
        )
        detail = {"mode": body.mode, "grant_id": grant_id, "agent_id": seat.agent_id}
        audit.record(session, audit.Event(audit.Actor.of(who), "grant.given", "seat", body.seat_id, detail))
        return GrantOut(grant=token, uri=seat.line_uri, expires_at=datetime.fromtimestamp(expires, UTC))
