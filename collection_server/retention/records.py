"""Signed records of holds, releases and destructions, in the chain of evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nacl.signing import SigningKey
from sqlalchemy.orm import Session

from collection_server.evidence import chain
from collection_server.evidence.chain import Subject
from collection_server.recordings.tables import Recording


def append(
    session: Session, kind: str, recording: Recording | None, facts: dict[str, Any], now: datetime, key: SigningKey
) -> dict[str, Any]:
    """The signed entry, about ``recording`` or about more than one (None). Locks the chain until the commit."""
    session.flush()
    subject = Subject(recording.id, recording.seat_id, recording.number) if recording is not None else Subject()
    return chain.signed(chain.append(session, kind, subject, facts, now, key))
