"""How long recordings are kept, what must not be destroyed, and what was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class RetentionRule(Base):
    """Days that recordings of a client's cases are kept, from the moment the store signed for them. ``client``
    empty: the rule of every client that has none of its own.
    """

    __tablename__ = "retention_rules"

    client: Mapped[str] = mapped_column(String(80), primary_key=True)
    days: Mapped[int]
    set_by: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    set_at: Mapped[datetime]


class LegalHold(Base):
    """Nothing that it covers is destroyed until it is released. ``scope``: ``client`` (key: its name), ``case``
    (its number) or ``recording`` (its id).
    """

    __tablename__ = "legal_holds"
    __table_args__ = (Index(None, "scope", "key"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(200))
    placed_by: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    placed_at: Mapped[datetime]
    released_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id"))
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str] = mapped_column(String(200))


class Destruction(Base):
    """That a recording's bytes are to go (``destroying``: decided, perhaps gone) or are gone (``destroyed``).

    ``record`` is the signed record of it, as it stands in the chain of evidence.
    """

    __tablename__ = "destructions"
    __table_args__ = (Index(None, "decided_at", "recording_id"),)

    recording_id: Mapped[str] = mapped_column(Id, ForeignKey("recordings.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    client: Mapped[str] = mapped_column(String(80))
    rule_client: Mapped[str] = mapped_column(String(80))
    rule_days: Mapped[int]
    rule_set_by: Mapped[str] = mapped_column(Id)
    due_at: Mapped[datetime]
    decided_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]
    """Until when the store itself refuses (Object Lock)."""
    destroyed_at: Mapped[datetime | None]
    record: Mapped[dict[str, Any] | None]


class StoreGuard(Base):
    """One row. Its lock puts holds, decisions to destroy and the beginning of a backup in order; while a backup
    runs (``backup_until`` is ahead) nothing is decided to be destroyed.
    """

    __tablename__ = "store_guard"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    backup_until: Mapped[datetime | None]
    backup_by: Mapped[str] = mapped_column(String(36))


class Duty(Base):
    """Something that one of the server's processes does from time to time; see ``duties.py``."""

    __tablename__ = "duties"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(String(200))
