"""Around every request: the size of its body, headers of its answer, and one log line without personal data."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collection_server.problems import Problem, problem_response

log = logging.getLogger("collection_server.access")

JSON_LIMIT = 1024 * 1024
_HEADERS = {
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}


class BodyLimit:
    """Refuses bodies beyond a limit, by their announced length or as they come in. Parts of uploads are
    measured by their endpoint.
    """

    def __init__(self, app: ASGIApp, part_limit: int) -> None:
        self._app = app
        self._part_limit = part_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._part_limit if _is_part(scope["path"]) else JSON_LIMIT
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            await problem_response(413, "too_large", "The body is too large.")(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise Problem(413, "too_large", "The body is too large.")
            return message

        await self._app(scope, counted, send)


def _is_part(path: str) -> bool:
    in_parts = path.startswith("/v1/uploads/") and "/parts/" in path
    return in_parts or (path.startswith("/v1/recordings/") and path.endswith("/whole"))


class AnswerHeaders:
    """Keeps answers out of caches and writes the access log: method, route, status, milliseconds; never the
    query.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                missing = [(name, value) for name, value in _HEADERS.items() if name not in present]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            log.info("%s %s %d %.0f ms", scope["method"], route, status, (time.perf_counter() - started) * 1000)
