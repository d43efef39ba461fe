"""Taking uploads: announcing, parts, completing, receipts."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from collection_server.auth.principal import Principal
from collection_server.auth.tables import Seat
from collection_server.canonical import NotCanonical, canonical_json
from collection_server.evidence import service as evidence
from collection_server.problems import Problem, not_found
from collection_server.recordings.check import Findings
from collection_server.recordings.schemas import Manifest, ReceiptOut
from collection_server.recordings.tables import Recording, Upload, UploadPart


def part_sizes(size: int, part_size: int) -> dict[int, int]:
    """Number, from 1, and size of each part of a file."""
    count = -(-size // part_size)
    return {n: min(part_size, size - (n - 1) * part_size) for n in range(1, count + 1)}


def announce(
    session: Session, who: Principal, manifest: Manifest, part_size: int, now: datetime
) -> tuple[Upload | None, Recording | None, Upload | None]:
    """The upload to go on with, or the recording when it is stored; third, an upload whose parts are to be
    dropped.

    Raises 403 (another seat's recording), 422 ``bad_signature``, 409 ``conflict`` or ``number_reused``.
    """
    stored, found = find_known(session, who, manifest)
    if stored is not None:
        return None, stored, None
    if found is not None and (found.sha256, found.size) == (manifest.sha256, manifest.size):
        return found, None, None
    dropped = found
    if found is not None:  # sealed anew by the seat: what was sent of the old file is of no use
        session.delete(found)
        session.flush()
    upload = new_upload(who, manifest, part_size, now)
    session.add(upload)
    session.flush()
    return upload, None, dropped


def find_known(session: Session, who: Principal, manifest: Manifest) -> tuple[Recording | None, Upload | None]:
    """The recording, when it is stored, or the upload of it that is under way. Raises as ``announce``."""
    check_signature(session, who, manifest)
    stored = session.get(Recording, manifest.recording_id)
    if stored is not None:
        if (stored.sha256, stored.size, stored.seat_id) != (manifest.sha256, manifest.size, manifest.seat_id):
            raise Problem(409, "conflict", "This recording is stored with other content.", keep=True)
        return stored, None
    _check_number(session, manifest)
    evidence.refuse_voided(session, manifest.as_signed())
    found = session.scalars(select(Upload).where(Upload.recording_id == manifest.recording_id)).one_or_none()
    if found is not None and found.seat_id != manifest.seat_id:
        raise Problem(409, "conflict", "Another seat is uploading this recording.", keep=True)
    return None, found


def new_upload(who: Principal, manifest: Manifest, part_size: int, now: datetime) -> Upload:
    """Of this manifest, not yet in the books."""
    return Upload(
        id=str(uuid.uuid4()),
        recording_id=manifest.recording_id,
        seat_id=manifest.seat_id,
        number=manifest.number,
        size=manifest.size,
        sha256=manifest.sha256,
        part_size=part_size,
        store_reference="",
        manifest=manifest.as_signed(),
        created_at=now,
        created_by=who.user_id,
    )


def check_signature(session: Session, who: Principal, manifest: Manifest) -> None:
    """Raises 403 or 422 unless the seat that is asking signed exactly this manifest."""
    if manifest.seat_id != who.seat_id:
        raise Problem(403, "forbidden", "This recording is another seat's.", keep=True)
    seat = session.get_one(Seat, who.seat_id)
    body = manifest.as_signed()
    try:
        signature = base64.b64decode(body.pop("signature"), validate=True)
        VerifyKey(seat.public_key).verify(canonical_json(body), signature)
    except (CryptoError, ValueError, TypeError, NotCanonical) as error:
        raise Problem(422, "bad_signature", "The manifest is not signed by this seat.", keep=True) from error


def _check_number(session: Session, manifest: Manifest) -> None:
    for table, own_id in ((Recording, Recording.id), (Upload, Upload.recording_id)):
        taken = select(own_id).where(
            table.seat_id == manifest.seat_id, table.number == manifest.number, own_id != manifest.recording_id
        )
        if session.scalars(taken).first() is not None:
            raise Problem(409, "number_reused", "The seat's number belongs to another recording.", keep=True)


def received_parts(session: Session, upload: Upload) -> dict[int, str]:
    """Number and SHA-256 of the parts that came through this server."""
    query = select(UploadPart.number, UploadPart.sha256).where(UploadPart.upload_id == upload.id)
    return dict(session.execute(query.order_by(UploadPart.number)).tuples().all())


def keep_reference(session: Session, upload_id: str, reference: str) -> str:
    """The store's reference of an upload: the one that was kept first."""
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        raise not_found("upload")  # completed by another request in the meantime
    upload.store_reference = upload.store_reference or reference
    return upload.store_reference


def find_upload(session: Session, who: Principal, upload_id: str) -> Upload:
    """Raises 404, also for another seat's upload."""
    upload = session.get(Upload, upload_id)
    if upload is None or upload.seat_id != who.seat_id:
        raise not_found("upload")
    return upload


def note_part(session: Session, upload_id: str, number: int, size: int, sha256: str) -> None:
    if session.get(Upload, upload_id) is None:
        raise not_found("upload")  # completed by another request in the meantime
    part = session.get(UploadPart, (upload_id, number))
    if part is None:
        session.add(UploadPart(upload_id=upload_id, number=number, size=size, sha256=sha256))
    else:
        part.size, part.sha256 = size, sha256


def forget_parts(session: Session, upload_id: str) -> None:
    """The upload begins again."""
    session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id))
    session.execute(update(Upload).where(Upload.id == upload_id).values(store_reference=""))


