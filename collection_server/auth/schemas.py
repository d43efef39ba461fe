"""Bodies of the session endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from collection_server.auth.permissions import Role
from collection_server.schemas import Model, Text, Time, UuidText

SeatId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class SignInBody(Model):
    login: Text = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256, repr=False)
    seat_id: SeatId
    seat_public_key: str = Field(max_length=64, description="Base64 of the seat's Ed25519 public key")


class UserOut(Model):
    id: UuidText
    login: str
    name: str
    role: Role
    team: str


class KeysOut(Model):
    """Base64 of 32 raw bytes each: X25519 for ``store``, Ed25519 for the others."""

    store: str
    receipt: str
    grant: str


class PolicyOut(Model):
    recording_mode: str
    recording_codec: str
    monitoring_visible: bool
    promise_max_days: int
    cases_target: int
    talk_target_seconds: int
    line_idle_exit_seconds: int
    upload_order: Literal["oldest", "newest"]
    upload_bytes_per_second: int
    idle_seconds: int
    timezone: str


class SessionOut(Model):
    expires_at: Time
    user: UserOut
    keys: KeysOut
    policy: PolicyOut
    recording_policy: str
    """What to record and how, signed with the grant key; for the seat's line process (docs/guides/http-api.md)."""


class SignInOut(SessionOut):
    token: str = Field(repr=False)
