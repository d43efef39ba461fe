"""Accounts, seats and their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class User(Base):
    """An account. Disabled rather than deleted: notes and the audit log name it."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    team: Mapped[str] = mapped_column(String(64), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Seat(Base):
    """A desktop, known by the Ed25519 key it showed at its first sign-in."""

    __tablename__ = "seats"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    enrolled_at: Mapped[datetime]
    enrolled_by: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))


class UserSession(Base):
    """A signed-in user at a seat. Of the token only the SHA-256 is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id", "seat_id"),)

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    seat_id: Mapped[str] = mapped_column(String(64), ForeignKey("seats.id"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInFailures(Base):
    """Wrong attempts in a row for a login, known or not. Hashed, because people type passwords into the wrong
    field.
    """

    __tablename__ = "sign_in_failures"

    login_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    wrong: Mapped[int]
    last_at: Mapped[datetime]
