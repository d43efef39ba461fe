"""``/v1/recordings``: finding, replaying, and who has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from collection_server.audit import service as audit
from collection_server.auth.permissions import Permission
from collection_server.auth.principal import Principal, SignedIn, refuse, require
from collection_server.context import Server, ServerDep
from collection_server.cursors import decode_cursor, encode_cursor
from collection_server.evidence.finalising import playable_blob
from collection_server.notes.schemas import Outcome
from collection_server.problems import Problem, bad_request, problem_response
from collection_server.recordings import search
from collection_server.recordings.audio import media_type, playable
from collection_server.recordings.envelope import Damaged
from collection_server.recordings.ranges import Unsatisfiable, parse_range
from collection_server.recordings.schemas import AccessesOut, RecordingsOut
from collection_server.recordings.tables import Recording
from collection_server.schemas import Text, Time, UuidText
from collection_server.storage import BlobMissing

router = APIRouter(tags=["recordings"])

Searcher = Annotated[Principal, Depends(require(Permission.RECORDINGS_SEARCH))]
Reviewer = Annotated[Principal, Depends(require(Permission.RECORDINGS_ACCESSES))]


@router.get("/recordings", summary="Find recordings")
def list_recordings(
    server: ServerDep,
    who: Searcher,
    text: Annotated[Text, Query(max_length=100)] = "",
    since: Annotated[Time | None, Query()] = None,
    until: Annotated[Time | None, Query()] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    min_seconds: Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)] = 0.0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> RecordingsOut:
    """Newest first. ``text``: agent, case number, debtor's name or last digits of a number."""
    wanted = search.Conditions(text, since, until, outcome, min_seconds)
    with server.db.write() as session:
        rows = search.search(session, who, wanted, limit + 1, _position(cursor))
        page = rows[:limit]
        detail = {"conditions": wanted.given(), "rows": len(page)}
        audit.record(session, audit.Event(audit.Actor.of(who), "recordings.searched", detail=detail))
    last = page[-1] if len(rows) > limit else None
    return RecordingsOut(recordings=page, next=encode_cursor(last.started_at.isoformat(), last.id) if last else "")


def _position(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    at, recording_id = decode_cursor(cursor, 2)
    try:
        start = datetime.fromisoformat(str(at))
    except ValueError as error:
        raise bad_request("query.cursor: not a cursor of this server") from error
    if start.tzinfo is None:
        raise bad_request("query.cursor: not a cursor of this server")
    return start, str(recording_id)


@router.get("/recordings/{recording_id}/accesses", summary="Who replayed or exported it")
def list_accesses(recording_id: UuidText, server: ServerDep, who: Reviewer) -> AccessesOut:
    with server.db.read() as session:
        search.find_recording(session, who, recording_id)
        return AccessesOut(accesses=search.accesses(session, recording_id))


@router.get(
    "/recordings/{recording_id}/audio",
    summary="The decrypted audio",
    response_class=Response,
    responses={200: {"content": {"audio/ogg": {}, "audio/flac": {}}}, 206: {"content": {"audio/ogg": {}}}},
)
def replay(
    recording_id: UuidText,
    request: Request,
    server: ServerDep,
    who: SignedIn,
    export: Annotated[bool, Query()] = False,
    range_header: Annotated[str | None, Header(alias="Range")] = None,
) -> Response:
    """Two channels, agent left. Every request is in the audit log before a byte leaves."""
    permission = Permission.RECORDINGS_EXPORT if export else Permission.RECORDINGS_REPLAY
    if not who.may(permission):
        refuse(server, who, str(permission), request.method)
    with server.db.read() as session:
        recording = search.find_recording(session, who, recording_id)
        blob = playable_blob(session, recording)
    audio = _decrypt(server, recording, blob)
    try:
        part = parse_range(range_header, len(audio))
    except Unsatisfiable:
        headers = {"Content-Range": f"bytes */{len(audio)}"}
        return problem_response(416, "bad_range", "The range begins behind the end.", headers=headers)
    detail = {"bytes": [part[0], part[1]]} if part else {"bytes": [0, len(audio)]}
    action = "recording.exported" if export else "recording.replayed"
    with server.db.write() as session:
        audit.record(session, audit.Event(audit.Actor.of(who), action, "recording", recording_id, detail))
    return _audio_response(recording, audio, part, export)


def _decrypt(server: Server, recording: Recording, blob: str) -> bytes:
    if recording.destroyed_at is not None:
        raise Problem(410, "destroyed", "The recording was destroyed at the end of its retention.")
    if recording.state == "failed":
        raise Problem(409, "damaged", "The recording cannot be decoded.", extra={"reason": recording.reason})

    def load() -> bytes:
        with server.blobs.open(blob) as file:
            return playable(file, server.keys.store)

    try:
        return server.audio_cache.get(recording.id, load)
    except (Damaged, BlobMissing) as error:
        raise Problem(409, "damaged", "The stored recording is damaged or gone.") from error


def _audio_response(recording: Recording, audio: bytes, part: tuple[int, int] | None, export: bool) -> Response:
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    kind = media_type(audio)
    if export:
        ending = kind.removeprefix("audio/")
        name = f"{recording.seat_id}-{recording.number}.{ending}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if part is None:
        return Response(audio, media_type=kind, headers=headers)
    headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{len(audio)}"
    return Response(audio[part[0] : part[1]], 206, media_type=kind, headers=headers)
