"""``/v1/recordings/{id}/upload``, ``/complete`` and the parts."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.canonical import sha256_hex
from collection_server.context import Server, ServerDep
from collection_server.evidence import service as evidence
from collection_server.problems import Problem, bad_request, not_found, problem_response
from collection_server.recordings import service, staging
from collection_server.recordings.check import Findings
from collection_server.recordings.schemas import (
    AddressesBody,
    AddressesOut,
    AddressOut,
    Manifest,
    PartOut,
    ReceiptOut,
    UploadOut,
)
from collection_server.recordings.tables import Recording, Upload
from collection_server.schemas import UuidText
from collection_server.storage import Address, PartSums, StagedPartMissing, Staging

router = APIRouter(tags=["recordings"])
log = logging.getLogger(__name__)

Uploader = Annotated[Principal, Depends(require(Permission.UPLOAD))]


@router.post("/recordings/{recording_id}/upload", summary="Announce a recording, or go on with one")
def announce(recording_id: UuidText, body: Manifest, request: Request, server: ServerDep, who: Uploader) -> UploadOut:
    if body.recording_id != recording_id:
        raise bad_request("body.recording_id: not the recording of the path")
    if body.size > server.settings.max_recording_bytes:
        raise Problem(413, "too_large", "The recording is larger than this server takes.")
    if body.kind == "N":
        return _void(server, who, body)
    with server.db.write() as session:
        try:
            upload, stored, dropped = service.announce(
                session, who, body, server.settings.upload_part_size, server.clock()
            )
        except Problem as problem:
            event = audit.Event(
                audit.Actor.of(who), "recording.refused", "recording", recording_id, {"code": problem.code}
            )
            audit.record(session, event)
            raise
        noted = service.received_parts(session, upload) if upload else {}
        receipt = service.receipt_out(session, stored) if stored else None
    if dropped is not None:
        server.blobs.drop_parts(staging.staging_of(dropped))
    if upload is None:
        return _nothing_to_send(server, receipt)
    return UploadOut(
        upload_id=upload.id,
        part_size=upload.part_size,
        parts=_parts(server, request, upload),
        received=list(staging.received(server, upload, noted)),
        direct=server.blobs.kind == "s3" and server.settings.s3_direct,
        whole=server.blobs.kind == "disk",
        receipt=None,
    )


def _nothing_to_send(server: Server, receipt: ReceiptOut | None) -> UploadOut:
    size = server.settings.upload_part_size
    return UploadOut(upload_id="", part_size=size, parts=[], received=[], direct=False, whole=False, receipt=receipt)


def _void(server: Server, who: Principal, manifest: Manifest) -> UploadOut:
    """A number without audio has nothing to send: the receipt comes at once."""
    with server.db.write() as session:
        service.check_signature(session, who, manifest)
        receipt = evidence.append_voided(session, who, manifest.as_signed(), server.clock(), server.keys.receipt)
    return _nothing_to_send(server, ReceiptOut.model_validate(receipt))


def _parts(server: Server, request: Request, upload: Upload) -> list[PartOut]:
    sizes = service.part_sizes(upload.size, upload.part_size)
    return [PartOut(number=n, url=_own_url(server, request, upload.id, n), size=size) for n, size in sizes.items()]


def _own_url(server: Server, request: Request, upload_id: str, number: int) -> str:
    base = (server.settings.public_url or str(request.base_url)).rstrip("/")
    return f"{base}/v1/uploads/{upload_id}/parts/{number}"


@router.post("/uploads/{upload_id}/addresses", summary="Where to send parts to")
def addresses(
    upload_id: UuidText, body: AddressesBody, request: Request, server: ServerDep, who: Uploader
) -> AddressesOut:
    """For an object store these take exactly the bytes whose sums were given, and only until ``expires_at``."""
    with server.db.read() as session:
        upload = service.find_upload(session, who, upload_id)
    sizes = service.part_sizes(upload.size, upload.part_size)
    if any(part.number not in sizes for part in body.parts):
        raise not_found("part")
    wanted = [PartSums(part.number, sizes[part.number], part.sha256, part.md5) for part in body.parts]
    seconds = server.settings.s3_address_seconds
    expires_at = server.clock() + timedelta(seconds=seconds)
    found = (
        server.blobs.addresses(staging.begun(server, upload), wanted, seconds) if server.settings.s3_direct else None
    )
    if found is None:
        found = {part.number: Address(_own_url(server, request, upload_id, part.number), {}) for part in wanted}
    out = [AddressOut(number=n, url=address.url, headers=dict(address.headers)) for n, address in found.items()]
    return AddressesOut(parts=out, expires_at=expires_at)


@router.put(
    "/uploads/{upload_id}/parts/{number}",
    summary="Send a part",
    status_code=204,
    responses={200: {"model": ReceiptOut, "description": "It was the only part, and X-Complete was asked for"}},
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def put_part(
    upload_id: UuidText,
    number: Annotated[int, Path(ge=1, le=100_000)],
    request: Request,
    server: ServerDep,
    who: Uploader,
    x_content_sha256: Annotated[str, Header(pattern="^[0-9a-fA-F]{64}$")],
    x_complete: Annotated[bool, Header()] = False,
) -> Response:
    """The part's bytes are the body; its SHA-256 in hex is in ``X-Content-SHA256``.

    With ``X-Complete: 1`` the only part of an upload completes it: the answer is 200 and the receipt.
    """
    upload, size = await run_in_threadpool(_expected, server, who, upload_id, number)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > size:
            raise Problem(413, "too_large", "The part is larger than announced.")
    part = _Part(upload, number, bytes(data), x_content_sha256.lower())
    receipt = await run_in_threadpool(_keep_part, server, who, part, size, x_complete)
    if receipt is None:
        return Response(status_code=204)
    return Response(receipt.model_dump_json(), media_type="application/json")


@dataclass(frozen=True, slots=True)
class _Part:
    upload: Upload
    number: int
    data: bytes
    sha256: str


def _expected(server: Server, who: Principal, upload_id: str, number: int) -> tuple[Upload, int]:
    with server.db.read() as session:
        upload = service.find_upload(session, who, upload_id)
    sizes = service.part_sizes(upload.size, upload.part_size)
    if number not in sizes:
        raise not_found("part")
    return upload, sizes[number]


def _keep_part(server: Server, who: Principal, part: _Part, size: int, complete_it: bool) -> ReceiptOut | None:
    if not hmac.compare_digest(sha256_hex(part.data), part.sha256):
        raise Problem(422, "checksum", "The part is not what its sum says; send it again.")
    if len(part.data) != size:
        raise Problem(422, "wrong_size", "The part is shorter than announced.")
    upload = part.upload
    begun = staging.begun(server, upload)
    try:
        server.blobs.put_part(begun, part.number, part.data, part.sha256)
    except StagedPartMissing as error:
        staging.start_again(server, upload)
        raise Problem(409, "conflict", "The upload changed in the meantime; ask again.") from error
    if complete_it and len(part.data) == upload.size:
        return _finish(server, who, upload, begun, {part.number: part.sha256})
    with server.db.write() as session:
        service.note_part(session, upload.id, part.number, size, part.sha256)
    return None


@router.post("/recordings/{recording_id}/complete", summary="Check and store what was sent")
def complete(recording_id: UuidText, server: ServerDep, who: Uploader) -> ReceiptOut:
    with server.db.read() as session:
        found = service.to_complete(session, who, recording_id)
        if isinstance(found, Recording):
            return service.receipt_out(session, found)
        noted = service.received_parts(session, found)
    parts = staging.received(server, found, noted)
    service.check_whole(found, parts)
    return _finish(server, who, found, staging.staging_of(found), parts)


def _finish(server: Server, who: Principal, upload: Upload, begun: Staging, parts: Mapping[int, str]) -> ReceiptOut:
    """Join the parts, look inside, store. Reading a long recording takes a while: no transaction is open meanwhile."""
    findings = staging.assemble(server, upload, begun, parts)
    with server.db.write() as session:
        again = service.to_complete(session, who, upload.recording_id)
        if isinstance(again, Recording):
            return service.receipt_out(session, again)
        receipt = service.receipt_out(session, keep(session, server, who, again, findings))
    server.blobs.drop_parts(begun)
    return receipt


def keep(session: Session, server: Server, who: Principal, upload: Upload, findings: Findings) -> Recording:
    """Make an upload, whose bytes are stored, a recording."""
    recording = service.store(session, who, upload, findings, server.clock(), server.keys.receipt)
    detail = {
        "sha256": recording.sha256,
        "size": recording.size,
        "number": recording.number,
        "state": recording.state,
        "reason": recording.reason,
    }
    audit.record(session, audit.Event(audit.Actor.of(who), "recording.stored", "recording", recording.id, detail))
    return recording


async def store_away(_: Request, error: Exception) -> Response:
    """The answer while the store cannot be used: whoever asks comes back, and nothing is held against a recording."""
    log.error("the recordings' store is away: %s", error)
    return problem_response(
        503, "store_away", "The recordings' store cannot be used just now; try again.", headers={"Retry-After": "10"}
    )
