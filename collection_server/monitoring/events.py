"""``WS /v1/events``: hints to pull, and the wallboard live."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from collection_server.auth.permissions import Role
from collection_server.auth.principal import Principal, identify
from collection_server.context import Server, ServerDep
from collection_server.monitoring import service
from collection_server.monitoring.schemas import SeatStateIn
from collection_server.sync import changes
from collection_server.sync.broadcast import Subscription

log = logging.getLogger(__name__)
router = APIRouter()

AUTH_SECONDS = 5.0
CHECK_SECONDS = 30.0
BAD_MESSAGE, NOT_SIGNED_IN, TOO_SLOW = 4400, 4401, 4408


class _Close(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@router.websocket("/events")
async def events(socket: WebSocket, server: ServerDep) -> None:
    """See docs/guides/http-api.md, "Push channel"."""
    await socket.accept()
    try:
        token, who = await _authenticate(socket, server)
        server.presence.socket_opened(who.seat_id)
        try:
            await _serve(socket, server, who, token)
        finally:
            server.presence.socket_closed(who.seat_id)
    except _Close as close:
        await socket.close(close.code)
    except WebSocketDisconnect:
        pass


async def _authenticate(socket: WebSocket, server: Server) -> tuple[str, Principal]:
    try:
        message = await asyncio.wait_for(_receive(socket), AUTH_SECONDS)
    except TimeoutError:
        raise _Close(TOO_SLOW) from None
    token = message.get("token")
    if message.get("type") != "auth" or not isinstance(token, str):
        raise _Close(BAD_MESSAGE)
    ip = socket.client.host if socket.client else ""
    who = await run_in_threadpool(identify, server, token, ip)
    if who is None:
        raise _Close(NOT_SIGNED_IN)
    return token, who


async def _serve(socket: WebSocket, server: Server, who: Principal, token: str) -> None:
    topics = [f"user:{who.user_id}", f"session:{who.token_sha256}"]
    if who.role is Role.LEAD:
        topics.append(f"team:{who.team}")
    with server.broadcaster.subscribe(*topics) as subscription:
        # After subscribing, so that no change falls between this number and the first hint.
        seq = await run_in_threadpool(_head, server)
        await socket.send_json({"type": "ready", "seq": seq})
        tasks = [
            asyncio.create_task(_read(socket, server, who)),
            asyncio.create_task(_write(socket, subscription)),
            asyncio.create_task(_check(server, token, who.ip)),
        ]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()


async def _read(socket: WebSocket, server: Server, who: Principal) -> None:
    while True:
        message = await _receive(socket)
        if message.get("type") != "seat_state":
            raise _Close(BAD_MESSAGE)
        try:
            body = SeatStateIn.model_validate(message)
        except ValidationError:
            raise _Close(BAD_MESSAGE) from None
        await run_in_threadpool(_set_state, server, who, body)


async def _write(socket: WebSocket, subscription: Subscription) -> None:
    while True:
        message = await subscription.get()
        if message["type"] == "signed_out":
            raise _Close(NOT_SIGNED_IN)
        await socket.send_json(message)


async def _check(server: Server, token: str, ip: str) -> None:
    """A session may end without this process hearing of it: in another process, or by its age."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        if await run_in_threadpool(identify, server, token, ip) is None:
            raise _Close(NOT_SIGNED_IN)


async def _receive(socket: WebSocket) -> dict[str, Any]:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    try:
        body = json.loads(message.get("text") or "")
    except (ValueError, RecursionError):
        raise _Close(BAD_MESSAGE) from None
    if not isinstance(body, dict):
        raise _Close(BAD_MESSAGE)
    return body


def _set_state(server: Server, who: Principal, body: SeatStateIn) -> None:
    with server.db.write() as session:
        service.set_state(session, who, body, server.clock())


def _head(server: Server) -> int:
    with server.db.read() as session:
        return changes.head(session)


async def watch_presence(server: Server) -> None:
    """Runs with the server: says offline of seats that have gone."""
    await run_in_threadpool(_expect_seats, server)
    while True:
        await asyncio.sleep(min(0.5, server.settings.offline_after_seconds / 2))
        gone = server.presence.gone()
        if gone:
            try:
                await run_in_threadpool(_set_offline, server, gone)
            except Exception as error:
                log.warning("seats could not be marked offline: %s", type(error).__name__)
                server.presence.expect(gone)


def _expect_seats(server: Server) -> None:
    with server.db.read() as session:
        server.presence.expect(service.seats_not_offline(session))


def _set_offline(server: Server, seat_ids: list[str]) -> None:
    with server.db.write() as session:
        for seat_id in seat_ids:
            if not server.presence.is_there(seat_id):
                service.set_offline(session, seat_id, server.clock())
