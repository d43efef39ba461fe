"""Notes and promises on the wire."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from collection_server.schemas import Model, Money, Text, Time, UuidOrEmpty, UuidText

MAX_TEXT = 4000
MAX_PROMISE_DAYS = 366
"""A seat's policy is stricter; this only keeps nonsense out."""


class Outcome(StrEnum):
    PROMISE = "promise"
    WILLING = "willing"
    UNABLE = "unable"
    REFUSED = "refused"
    THIRD_PARTY = "third_party"
    NO_ANSWER = "no_answer"
    DEAD_NUMBER = "dead_number"
    COMPLAINT = "complaint"


PromiseState = Literal["open", "kept", "broken"]


class PromiseOut(Model):
    id: UuidText
    amount: Money
    due: date
    state: PromiseState


class NoteOut(Model):
    id: UuidText
    case_id: UuidText
    call_id: UuidOrEmpty
    contact_id: UuidOrEmpty
    author_id: UuidText
    author_name: str
    created_at: Time
    outcome: Outcome
    text: str
    next_follow_up_at: Time | None
    promise: PromiseOut | None


class PromiseIn(Model):
    id: UuidText
    amount: Money
    due: date
    state: Literal["open"] = "open"

    @field_validator("amount")
    @classmethod
    def _positive(cls, amount: Money) -> Money:
        if amount.minor <= 0:
            raise ValueError("not positive")
        return amount


class NoteIn(Model):
    """Data of ``note.add``."""

    id: UuidText
    case_id: UuidText
    call_id: UuidOrEmpty = ""
    contact_id: UuidOrEmpty = ""
    author_id: UuidText
    created_at: Time
    outcome: Outcome
    text: Text = Field(max_length=MAX_TEXT)
    next_follow_up_at: Time | None = None
    promise: PromiseIn | None = None

    @model_validator(mode="after")
    def _promise_fits(self) -> Self:
        if (self.outcome is Outcome.PROMISE) != (self.promise is not None):
            raise ValueError("a promise goes with the outcome promise, and only with it")
        if self.promise is not None:
            made = self.created_at.date()
            if not made - timedelta(days=1) <= self.promise.due <= made + timedelta(days=MAX_PROMISE_DAYS):
                raise ValueError("the promise is due before it was made, or too late")
        return self
