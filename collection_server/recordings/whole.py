"""``/v1/recordings/{id}/whole``: a recording that is one part, with its manifest, in one request."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from collection_server.audit import service as audit
from collection_server.auth.principal import Principal
from collection_server.canonical import sha256_hex
from collection_server.context import Server, ServerDep
from collection_server.problems import Problem, bad_request
from collection_server.recordings import service, staging
from collection_server.recordings.schemas import Manifest, ReceiptOut
from collection_server.recordings.uploads import Uploader, keep
from collection_server.schemas import UuidText
from collection_server.storage import Staging

router = APIRouter(tags=["recordings"])

MANIFEST_LIMIT = 32_768
"""Characters of base64. What is longer is announced."""


@router.put(
    "/recordings/{recording_id}/whole",
    summary="Send a small recording at once",
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def put_whole(
    recording_id: UuidText,
    request: Request,
    server: ServerDep,
    who: Uploader,
    x_manifest: Annotated[str, Header(max_length=MANIFEST_LIMIT, description="Base64 of the manifest's JSON")],
) -> ReceiptOut:
    """The sealed file is the body, at most ``part_size`` bytes. Sent again it gives the same receipt."""
    manifest = _manifest(x_manifest)
    if manifest.recording_id != recording_id or manifest.kind == "N":
        raise bad_request("header.X-Manifest: not of the recording of the path")
    if manifest.size > min(server.settings.upload_part_size, server.settings.max_recording_bytes):
        raise Problem(413, "too_large", "The recording is to be announced and sent in parts.")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > manifest.size:
            raise Problem(413, "too_large", "The file is larger than its manifest says.")
    return await run_in_threadpool(_store, server, who, manifest, bytes(data))


def _manifest(text: str) -> Manifest:
    try:
        return Manifest.model_validate_json(base64.b64decode(text, validate=True))
    except (binascii.Error, ValidationError, ValueError) as error:
        raise bad_request("header.X-Manifest: not a manifest") from error


def _store(server: Server, who: Principal, manifest: Manifest, data: bytes) -> ReceiptOut:
    known = _known(server, who, manifest)
    if known is not None:
        return known
    if len(data) != manifest.size or sha256_hex(data) != manifest.sha256:
        raise Problem(422, "checksum", "The file is not what its manifest says; send it again.")
    upload = service.new_upload(who, manifest, server.settings.upload_part_size, server.clock())
    begun = Staging(upload.id, server.blobs.begin(upload.id))
    server.blobs.put_part(begun, 1, data, manifest.sha256)
    findings = staging.assemble(server, upload, begun, {1: manifest.sha256})
    announced = None
    with server.db.write() as session:
        stored, announced = service.find_known(session, who, manifest)
        if stored is None:
            stored = keep(session, server, who, announced or upload, findings)
        receipt = service.receipt_out(session, stored)
    server.blobs.drop_parts(begun)
    if announced is not None:
        server.blobs.drop_parts(staging.staging_of(announced))
    return receipt


def _known(server: Server, who: Principal, manifest: Manifest) -> ReceiptOut | None:
    """The receipt of a recording that is stored. Raises what announcing it would, and notes the refusal."""
    try:
        with server.db.read() as session:
            stored, _ = service.find_known(session, who, manifest)
            return service.receipt_out(session, stored) if stored is not None else None
    except Problem as problem:
        detail = {"code": problem.code}
        with server.db.write() as session:
            event = audit.Event(audit.Actor.of(who), "recording.refused", "recording", manifest.recording_id, detail)
            audit.record(session, event)
        raise
