"""The audit log on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from collection_server.schemas import Model, Time, UuidOrEmpty


class AuditEntryOut(Model):
    seq: int
    at: Time
    user_id: UuidOrEmpty
    seat_id: str
    ip: str
    action: str
    object_kind: str
    object_id: str
    detail: dict[str, Any]
    prev_hash: str
    hash: str


class AuditOut(Model):
    entries: list[AuditEntryOut]
    next: str = Field(description="Cursor of the next page, or empty")
