"""Manifests, uploads, receipts and rows of recordings on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from collection_server.auth.schemas import SeatId
from collection_server.canonical import sha256_hex
from collection_server.notes.schemas import Outcome
from collection_server.schemas import Model, Money, Time, UuidOrEmpty, UuidText

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Sha256OrEmpty = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
NOTHING_SHA256 = sha256_hex(b"")
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
    call_id: str = Field(pattern="^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$")
    seat_id: SeatId
    number: int = Field(strict=True, ge=1, le=2**53)
    kind: Literal["F", "J", "N"] = Field(description="Finalised, journal, or a number that has no audio")
    recovered: bool = Field(strict=True)
    size: Count
    sha256: Sha256
    rate: int = Field(strict=True, ge=0, le=48_000)
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

    @model_validator(mode="after")
    def _has_what_its_kind_has(self) -> Self:
        if self.kind == "N":
            if self.version < 2 or (self.size, self.samples, self.sha256) != (0, 0, NOTHING_SHA256):
                raise ValueError("a void number has no bytes")
        elif not self.call_id or self.size < 1 or self.rate < 8000:
            raise ValueError("a recording has a call, bytes and a rate")
        return self

    def as_signed(self) -> dict[str, Any]:
        """What came, and nothing else."""
        return self.model_dump(mode="json", exclude_unset=True)


class PartOut(Model):
    number: int
    url: str
    size: int


class ReceiptOut(Model):
    """What was signed and the signature. Fields that an older receipt does not have are left out, because the
    signature is over exactly those that are there.
    """

    model_config = ConfigDict(extra="allow")

    recording_id: UuidText
    sha256: Sha256
    size: int
    stored_at: str
    signature: str = Field(description="Base64 Ed25519 over the canonical JSON of the other fields")
    kind: str | None = Field(None, description="stored, or voided for a number that has no audio")
    seat_id: str | None = None
    number: int | None = None
    manifest_sha256: str | None = Field(None, description="Of the bytes that the seat has signed")
    state: str | None = Field(None, description="verified, recovered, failed or void")
    content_sha256: str | None = Field(None, description="Of the audio file inside, empty for a journal")
    pieces: int | None = None
    pieces_sha256: str | None = Field(None, description="Over the SHA-256 of each piece, 32 bytes each")
    seq: int | None = Field(None, description="Place in the store's chain")
    prev_hash: str | None = None
    seat_prev_hash: str | None = None

    @model_serializer(mode="wrap")
    def _as_signed(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}


class UploadOut(Model):
    upload_id: UuidOrEmpty
    part_size: int
    parts: list[PartOut]
    received: list[int]
    direct: bool = Field(description="Ask /v1/uploads/{upload_id}/addresses: parts go to an object store")
    whole: bool = Field(description="Recordings of up to part_size may be sent whole, without being announced")
    receipt: ReceiptOut | None


class PartSumsBody(Model):
    number: int = Field(strict=True, ge=1, le=100_000)
    sha256: Sha256
    md5: str = Field(pattern="^[0-9a-f]{32}$")


class AddressesBody(Model):
    parts: list[PartSumsBody] = Field(min_length=1, max_length=100)


class AddressOut(Model):
    number: int
    url: str
    headers: dict[str, str] = Field(description="To be sent with the part, and no others; none: as to this server")


class AddressesOut(Model):
    parts: list[AddressOut]
    expires_at: Time


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
