"""Does a recording in the store still prove what it proved: its bytes, its inside, the seat's word and the store's?"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.auth.tables import Seat
from collection_server.canonical import NotCanonical, canonical_json
from collection_server.context import Server
from collection_server.evidence.service import manifest_sha256
from collection_server.evidence.tables import RecordingPieces
from collection_server.recordings.check import examine
from collection_server.recordings.service import receipt_out
from collection_server.recordings.tables import Recording
from collection_server.storage import BlobMissing

_CHUNK = 1024 * 1024


def problem_of(session: Session, server: Server, recording: Recording) -> str:
    """The first thing that does not hold, or the empty string: ``missing``, ``damaged``, ``seat_signature``,
    ``receipt``, ``pieces`` (not those that were countersigned), ``state`` (it opens otherwise than it did).
    """
    seat = session.get_one(Seat, recording.seat_id)
    manifest = dict(recording.manifest)
    if not _is_signed(manifest, seat.public_key) or manifest["sha256"] != recording.sha256:
        return "seat_signature"
    receipt = receipt_out(session, recording).model_dump(exclude_unset=True)
    if not _is_receipt(receipt, recording, bytes(server.keys.receipt.verify_key)):
        return "receipt"
    try:
        with server.blobs.open(recording.sha256) as file:
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            if digest.hexdigest() != recording.sha256 or file.tell() != recording.size:
                return "damaged"
            file.seek(0)
            found = examine(file, manifest, server.keys.store)
    except BlobMissing:
        return "missing"
    if (found.state, found.reason, found.samples) != (recording.state, recording.reason, recording.samples):
        return "state"
    pieces = session.get(RecordingPieces, recording.id)
    return "pieces" if pieces is not None and pieces.digests != found.digests else ""


def problems(session: Session, server: Server) -> Iterator[tuple[str, str]]:
    """Id and problem of every recording, sound ones (with the empty string) too, destroyed ones left out."""
    live = select(Recording).where(Recording.destroyed_at.is_(None)).order_by(Recording.stored_at, Recording.id)
    for recording in session.scalars(live.execution_options(yield_per=100)):
        yield recording.id, problem_of(session, server, recording)


def _is_receipt(receipt: dict[str, Any], recording: Recording, receipt_key: bytes) -> bool:
    named = (receipt["recording_id"], receipt["sha256"], receipt["size"])
    if named != (recording.id, recording.sha256, recording.size):
        return False
    if receipt.get("manifest_sha256", manifest_sha256(recording.manifest)) != manifest_sha256(recording.manifest):
        return False
    return _is_signed(dict(receipt), receipt_key)


def _is_signed(body: dict[str, Any], key: bytes) -> bool:
    try:
        signature = base64.b64decode(body.pop("signature"), validate=True)
        VerifyKey(key).verify(canonical_json(body), signature)
    except (CryptoError, ValueError, TypeError, KeyError, NotCanonical):
        return False
    return True
