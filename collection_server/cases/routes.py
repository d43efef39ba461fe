"""``/v1/cases`` and ``/v1/lookup``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.calls import service as calls
from collection_server.cases import service
from collection_server.cases.schemas import (
    CaseDetailOut,
    CaseOut,
    CasesOut,
    LookupOut,
    MatchOut,
    OwnerIn,
    OwnerOut,
)
from collection_server.context import ServerDep
from collection_server.cursors import decode_cursor, encode_cursor
from collection_server.notes import service as notes
from collection_server.schemas import UuidText

router = APIRouter(tags=["cases"])

Reader = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Mover = Annotated[Principal, Depends(require(Permission.CASES_MOVE))]
Finder = Annotated[Principal, Depends(require(Permission.LOOKUP))]


@router.get("/cases", summary="Cases that this user may see")
def list_cases(
    server: ServerDep,
    who: Reader,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> CasesOut:
    after = str(decode_cursor(cursor, 1)[0]) if cursor else ""
    with server.db.write() as session:
        found = service.list_cases(session, who, limit + 1, after)
        page = found[:limit]
        audit.record(session, audit.Event(audit.Actor.of(who), "cases.listed", detail={"rows": len(page)}))
        following = encode_cursor(page[-1].number) if len(found) > limit else ""
        return CasesOut(cases=service.cases_out(session, page), next=following)


@router.get("/cases/{case_id}", summary="A case with its contacts, notes and calls")
def read_case(case_id: UuidText, server: ServerDep, who: Reader) -> CaseDetailOut:
    with server.db.write() as session:
        case = service.read_case(session, who, case_id)
        audit.record(session, audit.Event(audit.Actor.of(who), "case.read", "case", case_id))
        return CaseDetailOut(
            case=service.cases_out(session, [case])[0],
            contacts=[service.contact_out(c) for c in service.contacts_of(session, [case_id])],
            notes=notes.notes_out(session, notes.of_case(session, case_id)),
            calls=[calls.call_out(c) for c in calls.of_case(session, case_id)],
        )


@router.put("/cases/{case_id}/owner", summary="Move a case to another collector")
def move_case(case_id: UuidText, body: OwnerIn, server: ServerDep, who: Mover) -> CaseOut:
    with server.db.write() as session:
        case = service.move_case(session, who, case_id, body.owner_id, server.clock())
        detail = {"owner_id": body.owner_id}
        audit.record(session, audit.Event(audit.Actor.of(who), "case.moved", "case", case_id, detail))
        return service.cases_out(session, [case])[0]


@router.get("/lookup", summary="Whose number is this")
def lookup(server: ServerDep, who: Finder, number: Annotated[str, Query(pattern=r"^\+[1-9][0-9]{5,14}$")]) -> LookupOut:
    """Cases of all collectors that the number (E.164) belongs to. The user may then add to them."""
    with server.db.write() as session:
        found = service.find_by_number(session, number)
        for case, _, _ in found:
            service.give_access(session, case.id, who.user_id, service.LOOKUP, server.clock())
        detail = {"cases": sorted({case.id for case, _, _ in found})}
        audit.record(session, audit.Event(audit.Actor.of(who), "number.looked_up", detail=detail))
        cases = service.cases_out(session, [case for case, _, _ in found])
        return LookupOut(
            matches=[
                MatchOut(
                    case=out,
                    contact=service.contact_out(contact),
                    owner=OwnerOut(id=owner.id if owner else "", name=owner.name if owner else ""),
                )
                for out, (_, contact, owner) in zip(cases, found, strict=True)
            ]
        )
