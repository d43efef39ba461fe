"""Calls on the wire."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from collection_server.canonical import canonical_json
from collection_server.schemas import Model, Text, Time, UuidOrEmpty, UuidText

MAX_QUALITY_BYTES = 4096
Direction = Literal["outbound", "inbound"]


class CallOut(Model):
    id: UuidText
    case_id: UuidOrEmpty
    contact_id: UuidOrEmpty
    agent_id: UuidText
    line_id: str
    direction: Direction
    number: str
    started_at: Time
    answered_at: Time | None
    ended_at: Time
    cause: str
    sip_code: int
    talk_ms: int
    recording_id: UuidOrEmpty
    quality: dict[str, Any]


class CallIn(Model):
    """Data of ``call.add``."""

    id: UuidText
    case_id: UuidOrEmpty = ""
    contact_id: UuidOrEmpty = ""
    agent_id: UuidText
    line_id: Text = Field(max_length=64)
    direction: Direction
    number: Text = Field(max_length=64)
    started_at: Time
    answered_at: Time | None = None
    ended_at: Time
    cause: str = Field(pattern="^[a-z_]{1,16}$")
    sip_code: int = Field(default=0, ge=0, le=999)
    talk_ms: int = Field(ge=0, le=7 * 24 * 3_600_000)
    recording_id: UuidOrEmpty = ""
    quality: dict[str, Any] = Field(default_factory=dict)

    @field_validator("quality")
    @classmethod
    def _small(cls, quality: dict[str, Any]) -> dict[str, Any]:
        encoded = canonical_json(quality)
        if len(encoded) > MAX_QUALITY_BYTES or b"\\u0000" in encoded:
            raise ValueError("too long")
        return quality

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ended_at < self.started_at:
            raise ValueError("ended before it started")
        if self.answered_at is not None and not self.started_at <= self.answered_at <= self.ended_at:
            raise ValueError("answered before it started or after it ended")
        return self
