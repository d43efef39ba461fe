"""Puts the server together."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from sqlalchemy.orm import Session

from collection_server.audit import routes as audit_routes
from collection_server.audit.service import append_pending
from collection_server.auth import routes as auth_routes
from collection_server.auth.passwords import Passwords
from collection_server.backup import create
from collection_server.cases import routes as case_routes
from collection_server.context import Server, ServerDep
from collection_server.db import Database
from collection_server.duties import Duties, Duty, NotNow
from collection_server.evidence import rounds
from collection_server.evidence import routes as evidence_routes
from collection_server.keys import load_keys
from collection_server.monitoring import events
from collection_server.monitoring import routes as monitoring_routes
from collection_server.monitoring.presence import Presence
from collection_server.monitoring.service import tell_leads
from collection_server.problems import ProblemBody, install_problem_handlers
from collection_server.recordings import routes as recording_routes
from collection_server.recordings import uploads, whole
from collection_server.recordings.cache import AudioCache
from collection_server.retention import destroy
from collection_server.retention import routes as retention_routes
from collection_server.retention.guard import BackupRuns
from collection_server.retrieval import routes as retrieval_routes
from collection_server.retrieval.worker import RetrievalWorker
from collection_server.settings import MIB, Settings
from collection_server.storage import StoreAway, open_store
from collection_server.sync import changes
from collection_server.sync import routes as sync_routes
from collection_server.sync.broadcast import InProcessBroadcaster, publish_pending

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
CHECKS_AT_ONCE = 3


class HealthOut(BaseModel):
    ok: bool
    version: str


def utc_now() -> datetime:
    return datetime.now(UTC)


def own_version() -> str:
    try:
        return version("agent-desktop")
    except PackageNotFoundError:
        return "0"


def make_server(settings: Settings, clock: Clock = utc_now) -> Server:
    """The parts of a server over a data directory that ``init`` has made. Raises ``BadKeys``."""
    broadcaster = InProcessBroadcaster()

    def tell(session: Session) -> None:
        tell_leads(session, clock(), settings.zone)

    def publish(session: Session) -> None:
        publish_pending(session, broadcaster)

    # The counters come last and in this order: their locks are held from here to the commit.
    closers = (tell, changes.number_pending, append_pending)
    return Server(
        settings=settings,
        db=Database(settings.sqlalchemy_url, closers, (publish,)),
        keys=load_keys(settings.data / "keys"),
        blobs=open_store(settings, settings.data / "recordings"),
        broadcaster=broadcaster,
        passwords=Passwords(),
        presence=Presence(settings.offline_after_seconds),
        audio_cache=AudioCache(settings.audio_cache_bytes),
        checks=threading.BoundedSemaphore(CHECKS_AT_ONCE),
        clock=clock,
    )


def create_app(server: Server) -> FastAPI:
    """The service over ``server``'s parts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        duties = Duties(server, duties_of(server))
        retrievals = RetrievalWorker(server)
        duties.start()
        retrievals.start()
        watcher = asyncio.create_task(events.watch_presence(server))
        try:
            yield
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher
            retrievals.stop()
            duties.stop()
            server.db.dispose()

    app = make_api(lifespan)
    app.state.server = server
    return app


def duties_of(server: Server) -> list[Duty]:
    """What this server does from time to time, by its settings."""
    settings, duties = server.settings, []

    def destroy_due() -> str:
        counts = destroy.run(server).counts()
        return ", ".join(f"{name} {count}" for name, count in counts.items() if count)

    duties.append(Duty("evidence", rounds.EVERY, lambda: rounds.run(server)))
    if settings.retention_every_seconds:
        duties.append(Duty("retention", timedelta(seconds=settings.retention_every_seconds), destroy_due))

    def back_up() -> str:
        assert settings.backup_folder is not None
        try:
            made = create.back_up(server, settings.backup_folder, keep=settings.backup_keep)
        except BackupRuns as error:
            raise NotNow from error
        if made.problems:
            log.error("%d files of recordings could not be backed up", len(made.problems))
        return f"{made.name}: {made.recordings} recordings, {made.copied} copied, {len(made.problems)} problems"

    if settings.backup_folder is not None:
        duties.append(Duty("backup", timedelta(seconds=settings.backup_every_seconds), back_up))
    return duties


def make_api(lifespan: Any = None) -> FastAPI:
    """The routes alone, for the OpenAPI document."""
    from collection_server.web import AnswerHeaders, BodyLimit

    app = FastAPI(
        title="Collection server",
        version=own_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={"default": {"model": ProblemBody, "description": "An error, as application/problem+json"}},
    )
    install_problem_handlers(app)
    app.add_exception_handler(StoreAway, uploads.store_away)
    app.add_middleware(BodyLimit, part_limit=64 * MIB)
    app.add_middleware(AnswerHeaders)
    api = APIRouter(prefix="/v1")
    api.add_api_route("/health", _health, methods=["GET"], summary="Is the server there", tags=["health"])
    for module in (
        auth_routes,
        sync_routes,
        case_routes,
        uploads,
        whole,
        recording_routes,
        evidence_routes,
        monitoring_routes,
        events,
        audit_routes,
        retention_routes,
        retrieval_routes,
    ):
        api.include_router(module.router)
    app.include_router(api)
    return app


def _health(server: ServerDep) -> HealthOut:
    with server.db.read() as session:
        changes.head(session)
    return HealthOut(ok=True, version=own_version())


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of this code."""
    app = make_api()
    document = get_openapi(
        title=app.title,
        version=app.version,
        description="The ideas are in docs/guides/http-api.md. The push channel is WS /v1/events.",
        routes=app.routes,
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            # The framework's own shape for these is never sent: every error is a problem.
            operation["responses"].pop("422", None)
            problem = operation["responses"]["default"]["content"]
            problem["application/problem+json"] = problem.pop("application/json")
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    return document
