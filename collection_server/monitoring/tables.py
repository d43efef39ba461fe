"""What each seat is doing now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class SeatState(Base):
    """The latest state that a seat reported. ``since`` is when ``state`` or the call changed."""

    __tablename__ = "seat_states"

    seat_id: Mapped[str] = mapped_column(String(64), ForeignKey("seats.id"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]
    updated_at: Mapped[datetime]
    call_id: Mapped[str | None] = mapped_column(Id)
    case_id: Mapped[str | None] = mapped_column(Id)
    line_state: Mapped[str] = mapped_column(String(16))
    line_uri: Mapped[str] = mapped_column(String(200))
    recording: Mapped[bool]
    recording_problem: Mapped[str] = mapped_column(String(32))
