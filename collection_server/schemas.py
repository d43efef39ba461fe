"""Types that the domains' schemas share."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


class Model(BaseModel):
    """Base of all bodies. Fields that are not known are ignored; values are never in an error."""

    model_config = ConfigDict(hide_input_in_errors=True, from_attributes=True)


def _uuid_text(value: str) -> str:
    return str(uuid.UUID(value))


def _optional_uuid_text(value: str) -> str:
    return _uuid_text(value) if value else ""


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL character")
    return value


def _sane_time(value: datetime) -> datetime:
    if not 2000 <= value.year <= 2200:
        raise ValueError("out of range")
    return value.astimezone(UTC)


def _empty_for_none(value: Any) -> Any:
    return "" if value is None else value


Text = Annotated[str, AfterValidator(_no_nul)]
UuidText = Annotated[str, AfterValidator(_uuid_text), Field(max_length=36, json_schema_extra={"format": "uuid"})]
UuidOrEmpty = Annotated[
    str, BeforeValidator(_empty_for_none), AfterValidator(_optional_uuid_text), Field(max_length=36)
]
"""A UUID, or the empty string for none (NULL in the database)."""
Time = Annotated[AwareDatetime, AfterValidator(_sane_time)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Money(Model):
    """An amount in minor units (分), with its ISO 4217 currency."""

    minor: int = Field(strict=True, ge=-(10**15), le=10**15)
    currency: Currency = "CNY"
