"""Seat states, the wallboard and grants on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from collection_server.schemas import Model, Text, Time, UuidOrEmpty, UuidText

AgentState = Literal["ready", "ringing", "on_call", "wrap_up", "break", "offline"]
Mode = Literal["listen", "whisper", "barge", "take_over"]
# A seat, or the place of a collector without one: no seat's own id has a colon.
RowId = Annotated[str, Field(pattern=r"^(user:)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class SeatCallIn(Model):
    """The call that a seat is in. Other fields may come along and are not used."""

    id: UuidText
    case_id: UuidOrEmpty = ""


class SeatStateIn(Model):
    state: AgentState
    call: SeatCallIn | None = None
    line_state: Text = Field(default="", max_length=16)
    line_uri: Text = Field(default="", max_length=200)
    recording: bool = False
    recording_problem: Text = Field(default="", max_length=32)


class SeatRow(Model):
    """A seat; or a collector who has no seat, with ``user:`` and the account's id for its ``seat_id``."""

    seat_id: str
    agent_id: UuidText
    agent_name: str
    team: str
    state: AgentState
    since: Time
    call_id: UuidOrEmpty
    case_number: str
    debtor_name: str
    client: str
    stage: str
    line_state: str
    recording: bool
    recording_problem: str
    cases_handled: int
    talk_seconds: int
    promises: int


class WallboardOut(Model):
    seats: list[SeatRow]


class GrantIn(Model):
    seat_id: RowId
    mode: Mode


class GrantOut(Model):
    grant: str = Field(repr=False)
    uri: str
    expires_at: Time
