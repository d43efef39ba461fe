"""``/v1/recordings/{id}/upload``, ``/complete`` and the parts."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, require
from collection_server.canonical import sha256_hex
from collection_server.context import Server, ServerDep
from collection_server.evidence import service as evidence
from collection_server.problems import Problem, bad_request, not_found
from collection_server.recordings import service
from collection_server.recordings.check import Findings, examine
from collection_server.recordings.schemas import Manifest, PartOut, ReceiptOut, UploadOut
from collection_server.recordings.tables import Recording, Upload
from collection_server.schemas import UuidText
from collection_server.storage import StagedPartMissing

router = APIRouter(tags=["recordings"])

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
            upload, stored, dropped = service.announce(session, who, body, server.settings.part_size, server.clock())
        except Problem as problem:
            event = audit.Event(
                audit.Actor.of(who), "recording.refused", "recording", recording_id, {"code": problem.code}
            )
            audit.record(session, event)
            raise
        received = service.received_parts(session, upload) if upload else []
        receipt = service.receipt_out(session, stored) if stored else None
    if dropped:
        server.blobs.drop_parts(dropped)
    if upload is None:
        return UploadOut(upload_id="", part_size=server.settings.part_size, parts=[], received=[], receipt=receipt)
    return UploadOut(
        upload_id=upload.id,
        part_size=upload.part_size,
        parts=_parts(server, request, upload),
        received=received,
        receipt=None,
    )


def _void(server: Server, who: Principal, manifest: Manifest) -> UploadOut:
    """A number without audio has nothing to send: the receipt comes at once."""
    with server.db.write() as session:
        service.check_signature(session, who, manifest)
        receipt = evidence.append_voided(session, who, manifest.as_signed(), server.clock(), server.keys.receipt)
    answer = ReceiptOut.model_validate(receipt)
    return UploadOut(upload_id="", part_size=server.settings.part_size, parts=[], received=[], receipt=answer)


def _parts(server: Server, request: Request, upload: Upload) -> list[PartOut]:
    base = (server.settings.public_url or str(request.base_url)).rstrip("/")
    sizes = service.part_sizes(upload.size, upload.part_size)
    return [PartOut(number=n, url=f"{base}/v1/uploads/{upload.id}/parts/{n}", size=size) for n, size in sizes.items()]


@router.put(
    "/uploads/{upload_id}/parts/{number}",
    summary="Send a part",
    status_code=204,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def put_part(
    upload_id: UuidText,
    number: Annotated[int, Path(ge=1, le=100_000)],
    request: Request,
    server: ServerDep,
    who: Uploader,
    x_content_sha256: Annotated[str, Header(pattern="^[0-9a-fA-F]{64}$")],
) -> Response:
    """The part's bytes are the body; its SHA-256 in hex is in ``X-Content-SHA256``."""
    size = await run_in_threadpool(_part_size, server, who, upload_id, number)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > size:
            raise Problem(413, "too_large", "The part is larger than announced.")
    await run_in_threadpool(_keep_part, server, upload_id, number, bytes(data), size, x_content_sha256.lower())
    return Response(status_code=204)


def _part_size(server: Server, who: Principal, upload_id: str, number: int) -> int:
    with server.db.read() as session:
        upload = service.find_upload(session, who, upload_id)
    sizes = service.part_sizes(upload.size, upload.part_size)
    if number not in sizes:
        raise not_found("part")
    return sizes[number]


def _keep_part(server: Server, upload_id: str, number: int, data: bytes, size: int, sha256: str) -> None:
    if not hmac.compare_digest(sha256_hex(data), sha256):
        raise Problem(422, "checksum", "The part is not what its sum says; send it again.")
    if len(data) != size:
        raise Problem(422, "wrong_size", "The part is shorter than announced.")
    server.blobs.put_part(upload_id, number, data)
    with server.db.write() as session:
        service.note_part(session, upload_id, number, size, sha256)


@router.post("/recordings/{recording_id}/complete", summary="Check and store what was sent")
def complete(recording_id: UuidText, server: ServerDep, who: Uploader) -> ReceiptOut:
    with server.db.read() as session:
        found = service.to_complete(session, who, recording_id)
        if isinstance(found, Recording):
            return service.receipt_out(session, found)
    # Reading a long recording takes a while: no transaction is open meanwhile.
    findings = _assemble(server, found)
    with server.db.write() as session:
        again = service.to_complete(session, who, recording_id)
        if isinstance(again, Recording):
            return service.receipt_out(session, again)
        recording = service.store(session, who, again, findings, server.clock(), server.keys.receipt)
        detail = {
            "sha256": recording.sha256,
            "size": recording.size,
            "number": recording.number,
            "state": recording.state,
            "reason": recording.reason,
        }
        event = audit.Event(audit.Actor.of(who), "recording.stored", "recording", recording_id, detail)
        audit.record(session, event)
        receipt = service.receipt_out(session, recording)
    server.blobs.drop_parts(found.id)
    return receipt


def _assemble(server: Server, upload: Upload) -> Findings:
    numbers = list(service.part_sizes(upload.size, upload.part_size))
    try:
        made = server.blobs.assemble(upload.id, numbers, upload.sha256)
    except StagedPartMissing as error:
        # Either another request has just completed it, or the staging folder was lost: the seat asks again and
        # sees which.
        if not _is_stored(server, upload.recording_id):
            _start_again(server, upload)
        raise Problem(409, "conflict", "The upload changed in the meantime; ask again.") from error
    if (made.sha256, made.size) != (upload.sha256, upload.size):
        _start_again(server, upload)
        raise Problem(422, "checksum", "The whole file is not what its manifest says; send it again.")
    with server.checks, server.blobs.open(upload.sha256) as file:
        return examine(file, upload.manifest, server.keys.store)


def _is_stored(server: Server, recording_id: str) -> bool:
    with server.db.read() as session:
        return session.get(Recording, recording_id) is not None


def _start_again(server: Server, upload: Upload) -> None:
    with server.db.write() as session:
        service.forget_parts(session, upload.id)
    server.blobs.drop_parts(upload.id)
