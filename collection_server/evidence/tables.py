"""What the store has countersigned, in one chain, and what is to be looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class ChainEntry(Base):
    """One countersigned statement; append-only (a trigger refuses anything else).

    ``signature`` is over the canonical JSON of ``body``. ``hash`` is over the entry's link: see ``chain.link_hash``.
    ``seat_prev_hash`` is the ``hash`` of the same seat's entry before, so that a seat's numbers can be shown without
    every other seat's entries in between.
    """

    __tablename__ = "evidence_chain"
    __table_args__ = (
        Index(None, "seat_id", "seq"),
        Index(None, "seat_id", "number"),
        Index(None, "recording_id", "kind"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16))
    recording_id: Mapped[str | None] = mapped_column(Id)
    seat_id: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(BigInteger)
    """The seat's number; 0 for an entry that is not of one recording."""
    body: Mapped[dict[str, Any]]
    prev_hash: Mapped[str] = mapped_column(String(64))
    seat_prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(88))


class EvidenceHead(Base):
    """One row: the end of the chain. Its row lock puts writers in order until they commit."""

    __tablename__ = "evidence_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime]
    """When the chain began: what happened before cannot be held against it."""


class RecordingPieces(Base):
    """SHA-256 digests, 32 bytes each, of a sealed file's header and pieces as they came: says later which piece
    was changed. Append-only.
    """

    __tablename__ = "evidence_pieces"

    recording_id: Mapped[str] = mapped_column(Id, ForeignKey("recordings.id"), primary_key=True)
    digests: Mapped[bytes] = mapped_column(LargeBinary)


class Alarm(Base):
    """Something that is not as it should be. ``kind``: ``gap`` (a seat's number is missing), ``void`` (the seat says
    that a number has no audio), ``no_recording`` (a call was talked and has none), ``failed`` (stored, but does not
    open). One for each subject; closed by a person, or by itself when the number arrives.
    """

    __tablename__ = "evidence_alarms"
    __table_args__ = (UniqueConstraint("kind", "seat_id", "number", "subject"), Index(None, "closed_at", "found_at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    seat_id: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(36))
    """Recording or call, or empty where the number says it all."""
    recording_id: Mapped[str | None] = mapped_column(Id)
    call_id: Mapped[str | None] = mapped_column(Id)
    found_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id"))
    remark: Mapped[str] = mapped_column(String(500), default="")
