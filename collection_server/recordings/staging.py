"""Parts on their way, between the server's books and its store."""

from __future__ import annotations

from collections.abc import Mapping

from collection_server.context import Server
from collection_server.problems import Problem
from collection_server.recordings import service
from collection_server.recordings.check import Findings, examine
from collection_server.recordings.tables import Recording, Upload
from collection_server.storage import Assembled, StagedPartMissing, Staging


def staging_of(upload: Upload) -> Staging:
    return Staging(upload.id, upload.store_reference)


def begun(server: Server, upload: Upload) -> Staging:
    """The upload as its store knows it, made known to it first where that is needed."""
    if upload.store_reference or server.blobs.kind == "disk":
        return staging_of(upload)
    ours = server.blobs.begin(upload.id)  # asks the network: no transaction is open
    with server.db.write() as session:
        kept = service.keep_reference(session, upload.id, ours)
    if kept != ours:  # two requests at once
        server.blobs.drop_parts(Staging(upload.id, ours))
    return Staging(upload.id, kept)


def received(server: Server, upload: Upload, noted: Mapping[int, str]) -> dict[int, str]:
    """Number and SHA-256 (empty where it is not known) of the parts that are there.

    An upload that the store does not know any more begins again: none are.
    """
    sizes = service.part_sizes(upload.size, upload.part_size)
    try:
        there = server.blobs.received(staging_of(upload), sizes, upload.sha256)
    except StagedPartMissing:
        start_again(server, upload)
        return {}
    return dict(noted) if there is None else {number: noted.get(number, "") for number in sorted(there)}


def assemble(server: Server, upload: Upload, begun: Staging, parts: Mapping[int, str]) -> Findings:
    """Join the parts, store them, and say what is inside. Raises 409 ``conflict``, 422 ``checksum``."""
    try:
        made = server.blobs.assemble(begun, parts, upload.sha256)
    except StagedPartMissing as error:
        # Either another request has just completed it, or the staging folder was lost: the seat asks again and
        # sees which.
        if not _is_stored(server, upload.recording_id):
            start_again(server, upload)
        raise Problem(409, "conflict", "The upload changed in the meantime; ask again.") from error
    if (made.sha256, made.size) != (upload.sha256, upload.size):
        start_again(server, upload)
        raise Problem(422, "checksum", "The whole file is not what its manifest says; send it again.")
    return _look_inside(server, upload, made)


def _look_inside(server: Server, upload: Upload, made: Assembled) -> Findings:
    with made.file or server.blobs.open(upload.sha256) as file, server.checks:
        return examine(file, upload.manifest, server.keys.store)


def start_again(server: Server, upload: Upload) -> None:
    """Forget what was sent."""
    with server.db.write() as session:
        service.forget_parts(session, upload.id)
    server.blobs.drop_parts(staging_of(upload))


def _is_stored(server: Server, recording_id: str) -> bool:
    with server.db.read() as session:
        return session.get(Recording, recording_id) is not None
