"""Team lead: every line's state live, and listening in."""

from __future__ import annotations

from dataclasses import dataclass

from agent_desktop.domain.models import SeatState
from agent_desktop.services.listeners import Listeners


@dataclass(frozen=True, slots=True)
class MonitorView:
    """The lead's listening leg. ``state``: ``asking``, ``connecting``, ``on``, ``ended``, ``failed``."""

    seat_id: str
    mode: str
    state: str
    grant_until: str = ""
    heard_dbfs: float = -100.0
    """Level of what the lead hears."""
    problem: str = ""


class WallboardService:
    """Seat states come over the push channel within a second; a poll mends what it missed."""

    changed: Listeners[list[SeatState]]
    monitor_changed: Listeners[MonitorView]

    def seats(self) -> list[SeatState]:
        """The team's seats, on a call first, then by name."""
        raise NotImplementedError

    def listen(self, seat_id: str) -> None:
        """Ask the server for a grant and call the agent's engine with it. Raises ``DeskError``."""
        raise NotImplementedError

    def stop_listening(self) -> None:
        raise NotImplementedError
