"""Cases, the people to call about them, and who has been given them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class Case(Base):
    """One debt given to us to collect. Amounts in minor units of ``currency``."""

    __tablename__ = "cases"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    client: Mapped[str] = mapped_column(String(80))
    product: Mapped[str] = mapped_column(String(80))
    batch: Mapped[str] = mapped_column(String(40))
    debtor_id: Mapped[str] = mapped_column(Id, index=True)
    """The same for all cases of one debtor (共案)."""
    debtor_name: Mapped[str] = mapped_column(String(80), index=True)
    debtor_sex: Mapped[str] = mapped_column(String(8))
    debtor_age: Mapped[int | None]
    id_number_masked: Mapped[str] = mapped_column(String(32))
    account_tail: Mapped[str] = mapped_column(String(8))
    stage: Mapped[str] = mapped_column(String(4))
    days_overdue: Mapped[int]
    due_back: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    total: Mapped[int] = mapped_column(BigInteger)
    principal: Mapped[int] = mapped_column(BigInteger)
    minimum_due: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[int] = mapped_column(BigInteger)
    relief: Mapped[str] = mapped_column(String(200))
    owner_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id"), index=True)
    last_contact_at: Mapped[datetime | None]
    next_follow_up_at: Mapped[datetime | None]


class Contact(Base):
    """Somebody who can be called about a case. ``state_at`` and ``state_by`` decide between two edits."""

    __tablename__ = "contacts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    relation: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(24), index=True)
    source: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    state_at: Mapped[datetime | None]
    state_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id"))


class CaseAccess(Base):
    """That a case was given to a user: ``assigned``, or shown by a ``lookup``. Kept when it is moved away."""

    __tablename__ = "case_access"

    case_id: Mapped[str] = mapped_column(Id, ForeignKey("cases.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime]
