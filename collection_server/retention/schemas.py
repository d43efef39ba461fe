"""Rules, holds and destructions on the wire."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from collection_server.retention.rules import SHORTEST_DAYS
from collection_server.schemas import Model, Text, Time, UuidOrEmpty, UuidText

Client = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=80)]
Reason = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class RuleIn(Model):
    client: Client = Field(description="A client's name; empty: every client without a rule of its own")
    days: int = Field(strict=True, ge=SHORTEST_DAYS, le=36_600)


class RuleOut(Model):
    client: str
    days: int
    set_by: UuidText
    set_at: Time


class RulesOut(Model):
    rules: list[RuleOut]


class HoldIn(Model):
    scope: Literal["client", "case", "recording"]
    key: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)] = Field(
        description="The client's name, the case's number or the recording's id"
    )
    reason: Reason

    @model_validator(mode="after")
    def _recordings_have_ids(self) -> Self:
        if self.scope == "recording":
            self.key = str(uuid.UUID(self.key))
        return self


class ReleaseIn(Model):
    reason: Reason


class HoldOut(Model):
    id: UuidText
    scope: Literal["client", "case", "recording"]
    key: str
    reason: str
    placed_by: UuidText
    placed_at: Time
    released_by: UuidOrEmpty
    released_at: Time | None
    release_reason: str


class HoldsOut(Model):
    holds: list[HoldOut]


class DestructionOut(Model):
    recording_id: UuidText
    state: Literal["destroying", "destroyed"]
    sha256: str
    client: str
    rule_client: str
    rule_days: int
    due_at: Time
    decided_at: Time
    locked_until: Time | None
    destroyed_at: Time | None
    record: dict[str, Any] | None = Field(description="The signed record, as it stands in the chain of evidence")


class DestructionsOut(Model):
    destructions: list[DestructionOut]
    next: str = Field(description="Cursor of the next page, or empty")
