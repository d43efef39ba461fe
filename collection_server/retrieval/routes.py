"""``/v1/retrievals``: batch retrieval of recordings as one package."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from collection_server.auth.permissions import Permission, Role
from collection_server.auth.principal import Principal, SignedIn, refuse
from collection_server.context import ServerDep
from collection_server.problems import Problem, problem_response
from collection_server.recordings.ranges import Unsatisfiable, parse_range
from collection_server.retrieval import service
from collection_server.retrieval.schemas import RetrievalIn, RetrievalOut, RetrievalsOut
from collection_server.retrieval.tables import RetrievalJob
from collection_server.retrieval.vault import VaultDamaged, VaultReader, open_key
from collection_server.retrieval.worker import package_folder
from collection_server.schemas import UuidText

router = APIRouter(tags=["retrieval"])


def retriever(request: Request, server: ServerDep, who: SignedIn) -> Principal:
    """The data officer; QA when the server's settings say so. Refusals are audited."""
    by_setting = server.settings.retrieval_by_qa and who.role is Role.QA
    if not by_setting and not who.may(Permission.RECORDINGS_RETRIEVE):
        refuse(server, who, str(Permission.RECORDINGS_RETRIEVE), request.method)
    return who


Retriever = Annotated[Principal, Depends(retriever)]


@router.post("/retrievals", summary="Ask for recordings as one package", status_code=201)
def create(body: RetrievalIn, server: ServerDep, who: Retriever) -> RetrievalOut:
    """Which recordings they are is decided now; the package is built in the background."""
    limit = server.settings.retrieval_max_recordings
    with server.db.write() as session:
        return RetrievalOut.model_validate(service.create(session, who, body, limit, server.clock()))


@router.get("/retrievals", summary="My retrievals, newest first")
def list_own(server: ServerDep, who: Retriever, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> RetrievalsOut:
    query = select(RetrievalJob).where(RetrievalJob.created_by == who.user_id)
    query = query.order_by(RetrievalJob.created_at.desc(), RetrievalJob.id).limit(limit)
    with server.db.read() as session:
        return RetrievalsOut(retrievals=[RetrievalOut.model_validate(job) for job in session.scalars(query)])


@router.get("/retrievals/{retrieval_id}", summary="How far it is")
def read(retrieval_id: UuidText, server: ServerDep, who: Retriever) -> RetrievalOut:
    with server.db.read() as session:
        return RetrievalOut.model_validate(service.find(session, who, retrieval_id))


@router.delete("/retrievals/{retrieval_id}", summary="Give it up, or remove its package", status_code=204)
def remove(retrieval_id: UuidText, server: ServerDep, who: Retriever) -> Response:
    with server.db.write() as session:
        job = service.cancel(session, who, retrieval_id)
    service.package_path(package_folder(server), job).unlink(missing_ok=True)
    return Response(status_code=204)


@router.get(
    "/retrievals/{retrieval_id}/package",
    summary="The package",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, 206: {"content": {"application/zip": {}}}},
)
def download(
    retrieval_id: UuidText,
    server: ServerDep,
    who: Retriever,
    range_header: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """A download that was cut goes on with ``Range`` and ``If-Range``. In the audit log, with each recording, before
    a byte leaves.
    """
    with server.db.read() as session:
        job = service.find(session, who, retrieval_id)
    _check_ready(job)
    etag = f'"{job.sha256}"'
    try:
        part = parse_range(range_header, job.size) if if_range in (None, etag) else None
    except Unsatisfiable:
        headers = {"Content-Range": f"bytes */{job.size}"}
        return problem_response(416, "bad_range", "The range begins behind the end.", headers=headers)
    start, end = part or (0, job.size)
    try:
        key = open_key(job.sealed_key, server.keys.store)
        reader = VaultReader(service.package_path(package_folder(server), job), key, job.id, job.size)
    except VaultDamaged as error:
        raise Problem(409, "damaged", "The package is damaged or gone: ask for it again.") from error
    with server.db.write() as session:
        found = session.get_one(RetrievalJob, job.id, with_for_update=True)
        _check_ready(found)
        service.note_download(session, who, found, start, end, server.clock())
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Content-Length": str(end - start),
        "Content-Disposition": f'attachment; filename="retrieval-{job.id[:8]}.zip"',
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{job.size}"
    status = 206 if part is not None else 200
    return StreamingResponse(reader.read(start, end), status, media_type="application/zip", headers=headers)


def _check_ready(job: RetrievalJob) -> None:
    if job.state in ("queued", "running"):
        raise Problem(409, "not_ready", "The package is still being built.")
    if job.state != "done":
        raise Problem(410, "expired", "The package is gone: ask for it again.")
