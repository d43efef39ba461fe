"""Notes and the promises made in them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from collection_server.db import Base, Id


class Note(Base):
    """Case note (催记). Append-only: a trigger refuses updates and deletes.

    ``call_id`` and ``contact_id`` are the seat's word: the call may arrive after its note.
    """

    __tablename__ = "notes"
    __table_args__ = (Index(None, "author_id", "created_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    call_id: Mapped[str | None] = mapped_column(Id, index=True)
    contact_id: Mapped[str | None] = mapped_column(Id)
    author_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    next_follow_up_at: Mapped[datetime | None]
    not_owner: Mapped[bool] = mapped_column(default=False)
    """Written by somebody who did not have the case when it arrived."""
    promise: Mapped[Promise | None] = relationship(back_populates="note", lazy="selectin")


class Promise(Base):
    """Promise to pay (承诺还款), made in one note."""

    __tablename__ = "promises"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    note_id: Mapped[str] = mapped_column(Id, ForeignKey("notes.id"), unique=True)
    case_id: Mapped[str] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    due: Mapped[date]
    state: Mapped[str] = mapped_column(String(8))
    note: Mapped[Note] = relationship(back_populates="promise")
