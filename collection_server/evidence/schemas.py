"""The chain and its alarms on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from collection_server.schemas import Model, Text, Time, UuidOrEmpty, UuidText


class ChainLinkOut(Model):
    body: dict[str, Any] = Field(description="What was signed: a receipt, or another statement")
    signature: str = Field(description="Base64 Ed25519 by the receipt key over the canonical JSON of the body")
    body_sha256: str
    hash: str


class ChainOut(Model):
    entries: list[ChainLinkOut]
    head_seq: int
    head_hash: str


class AlarmOut(Model):
    id: UuidText
    kind: Literal["gap", "void", "no_recording", "failed"]
    seat_id: str
    number: int
    recording_id: UuidOrEmpty
    call_id: UuidOrEmpty
    found_at: Time
    closed_at: Time | None
    closed_by: UuidOrEmpty
    remark: str


class AlarmsOut(Model):
    alarms: list[AlarmOut]
    open: int


class CloseBody(Model):
    remark: Text = Field(min_length=1, max_length=500, description="What was found out")
