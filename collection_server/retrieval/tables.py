"""Batch retrieval: jobs, and the recordings each of them is to bring."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id, JsonColumn


class RetrievalJob(Base):
    """One package. ``state``: ``queued``, ``running``, ``done``, ``failed`` (``error`` says why), ``cancelled``
    or ``expired``.

    The package is sealed on disk under a key of its own, ``sealed_key``, which only the store's private key opens;
    ``size`` and ``sha256`` are those of the package as it is downloaded.
    """

    __tablename__ = "retrieval_jobs"
    __table_args__ = (Index(None, "created_by", "created_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    created_by: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    created_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(200))
    conditions: Mapped[dict[str, Any]]
    unknown_cases: Mapped[list[str]] = mapped_column(JsonColumn)
    state: Mapped[str] = mapped_column(String(16), index=True)
    error: Mapped[str] = mapped_column(String(32))
    total: Mapped[int]
    done: Mapped[int]
    attempts: Mapped[int]
    worker: Mapped[str] = mapped_column(String(36))
    """Who builds it; a worker not ``seen_at`` for a while is gone and another one begins anew."""
    seen_at: Mapped[datetime | None]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    sealed_key: Mapped[str] = mapped_column(String(128))
    finished_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    """When its recordings were noted as exported: before the first byte left."""
    expires_at: Mapped[datetime | None]


class RetrievalItem(Base):
    """A recording of a job, in the order of the index. ``state``: empty until it is in, then ``included``,
    ``damaged`` (bytes and evidence are in, the audio cannot be decoded), ``missing`` or ``destroyed``.
    """

    __tablename__ = "retrieval_items"

    job_id: Mapped[str] = mapped_column(Id, ForeignKey("retrieval_jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recording_id: Mapped[str] = mapped_column(Id, ForeignKey("recordings.id"))
    state: Mapped[str] = mapped_column(String(16))
