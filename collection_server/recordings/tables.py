"""Uploads in progress and recordings that are stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class Upload(Base):
    """A recording that a seat has announced and not yet completed."""

    __tablename__ = "uploads"
    __table_args__ = (UniqueConstraint("seat_id", "number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    recording_id: Mapped[str] = mapped_column(Id, unique=True)
    seat_id: Mapped[str] = mapped_column(String(64), ForeignKey("seats.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    part_size: Mapped[int] = mapped_column(BigInteger)
    """Of this upload, whatever the setting is by now."""
    store_reference: Mapped[str] = mapped_column(String(1024), default="", server_default="")
    """What an object store calls it, once it has been asked for addresses."""
    manifest: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))


class UploadPart(Base):
    """A part whose bytes are safely on disk."""

    __tablename__ = "upload_parts"

    upload_id: Mapped[str] = mapped_column(Id, ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class Recording(Base):
    """A stored recording: its sealed bytes are the blob ``sha256``.

    ``state``: ``verified``, ``recovered`` (a journal, as far as it goes) or ``failed`` (stored, but cannot be
    decoded in full; ``reason`` says why). The manifest is kept word for word with the seat's signature.
    """

    __tablename__ = "recordings"
    __table_args__ = (UniqueConstraint("seat_id", "number"), Index(None, "started_at", "id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    call_id: Mapped[str] = mapped_column(Id, index=True)
    seat_id: Mapped[str] = mapped_column(String(64), ForeignKey("seats.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(1))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    manifest: Mapped[dict[str, Any]]
    direction: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime]
    rate: Mapped[int]
    samples: Mapped[int] = mapped_column(BigInteger)
    lost_frames: Mapped[int]
    codec: Mapped[str] = mapped_column(String(8))
    left_dbfs: Mapped[float | None]
    right_dbfs: Mapped[float | None]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(32))
    stored_at: Mapped[datetime]
    stored_by: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    receipt_signature: Mapped[str] = mapped_column(String(88))
    destroyed_at: Mapped[datetime | None]
    """When its bytes were destroyed at the end of its retention; all else stays."""
