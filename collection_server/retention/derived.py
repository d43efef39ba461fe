"""Blobs that the store has made of a recording: they live and go with it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.evidence.service import FINALISED
from collection_server.evidence.tables import ChainEntry


def derived_blobs(session: Session, recording_id: str | None = None) -> dict[str, list[tuple[str, int]]]:
    """SHA-256 and size by recording; of all, or of one."""
    query = select(ChainEntry).where(ChainEntry.kind == FINALISED)
    if recording_id is not None:
        query = query.where(ChainEntry.recording_id == recording_id)
    found: dict[str, list[tuple[str, int]]] = {}
    for entry in session.scalars(query):
        if entry.recording_id is not None and "derived_sha256" in entry.body:
            made = (str(entry.body["derived_sha256"]), int(entry.body.get("derived_size", -1)))
            found.setdefault(entry.recording_id, []).append(made)
    return found
