"""What every use case of one signed-in person is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING

from agent_desktop.domain.days import Clock, day_start, local_date, utc_now
from agent_desktop.domain.models import User
from agent_desktop.domain.number_places import NumberPlaces
from agent_desktop.domain.numbers import NumberPlan
from agent_desktop.services.line_roster import LineRoster

if TYPE_CHECKING:
    from agent_desktop.store.store import Store
    from agent_desktop.sync.http import CollectionApi


@dataclass(frozen=True, slots=True)
class Policy:
    """The server's rules for a seat; the values here hold until it says otherwise."""

    promise_max_days: int = 60
    cases_target: int = 90
    talk_target_seconds: int = 12_000
    line_idle_exit_seconds: int = 60
    """How long the line process stays without a window and without a call."""
    upload_bytes_per_second: int = 0
    """Of the line, for all uploads together; 0: no limit."""
    newest_first: bool = False
    """Whether the newest recordings are sent before older ones."""

    @classmethod
    def from_json(cls, body: dict[str, object]) -> Policy:
        """What is missing or not a positive number keeps its default."""
        known = {name: body.get(name) for name in cls.__dataclass_fields__}
        numbers = {name: v for name, v in known.items() if type(v) is int and v > 0}
        return cls(**numbers, newest_first=body.get("upload_order") == "newest")


@dataclass(frozen=True, slots=True)
class DeskContext:
    """``wake`` makes the sync worker run now; ``zone`` is where the working day is counted, None this machine's."""

    user: User
    store: Store
    api: CollectionApi
    wake: Callable[[], None] = field(default=lambda: None)
    clock: Clock = utc_now
    zone: tzinfo | None = None
    policy: Policy = field(default_factory=Policy)
    lines: LineRoster = field(default_factory=LineRoster)
    places: NumberPlaces = field(default_factory=NumberPlaces)

    @property
    def numbers(self) -> NumberPlan:
        """How a number is read that belongs to no line in particular: as on the seat's first."""
        return self.lines.numbers()

    def today(self) -> date:
        return local_date(self.clock(), self.zone)

    def day_start(self) -> datetime:
        """When today began, in UTC."""
        return day_start(self.clock(), self.zone)
