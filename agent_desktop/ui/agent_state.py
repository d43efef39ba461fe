"""What the collector is doing now (坐席状态): from the call where there is one, else as chosen."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal

from agent_desktop.domain.models import Direction
from agent_desktop.services.calls import CallView
from agent_desktop.services.status import StatusService
from agent_desktop.ui.background import Serial
from agent_desktop.ui.collector.call_text import ringing_in

CHOICES = ("ready", "wrap_up", "break")


class AgentState(QObject):
    """``changed`` on every change of ``state`` (as ``SeatState.state``) and ``since``. Tells the wallboard.

    ``failed(exception)``: the state could not be told to the others.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, status: StatusService, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._status = status
        self._chosen = "ready"
        self._chosen_since = datetime.now(UTC)
        self._calls: dict[str, CallView] = {}
        self._tell = Serial(self)

    @property
    def state(self) -> str:
        if not self._calls:
            return self._chosen
        return "on_call" if self._talked() else "ringing"

    @property
    def since(self) -> datetime:
        """Of two calls, since the one that was up first."""
        calls = self._talked() or list(self._calls.values())
        return min((call.answered_at or call.started_at for call in calls), default=self._chosen_since)

    @property
    def in_call(self) -> bool:
        return bool(self._calls)

    def _talked(self) -> list[CallView]:
        return [call for call in self._calls.values() if not ringing_in(call)]

    def choose(self, state: str) -> None:
        """One of ``CHOICES``; during a call it holds for afterwards."""
        if state != self._chosen:
            self._chosen, self._chosen_since = state, datetime.now(UTC)
        self._tell.run(lambda: self._status.set_agent_state(state), None, self.failed.emit)
        self.changed.emit()

    def on_call(self, view: CallView) -> None:
        """A call changed. After one that was talked on, or that the collector made, comes wrap-up."""
        ended = view.state == "ended"
        if ended:
            self._calls.pop(view.id, None)
        else:
            self._calls[view.id] = view
        if ended and (view.answered_at is not None or view.direction is Direction.OUTBOUND):
            self.choose("wrap_up")
        else:
            self.changed.emit()

    def on_saved(self) -> None:
        """The note is saved: ready again, unless the collector has said otherwise."""
        if self._chosen == "wrap_up":
            self.choose("ready")
