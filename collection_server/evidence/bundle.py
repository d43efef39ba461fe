"""What proves a set of recordings offline: docs/guides/evidence-bundle.md. The other side is ``recorder verify``."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collection_server.auth.tables import Seat
from collection_server.canonical import canonical_json
from collection_server.context import Server
from collection_server.evidence import chain
from collection_server.evidence.service import ADOPTED, DESTROYED, FINALISED, NUMBERED, STORED, VOIDED
from collection_server.evidence.tables import ChainEntry, RecordingPieces
from collection_server.recordings.audio import opened
from collection_server.recordings.envelope import Damaged
from collection_server.recordings.tables import Recording
from collection_server.storage import BlobMissing

FORM = "agent-desktop evidence bundle"
VERSION = 1
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A file of the bundle that is a blob as it lies in the store."""

    sha256: str
    size: int


File = tuple[str, bytes | BlobRef]


def bundle_files(session: Session, server: Server, recording_ids: Sequence[str]) -> Iterator[File]:
    """Name and content of each file, the set's own files first.

    Read now, while the session is open; only the audio is opened when its turn comes. Holds one recording's audio in
    memory at a time. Recordings that were never stored are left out.
    """
    wanted = list(session.scalars(select(Recording).where(Recording.id.in_(recording_ids)).order_by(Recording.id)))
    entries = _entries(session, [recording.id for recording in wanted])
    own = RecordingPieces.recording_id.in_([recording.id for recording in wanted])
    pieces = {found.recording_id: found.digests for found in session.scalars(select(RecordingPieces).where(own))}
    common = _common_files(session, server, wanted)
    return _files(server, common, wanted, entries, pieces)


def _files(
    server: Server,
    common: list[File],
    wanted: list[Recording],
    entries: dict[tuple[str, str], ChainEntry],
    pieces: dict[str, bytes],
) -> Iterator[File]:
    yield from common
    for recording in wanted:
        folder = recording.id
        yield f"{folder}/manifest.json", canonical_json(recording.manifest)
        receipt = entries.get((folder, STORED)) or entries.get((folder, ADOPTED))
        if receipt is not None:
            yield f"{folder}/receipt.json", canonical_json(chain.signed(receipt))
        if folder in pieces:
            yield f"{folder}/pieces.json", _piece_list(pieces[folder])
        for kind in (FINALISED, DESTROYED):
            if (folder, kind) in entries:
                yield f"{folder}/{kind}.json", canonical_json(chain.signed(entries[folder, kind]))
        if (folder, DESTROYED) not in entries and _is_there(server, recording.sha256):
            yield f"{folder}/recording.rec", BlobRef(recording.sha256, recording.size)
            yield from _opened_files(server, recording, entries.get((folder, FINALISED)))


def _is_there(server: Server, sha256: str) -> bool:
    try:
        server.blobs.stat(sha256)
    except BlobMissing:
        return False  # the bundle shows that it is gone
    return True


def _opened_files(server: Server, recording: Recording, finalised: ChainEntry | None) -> Iterator[File]:
    if recording.state == "failed":
        return
    blob = finalised.body["derived_sha256"] if finalised is not None else recording.sha256
    if finalised is None and recording.kind == "J":
        return  # nobody has signed for what would be encoded now
    try:
        with server.blobs.open(blob) as file:
            inside = opened(file, server.keys.store)
    except (Damaged, BlobMissing):
        return  # damaged since: the sealed file and its piece list show where
    if inside.facts is not None and recording.manifest.get("facts_sha256"):
        yield f"{recording.id}/facts.json", inside.facts
    if inside.audio:
        yield f"{recording.id}/audio.{'flac' if inside.audio[:4] == b'fLaC' else 'ogg'}", inside.audio


def _entries(session: Session, recording_ids: list[str]) -> dict[tuple[str, str], ChainEntry]:
    query = select(ChainEntry).where(ChainEntry.recording_id.in_(recording_ids)).order_by(ChainEntry.seq)
    return {(str(entry.recording_id), entry.kind): entry for entry in session.scalars(query)}


def _piece_list(digests: bytes) -> bytes:
    return canonical_json({"pieces": [digests[i : i + 32].hex() for i in range(0, len(digests), 32)]})


def _common_files(session: Session, server: Server, wanted: list[Recording]) -> list[File]:
    seats: dict[str, list[int]] = {}
    for recording in wanted:
        seats.setdefault(recording.seat_id, []).append(recording.number)
    links: list[Json] = []
    numbers: Json = {}
    ends: Json = {}
    ids = {recording.id for recording in wanted}
    for seat_id, own in sorted(seats.items()):
        found = _seat_entries(session, seat_id, min(own), max(own))
        ends[seat_id] = found[-1].hash if found else ""
        numbers[seat_id] = _numbers(found, min(own), max(own))
        links += [_shown(entry, whole=entry.recording_id in ids or entry is found[-1]) for entry in found]
    links.sort(key=lambda link: int(link["seq"]))
    return [
        ("bundle.json", _contents(server, session, wanted, ends)),
        ("chain.json", canonical_json({"links": links})),
        ("numbers.json", canonical_json({"seats": numbers})),
    ]


def _seat_entries(session: Session, seat_id: str, first: int, last: int) -> list[ChainEntry]:
    """The seat's entries from the first to the last one that accounts for a number between these."""
    inside = (ChainEntry.seat_id == seat_id, ChainEntry.number.between(first, last), ChainEntry.kind.in_(NUMBERED))
    low = select(func.min(ChainEntry.seq)).where(*inside).scalar_subquery()
    high = select(func.max(ChainEntry.seq)).where(*inside).scalar_subquery()
    query = select(ChainEntry).where(ChainEntry.seat_id == seat_id, ChainEntry.seq.between(low, high))
    return list(session.scalars(query.order_by(ChainEntry.seq)))


def _shown(entry: ChainEntry, *, whole: bool) -> Json:
    link = chain.link(entry)
    return link | {"body": entry.body, "signature": entry.signature} if whole else link


def _numbers(found: list[ChainEntry], first: int, last: int) -> Json:
    told = {
        "stored": sorted(e.number for e in found if e.kind in (STORED, ADOPTED) and first <= e.number <= last),
        "voided": sorted(e.number for e in found if e.kind == VOIDED and first <= e.number <= last),
    }
    present = {*told["stored"], *told["voided"]}
    return {"first": first, "last": last, **told, "missing": [n for n in range(first, last + 1) if n not in present]}


def _contents(server: Server, session: Session, wanted: list[Recording], ends: Json) -> bytes:
    seats = session.scalars(select(Seat).where(Seat.id.in_(ends)).order_by(Seat.id))
    body: Json = {
        "form": FORM,
        "version": VERSION,
        "made_at": chain.wire_time(server.clock()),
        "receipt_key": base64.b64encode(bytes(server.keys.receipt.verify_key)).decode(),
        "seats": {
            seat.id: {
                "public_key": base64.b64encode(seat.public_key).decode(),
                "enrolled_at": chain.wire_time(seat.enrolled_at),
                "last_hash": ends[seat.id],
            }
            for seat in seats
        },
        "recordings": [recording.id for recording in wanted],
    }
    signature = server.keys.receipt.sign(canonical_json(body)).signature
    return canonical_json({**body, "signature": base64.b64encode(signature).decode()})