def to_complete(session: Session, who: Principal, recording_id: str) -> Upload | Recording:
    """The upload, or the recording when it is stored. Raises 404."""
    stored = session.get(Recording, recording_id)
    if stored is not None and stored.seat_id == who.seat_id:
        return stored
    upload = session.scalars(
        select(Upload).where(Upload.recording_id == recording_id, Upload.seat_id == who.seat_id)
    ).one_or_none()
    if upload is None:
        raise not_found("upload")
    return upload


def check_whole(upload: Upload, received: Collection[int]) -> None:
    """Raises 409 ``incomplete``."""
    missing = sorted(set(part_sizes(upload.size, upload.part_size)) - set(received))
    if missing:
        raise Problem(409, "incomplete", f"{len(missing)} parts are missing.", extra={"missing": missing[:1000]})


def store(
    session: Session, who: Principal, upload: Upload, found: Findings, now: datetime, receipt_key: SigningKey
) -> Recording:
    """Turn an upload whose bytes are stored into a recording with its receipt."""
    manifest = upload.manifest
    recording = Recording(
        id=upload.recording_id,
        call_id=manifest["call_id"],
        seat_id=upload.seat_id,
        number=upload.number,
        kind=manifest["kind"],
        size=upload.size,
        sha256=upload.sha256,
        manifest=manifest,
        direction=found.direction,
        started_at=datetime.fromisoformat(manifest["started_at"]),
        rate=found.rate,
        samples=found.samples,
        lost_frames=found.lost_frames,
        codec=found.codec,
        left_dbfs=found.left_dbfs,
        right_dbfs=found.right_dbfs,
        state=found.state,
        reason=found.reason,
        stored_at=now,
        stored_by=who.user_id,
        receipt_signature="",
    )
    session.execute(delete(UploadPart).where(UploadPart.upload_id == upload.id))
    session.execute(delete(Upload).where(Upload.id == upload.id))
    recording.receipt_signature = evidence.append_stored(session, recording, found, now, receipt_key)["signature"]
    return recording


def receipt_out(session: Session, recording: Recording) -> ReceiptOut:
    """The recording's receipt; of one that was stored before there was a chain, the shorter one that it got then."""
    receipt = evidence.receipt_of(session, recording.id) or _first_receipt(recording)
    return ReceiptOut.model_validate(receipt)


def _first_receipt(recording: Recording) -> dict[str, Any]:
    stored_at = recording.stored_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {
        "recording_id": recording.id,
        "sha256": recording.sha256,
        "size": recording.size,
        "stored_at": stored_at,
        "signature": recording.receipt_signature,
    }
