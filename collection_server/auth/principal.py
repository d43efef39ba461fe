"""Who is asking, and the check that every endpoint makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from collection_server.audit import service as audit
from collection_server.auth import service
from collection_server.auth.permissions import PERMISSIONS, Permission, Role
from collection_server.context import Server, ServerDep
from collection_server.problems import Problem, forbidden

_bearer = HTTPBearer(auto_error=False, description="The opaque token of POST /v1/session")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user at a seat."""

    user_id: str
    name: str
    role: Role
    team: str
    seat_id: str
    token_sha256: str
    ip: str

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


def identify(server: Server, token: str, ip: str) -> Principal | None:
    """Whose token this is, or None. Notes that the session is in use, at most once a minute."""
    with server.db.read() as session:
        found = service.find_session(session, token, server.clock(), server.settings.idle_seconds)
    if found is None:
        return None
    if found.stale:
        with server.db.write() as session:
            service.touch_session(session, found.token_sha256, server.clock())
    user = found.user
    return Principal(user.id, user.name, Role(user.role), user.team, found.seat_id, found.token_sha256, ip)


def signed_in(request: Request, server: ServerDep, credentials: Bearer) -> Principal:
    """The signed-in user. Raises 401 ``signed_out``."""
    ip = request.client.host if request.client else ""
    who = identify(server, credentials.credentials, ip) if credentials else None
    if who is None:
        raise Problem(401, "signed_out", "Sign in again.", headers={"WWW-Authenticate": "Bearer"})
    return who


SignedIn = Annotated[Principal, Depends(signed_in)]


def require(permission: Permission) -> Callable[..., Principal]:
    """A dependency: the signed-in user, who must have the permission. Refusals are audited."""

    def check(request: Request, server: ServerDep, who: SignedIn) -> Principal:
        if not who.may(permission):
            refuse(server, who, str(permission), request.method)
        return who

    return check


def refuse(server: Server, who: Principal, permission: str, method: str) -> None:
    """Audit and raise 403 ``forbidden``."""
    detail = {"permission": permission, "method": method}
    with server.db.write() as session:
        audit.record(session, audit.Event(audit.Actor.of(who), "access.refused", detail=detail))
    raise forbidden()
