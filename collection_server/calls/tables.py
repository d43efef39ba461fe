"""Calls, as the seats' line processes reported them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class Call(Base):
    """One call. ``recording_id`` may name a recording that has not arrived yet."""

    __tablename__ = "calls"
    __table_args__ = (Index(None, "agent_id", "started_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str | None] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    contact_id: Mapped[str | None] = mapped_column(Id)
    agent_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    line_id: Mapped[str] = mapped_column(String(64))
    direction: Mapped[str] = mapped_column(String(8))
    number: Mapped[str] = mapped_column(String(64), index=True)
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]
    received_at: Mapped[datetime]
    cause: Mapped[str] = mapped_column(String(16))
    sip_code: Mapped[int]
    talk_ms: Mapped[int]
    recording_id: Mapped[str | None] = mapped_column(Id, index=True)
    quality: Mapped[dict[str, Any]]
    not_owner: Mapped[bool] = mapped_column(default=False)
