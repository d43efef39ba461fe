"""``/v1/session``: sign in, who am I, sign out."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.auth import service
from collection_server.auth.principal import SignedIn
from collection_server.auth.schemas import KeysOut, PolicyOut, SessionOut, SignInBody, SignInOut, UserOut
from collection_server.auth.tables import User
from collection_server.context import Server, ServerDep
from collection_server.monitoring import service as monitoring
from collection_server.policy.service import recording_policy
from collection_server.problems import Problem, bad_request
from collection_server.sync.broadcast import notify

router = APIRouter(tags=["session"])


@router.post("/session", summary="Sign in")
def sign_in(body: SignInBody, request: Request, server: ServerDep) -> SignInOut:
    """A token for this user at this seat; an earlier one of the same user and seat ends."""
    key = _public_key(body.seat_public_key)
    actor = audit.Actor(seat_id=body.seat_id, ip=request.client.host if request.client else "")
    limits = (server.settings.sign_in_attempts, server.settings.sign_in_wait_seconds)
    with server.db.read() as session:
        wait = service.waiting_seconds(session, body.login, server.clock(), *limits)
        user = service.find_user(session, body.login)
    _refuse_while_waiting(wait)
    # Outside of any transaction: this takes tens of milliseconds by design.
    right = server.passwords.check(user.password_hash if user else None, body.password)
    with server.db.write() as session:
        # Again, because attempts made side by side all got past the first look.
        _refuse_while_waiting(service.waiting_seconds(session, body.login, server.clock(), *limits))
        if user is None or not right:
            service.count_failure(session, body.login, server.clock(), *limits)
            audit.record(session, audit.Event(actor, "session.refused", "seat", body.seat_id))
            raise Problem(401, "wrong_password", "The login or the password is wrong.", keep=True)
        return _open_session(session, server, user, body.seat_id, key, actor.ip)


@router.get("/session", summary="Who am I")
def who_am_i(server: ServerDep, who: SignedIn) -> SessionOut:
    with server.db.read() as session:
        user = session.get_one(User, who.user_id)
    return _answer(server, user, who.seat_id)


@router.delete("/session", summary="Sign out", status_code=204)
def sign_out(server: ServerDep, who: SignedIn) -> Response:
    with server.db.write() as session:
        service.end_session(session, who.token_sha256, server.clock())
        notify(session, f"session:{who.token_sha256}", {"type": "signed_out"})
        monitoring.sign_off(session, who, server.clock())
        audit.record(session, audit.Event(audit.Actor.of(who), "session.closed", "seat", who.seat_id))
    return Response(status_code=204)


def _open_session(session: Session, server: Server, user: User, seat_id: str, key: bytes, ip: str) -> SignInOut:
    now = server.clock()
    actor = audit.Actor(user.id, seat_id, ip)
    try:
        if service.enrol_seat(session, seat_id, key, user, now):
            audit.record(session, audit.Event(actor, "seat.enrolled", "seat", seat_id))
    except Problem:
        audit.record(session, audit.Event(actor, "seat.key_refused", "seat", seat_id))
        raise
    service.forget_failures(session, user.login)
    token, ended = service.open_session(session, user, seat_id, now)
    for token_sha256 in ended:
        notify(session, f"session:{token_sha256}", {"type": "signed_out"})
    audit.record(session, audit.Event(actor, "session.opened", "seat", seat_id, {"replaced": len(ended)}))
    return SignInOut(token=token, **vars(_answer(server, user, seat_id)))


def _answer(server: Server, user: User, seat_id: str) -> SessionOut:
    now = server.clock()
    return SessionOut(
        expires_at=now + timedelta(seconds=server.settings.idle_seconds),
        user=UserOut.model_validate(user),
        keys=KeysOut.model_validate(server.keys.public()),
        policy=PolicyOut.model_validate(server.settings.policy()),
        recording_policy=recording_policy(server.keys.grant, server.settings, seat_id=seat_id, role=user.role, now=now),
    )


def _refuse_while_waiting(seconds: int) -> None:
    if seconds:
        detail = f"Wait {seconds} s before the next attempt."
        raise Problem(429, "too_many_attempts", detail, headers={"Retry-After": str(seconds)})


def _public_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request("body.seat_public_key: not base64") from error
    if len(key) != 32:
        raise bad_request("body.seat_public_key: not 32 bytes")
    return key
