"""The seat's lines: how each is set up, how each dials, and how each is doing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent_desktop.domain.dial_plan import DialPlan, NumberRefused, digits_for
from agent_desktop.domain.numbers import NumberPlan, TelNumber
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.listeners import Listeners
from telephony.messages import Event, LineConfig, LineState, Snapshot

USABLE = ("ready", "registered")


@dataclass(frozen=True, slots=True)
class SeatLine:
    """One line as it is configured."""

    config: LineConfig
    plan: DialPlan = field(default_factory=DialPlan)
    name: str = ""
    """What it is called in the window; empty for its user. ``config.display_name`` is what the far side is shown."""


@dataclass(frozen=True, slots=True)
class LineView:
    """One line now. ``registrar``, ``problem``, ``sip_code`` and ``reason`` as ``telephony.messages.LineState``."""

    line_id: str
    name: str
    state: str = "registering"
    """As ``LineState``; ``away`` while the line process is not there."""
    registrar: str = ""
    problem: str = ""
    sip_code: int = 0
    reason: str = ""
    uri: str = ""
    """Where it can be reached, for monitoring."""

    @property
    def usable(self) -> bool:
        """Calls can be made on it."""
        return self.state in USABLE


@dataclass(frozen=True, slots=True)
class Route:
    """How a number is dialled: on which line, and what that line's peer is sent."""

    line_id: str
    number: TelNumber
    digits: str


class LineRoster:
    """The lines in the order of the configuration; the first is the one that is dialled on. Thread-safe."""

    changed: Listeners[tuple[LineView, ...]]

    def __init__(self, lines: Sequence[SeatLine] = (), region: str = "CN") -> None:
        self.changed = Listeners()
        self._lines = {line.config.line_id: line for line in lines}
        self._numbers = {
            name: NumberPlan(region, line.plan.area_code, line.plan.outside_prefix)
            for name, line in self._lines.items()
        }
        self._any_numbers = NumberPlan(region)
        self._lock = threading.RLock()
        self._views = {name: LineView(name, _name(line)) for name, line in self._lines.items()}

    @property
    def views(self) -> tuple[LineView, ...]:
        with self._lock:
            return tuple(self._views.values())

    def numbers(self, line_id: str = "") -> NumberPlan:
        """How numbers are read that come in on this line, or are typed for it; without one, for the first."""
        return self._numbers.get(line_id or self.first, self._any_numbers)

    @property
    def first(self) -> str:
        """The line that comes first in the configuration; empty without one."""
        return next(iter(self._lines), "")

    @property
    def preferred(self) -> str:
        """The first line that is usable now, else the first."""
        return next((view.line_id for view in self.views if view.usable), self.first)

    def route(self, number: str, line_id: str = "") -> Route:
        """How to dial ``number``, in any form: on this line, else on the first usable one that dials such numbers.

        When no line is usable they are tried all the same: the line process says what is wrong. Raises ``DeskError``:
        ``NUMBER_NOT_ALLOWED`` when no dial plan allows it, ``BAD_NUMBER``, ``LINE_NOT_READY`` for an unknown line.
        """
        if line_id and line_id not in self._lines:
            raise DeskError(Problem.LINE_NOT_READY, "no such line")
        usable = [view.line_id for view in self.views if view.usable]
        refusal: NumberRefused | None = None
        for candidate in [line_id] if line_id else usable or list(self._lines) or [""]:
            line = self._lines.get(candidate)
            read = self.numbers(candidate).read(number)
            try:
                return Route(candidate, read, digits_for(read, line.plan if line else DialPlan()))
            except NumberRefused as refused:
                refusal = refusal or refused
        assert refusal is not None
        problem = Problem.NUMBER_NOT_ALLOWED if refusal.kind else Problem.BAD_NUMBER
        raise DeskError(problem, str(refusal)) from refusal

    def on_event(self, event: Event) -> None:
        """An event of the line process."""
        if isinstance(event, Snapshot):
            with self._lock:  # a line process is there again: what it has not set up yet, it will
                self._set({n: replace(v, state="registering") for n, v in self._views.items() if v.state == "away"})
                self._take(*event.lines)
        elif isinstance(event, LineState):
            self._take(event)

    def on_lost(self, reason: str = "") -> None:
        """The line process has gone; ``reason`` is for the log."""
        with self._lock:
            self._set({n: LineView(n, v.name, "away", reason=reason, uri=v.uri) for n, v in self._views.items()})

    def _take(self, *states: LineState) -> None:
        with self._lock:
            self._set({s.line_id: _changed(self._views[s.line_id], s) for s in states if s.line_id in self._views})

    def _set(self, views: dict[str, LineView]) -> None:
        if any(self._views[name] != view for name, view in views.items()):
            self._views |= views
            self.changed.emit(self.views)


def _changed(view: LineView, state: LineState) -> LineView:
    return replace(
        view,
        state=state.state,
        registrar=state.registrar,
        problem=state.problem,
        sip_code=state.sip_code,
        reason=state.reason,
        uri=state.uri or view.uri,
    )


def _name(line: SeatLine) -> str:
    return line.name or line.config.display_name or line.config.user
