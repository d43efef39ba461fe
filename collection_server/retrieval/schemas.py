"""Retrieval jobs on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from collection_server.schemas import Model, Text, Time, UuidText

_CaseNumber = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class RetrievalIn(Model):
    """Joined by and; one at least."""

    cases: list[_CaseNumber] = Field(default_factory=list, max_length=5000, description="Numbers of cases")
    client: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    since: Time | None = Field(default=None, description="Calls that began then or later")
    until: Time | None = Field(default=None, description="Calls that began before then")
    agent: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=64)] = Field(
        default="", description="A login"
    )
    number: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(\+?[0-9]{4,20})?$")] = Field(
        default="", description="In E.164, or the last digits, four at least"
    )
    reason: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not any((self.cases, self.client, self.since, self.until, self.agent, self.number)):
            raise ValueError("no condition")
        return self


class RetrievalOut(Model):
    id: UuidText
    created_at: Time
    reason: str
    conditions: dict[str, Any]
    unknown_cases: list[str] = Field(description="Numbers asked for of which there is no case")
    state: Literal["queued", "running", "done", "failed", "cancelled", "expired"]
    error: Literal["", "no_space", "gave_up", "server_error"]
    total: int = Field(description="Recordings")
    done: int
    size: int = Field(description="Bytes of the package, once it is done")
    sha256: str
    finished_at: Time | None
    expires_at: Time | None


class RetrievalsOut(Model):
    retrievals: list[RetrievalOut]
