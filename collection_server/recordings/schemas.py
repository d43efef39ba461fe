"""Manifests, uploads, receipts and rows of recordings on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from collection_server.auth.schemas import SeatId
from collection_server.notes.schemas import Outcome
from collection_server.schemas import Model, Money, Time, UuidOrEmpty, UuidText

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Sha256OrEmpty = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]


def _utc_text(value: str) -> str:
    if value and datetime.fromisoformat(value).utcoffset() is None:
        raise ValueError("a time without a zone")
    return value


TimeText = Annotated[str, Field(max_length=40), AfterValidator(_utc_text)]


class Manifest(Model):
    """What a seat says of a sealed file, version 1 or 2. Kept as it came: the signature is over the canonical JSON of
    everything else. Version 1 ends with ``ended_at``.
    """

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    recording_id: str = Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    call_id: str = Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    seat_id: SeatId
    number: int = Field(strict=True, ge=1, le=2**53)
    kind: Literal["F", "J"]
    recovered: bool = Field(strict=True)
    size: int = Field(strict=True, ge=1, le=2**53)
    sha256: Sha256
    rate: int = Field(strict=True, ge=8000, le=48_000)
    samples: Count
    lost_frames: int = Field(strict=True, ge=0, le=2**31 - 1)
    started_at: TimeText = Field(min_length=1)
    ended_at: TimeText
    signature: str = Field(max_length=88)
    version: int = Field(1, strict=True, ge=1, le=2)
    codec: str = Field("", max_length=16)
    content_sha256: Sha256OrEmpty = ""
    call_samples: Count = 0
    segments: list[tuple[Count, Count, Count]] = Field([], max_length=2000)
    mode: str = Field("", max_length=16)
    policy_sha256: Sha256OrEmpty = ""
    facts_sha256: Sha256OrEmpty = ""
    monotonic_ms: Count = 0

    def as_signed(self) -> dict[str, Any]:
        """What came, and nothing else."""
        return self.model_dump(mode="json", exclude_unset=True)


class PartOut(Model):
    number: int
    url: str
    size: int


class ReceiptOut(Model):
    recording_id: UuidText
    sha256: Sha256
    size: int
    stored_at: str
    signature: str = Field(description="Base64 Ed25519 over the canonical JSON of the other fields")


class UploadOut(Model):
    upload_id: UuidOrEmpty
    part_size: int
    parts: list[PartOut]
    received: list[int]
    receipt: ReceiptOut | None


class RecordingRow(Model):
    id: UuidText
    call_id: UuidText
    number: int
    case_id: UuidOrEmpty
    case_number: str
    debtor_name: str
    number_masked: str
    agent_id: UuidOrEmpty
    agent_name: str
    direction: str
    started_at: Time
    seconds: float
    outcome: Outcome | None
    promised: Money | None
    state: Literal["verified", "recovered", "failed"]


class RecordingsOut(Model):
    recordings: list[RecordingRow]
    next: str = Field(description="Cursor of the next page, or empty")


class AccessOut(Model):
    who: str
    what: Literal["replayed", "exported"]
    at: Time


class AccessesOut(Model):
    accesses: list[AccessOut]
