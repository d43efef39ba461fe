"""Team lead: every line's state live, and listening in."""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from agent_desktop.domain.models import SeatState
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_errors import as_desk_error
from agent_desktop.services.listeners import Listeners
from telephony.client import LineError
from telephony.messages import CallEnded, CallState, Event, HangUp, Levels, Monitor

if TYPE_CHECKING:
    from agent_desktop.services.context import DeskContext
    from agent_desktop.services.line_port import LinePort

log = logging.getLogger(__name__)

POLL_S = 10.0
MODE = "listen"
REFUSED_CODES = (401, 403)
"""What an agent's engine answers to a grant that it does not take."""


@dataclass(frozen=True, slots=True)
class MonitorView:
    """The lead's listening leg. ``state``: ``asking``, ``connecting``, ``on``, ``ended``, ``failed``."""

    seat_id: str
    mode: str
    state: str
    granted_at: datetime | None = None
    """When the server gave the permission; it is for setting the leg up, which then has no end of its own."""
    heard_dbfs: float = -100.0
    """Level of what the lead hears."""
    problem: str = ""


class WallboardService:
    """Seat states come over the push channel within a second; a poll mends what it missed."""

    changed: Listeners[list[SeatState]]
    monitor_changed: Listeners[MonitorView]

    def __init__(self, desk: DeskContext, poll_s: float = POLL_S) -> None:
        self.changed = Listeners()
        self.monitor_changed = Listeners()
        self._desk = desk
        self._poll_s = poll_s
        self._line: LinePort | None = None
        self._seats: dict[str, SeatState] = {}
        self._fresh = threading.Event()
        self._stopping = threading.Event()
        self._polling: threading.Thread | None = None
        self._lock = threading.RLock()
        self._leg: MonitorView | None = None
        self._leg_call = ""

    def start(self) -> None:
        """Follow the team's seats, for a lead's window."""
        self._polling = threading.Thread(target=self._poll, name="wallboard", daemon=True)
        self._polling.start()

    def close(self) -> None:
        self._stopping.set()
        self._fresh.set()
        if self._polling is not None:
            self._polling.join(5)

    def use_line(self, line: LinePort) -> None:
        """The lead's own line process, to listen with."""
        self._line = line
        line.events.join(self._on_event)
        line.lost.join(lambda _: self._end("line_away"))

    def seats(self) -> list[SeatState]:
        """The team's seats but the lead's own, on a call first, offline last, then by name."""
        self._read()
        return self._sorted()

    def listen(self, seat_id: str) -> None:
        """Ask the server for a grant and call the agent's engine with it. Raises ``DeskError``."""
        if self._line is None:
            raise DeskError(Problem.LINE_AWAY, "no line process")
        self.stop_listening()
        self._tell(MonitorView(seat_id, MODE, "asking"))
        try:
            answer = self._desk.api.grant(seat_id, MODE)
            granted_at = self._desk.clock()
            call_id = str(uuid.uuid4())
            with self._lock:
                self._leg_call = call_id
                self._tell(MonitorView(seat_id, MODE, "connecting", granted_at))
            self._line.request(lambda command_id: self._monitor(command_id, call_id, answer.uri, answer.grant))
        except (DeskError, LineError) as error:
            failure = as_desk_error(error) if isinstance(error, LineError) else error
            self._end(str(failure.problem))
            raise failure from error

    def stop_listening(self) -> None:
        """Hang up the listening leg, if there is one."""
        with self._lock:
            call_id, line = self._leg_call, self._line
        if not call_id or line is None:
            return
        try:
            line.request(lambda command_id: HangUp(command_id, call_id))
        except LineError as error:
            log.info("listening leg was gone already: %s", error.code)
        self._end("")

    def on_seat(self, seat: SeatState) -> None:
        """A seat's new state, from the push channel."""
        with self._lock:
            before = self._seats.get(seat.seat_id)
            self._seats = _with(self._seats, seat)
            self.changed.emit(self._sorted())
        if before is not None and before.agent_id != seat.agent_id:
            self._fresh.set()  # where the other agent is now, the server knows

    def on_push_ready(self) -> None:
        """The push channel is up again: something may have been missed."""
        self._fresh.set()

    def _monitor(self, command_id: str, call_id: str, uri: str, grant: str) -> Monitor:
        return Monitor(command_id, call_id=call_id, line_id=self._desk.lines.preferred, uri=uri, grant=grant)

    def _read(self) -> None:
        seats = {seat.seat_id: seat for seat in self._desk.api.wallboard()}
        with self._lock:
            if seats != self._seats:
                self._seats = seats
                self.changed.emit(self._sorted())

    def _sorted(self) -> list[SeatState]:
        with self._lock:
            seats = [s for s in self._seats.values() if s.agent_id != self._desk.user.id]
        return sorted(seats, key=lambda s: (s.state != "on_call", s.state == "offline", s.agent_name, s.seat_id))

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._fresh.clear()
            try:
                self._read()
            except DeskError as error:
                log.info("wallboard not read: %s", error)
            self._fresh.wait(self._poll_s)

    def _on_event(self, event: Event) -> None:
        call_id = self._leg_call
        if not call_id or getattr(event, "call_id", "") != call_id:
            return
        with self._lock:
            leg = self._leg
            if leg is None:
                return
            if isinstance(event, Levels):
                self._tell(replace(leg, heard_dbfs=event.far_dbfs))
            elif isinstance(event, CallState) and event.state == "active" and leg.state != "on":
                self._tell(replace(leg, state="on"))
            elif isinstance(event, CallEnded):
                connected = leg.state == "on"
                refused = event.sip_code in REFUSED_CODES
                problem = str(Problem.GRANT_REFUSED) if refused else event.cause
                self._end("" if connected else problem)

    def _tell(self, leg: MonitorView) -> None:
        with self._lock:
            self._leg = leg
            self.monitor_changed.emit(leg)

    def _end(self, problem: str) -> None:
        """The leg is over; ``problem`` is empty when it ended as it should."""
        with self._lock:
            leg, self._leg, self._leg_call = self._leg, None, ""
            if leg is not None:
                state = "failed" if problem else "ended"
                self.monitor_changed.emit(replace(leg, state=state, problem=problem, heard_dbfs=-100.0))


def _with(seats: dict[str, SeatState], new: SeatState) -> dict[str, SeatState]:
    """``seats`` and a seat's new state. As on the server, an agent is offline once, and only when nowhere else."""
    mine = {key: seat for key, seat in seats.items() if seat.agent_id == new.agent_id and key != new.seat_id}
    there = [key for key, seat in mine.items() if seat.state != "offline"]
    left = set(mine) - set(there)
    kept = {key: seat for key, seat in seats.items() if key not in left and key != new.seat_id}
    return kept if new.state == "offline" and there else {**kept, new.seat_id: new}
