"""The change sequence and the operations that were taken."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from collection_server.db import Base, Id


class ChangeCounter(Base):
    """One row: the last number given out. Its row lock puts writers in order until they commit."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


class Change(Base):
    """That an object changed, for the user ``scope`` who holds (or, for ``delete``, held) its case."""

    __tablename__ = "changes"
    __table_args__ = (Index(None, "scope", "seq"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8))
    object_id: Mapped[str] = mapped_column(Id)
    op: Mapped[str] = mapped_column(String(8))
    scope: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    at: Mapped[datetime]


class ChangeHole(Base):
    """Numbers that this database never gave out: it was restored from a back-up and went on far ahead, so that a
    seat which had seen more than the back-up holds is told to start again.
    """

    __tablename__ = "change_holes"

    last_before: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    resumed_at: Mapped[int] = mapped_column(BigInteger)


class Operation(Base):
    """An operation that was done, so that a repeat can be told from a reuse of its id."""

    __tablename__ = "operations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(16))
    content_sha256: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime]
