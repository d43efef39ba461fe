"""The team lead's page: figures along the top, the wallboard, and listening in at the right."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from agent_desktop.domain.models import SeatState
from agent_desktop.services.desk import Desk
from agent_desktop.ui.background import Latest, Relay
from agent_desktop.ui.language import translate
from agent_desktop.ui.lead.attention import AttentionPanel
from agent_desktop.ui.lead.figures import FigureRow
from agent_desktop.ui.lead.monitor_panel import MonitorPanel
from agent_desktop.ui.lead.seats_model import SeatsModel
from agent_desktop.ui.lead.seats_panel import SeatsPanel
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.theme import Tone
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel

SIDE_WIDTH = 320
BURST_MS = 60


class LeadPage(Panel):
    """Made for a signed-in lead. Keys that no field takes: 1 listens, Esc stops, F5 asks again."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(surface="background")
        self.setObjectName("lead.page")
        self._wallboard = desk.wallboard
        self._latest = Latest(self)
        self._failure: Exception | None = None
        self.figures = FigureRow()
        self.problem = label("", name="lead.problem", tone=Tone.BAD, wrap=True)
        self.seats = SeatsPanel(SeatsModel())
        self.monitor = MonitorPanel(desk.wallboard)
        self.attention = AttentionPanel()
        self._lay_out()
        self.seats.selected.connect(self._on_selected)
        self.seats.notice.retry.connect(self.reload)
        self.attention.chosen.connect(self.seats.select)
        search = QShortcut(QKeySequence("Ctrl+K"), self)
        search.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        search.activated.connect(self._search)
        Relay(desk.wallboard.changed, self._on_seats, self)
        self._newest: list[SeatState] | None = None
        self._burst = QTimer(self, interval=BURST_MS, singleShot=True)
        self._burst.timeout.connect(self._show_newest)
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self._on_second)
        self._second.start()
        self.setFocusProxy(self.seats.table)
        self.reload()

    def _lay_out(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(12)
        side.addWidget(self.monitor)
        side.addWidget(self.attention, 1)
        self.monitor.setFixedWidth(SIDE_WIDTH)
        self.attention.setFixedWidth(SIDE_WIDTH)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.seats, 1)
        below.addLayout(side)
        box = QVBoxLayout(self)
        box.setContentsMargins(14, 12, 14, 12)
        box.setSpacing(12)
        box.addWidget(self.figures)
        box.addWidget(self.problem)
        box.addLayout(below, 1)
        self.problem.hide()

    def retranslate(self) -> None:
        self.figures.show_seats(self.seats.model.seats, datetime.now(UTC))
        self._tell_failure()

    def reload(self) -> None:
        """Ask for all seats."""
        self._latest.run(self._wallboard.seats, self._on_seats, self._on_error)

    def _on_seats(self, seats: list[SeatState]) -> None:
        """Show the newest seats: at once, and in a burst of changes at most every ``BURST_MS``."""
        self._newest = seats
        if not self._burst.isActive():
            self._show_newest()
            self._burst.start()

    def _show_newest(self) -> None:
        seats, self._newest = self._newest, None
        if seats is None:
            return
        self._set_failure(None)
        self.seats.set_seats(seats)
        self.figures.show_seats(seats, datetime.now(UTC))
        self.attention.show_seats(seats)
        self.monitor.keep_heard(self.seats.model.seat(self.monitor.heard_id))
        if self.seats.selected_id:
            self.monitor.show_seat(self.seats.model.seat(self.seats.selected_id))

    def _on_error(self, error: Exception) -> None:
        self._set_failure(error)

    def _set_failure(self, failure: Exception | None) -> None:
        self._failure = failure
        self.seats.set_failure(failure)
        self._tell_failure()

    def _tell_failure(self) -> None:
        shown = self._failure is not None and bool(self.seats.model.seats)
        self.problem.setVisible(shown)
        if shown and self._failure is not None:
            old = translate("Lead", "What is shown may be out of date.")
            self.problem.setText(f"{sentence(self._failure)} {old}")

    def _on_selected(self, seat_id: str) -> None:
        self.monitor.show_seat(self.seats.model.seat(seat_id))

    def _on_second(self) -> None:
        self.seats.model.tick()
        self.monitor.tick()
        self.figures.show_seats(self.seats.model.seats, datetime.now(UTC))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_1:
                self.monitor.listen()
            case Qt.Key.Key_Escape if self.seats.search.hasFocus():
                self.seats.leave_search()
            case Qt.Key.Key_Escape:
                self.monitor.stop()
            case Qt.Key.Key_F5:
                self.reload()
            case _:
                super().keyPressEvent(event)

    def _search(self) -> None:
        self.seats.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.seats.search.selectAll()
