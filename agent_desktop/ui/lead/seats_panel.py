"""The table of seats with its filters and search."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
)

from agent_desktop.domain.models import SeatState
from agent_desktop.ui.language import translate
from agent_desktop.ui.lead.seats_delegate import ROW_HEIGHT, SeatDelegate, cell_width
from agent_desktop.ui.lead.seats_model import SEAT, Column, SeatsFilter, SeatsModel
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.theme import SECONDARY_PX, font
from agent_desktop.ui.widgets.chips import ChipBar
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Card

HEADING_PAD = 30
"""Left and right of a heading's words, the mark of the sorted column included."""
_FLASH_MS = 60
_MOVES = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End}


class SeatsTable(QTableView):
    """Takes the keys that move in it; the others belong to the page."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("lead.table")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        heading = self.horizontalHeader()
        heading.setHighlightSections(False)
        heading.setSortIndicatorClearable(True)
        heading.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _MOVES:
            super().keyPressEvent(event)
        else:
            event.ignore()


class SeatsPanel(Card):
    """``selected(seat_id)``: another seat is selected."""

    selected = Signal(str)

    def __init__(self, model: SeatsModel) -> None:
        super().__init__()
        self.model = model
        self.filter = SeatsFilter()
        self.filter.setSourceModel(model)
        self.table = SeatsTable()
        self.table.setModel(self.filter)
        self.table.setItemDelegate(SeatDelegate(self.table))
        self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.table.setSortingEnabled(True)
        self.notice = Notice("lead.table")
        self.title = label("strong", name="lead.team")
        self.chips = ChipBar("lead.filter")
        self.search = QLineEdit()
        self.search.setObjectName("lead.search")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.notice)
        self._selected = ""
        self._answered = False
        self._failure: Exception | None = None
        self._widths: dict[Column, int] = {}
        self._flash = QTimer(self, interval=_FLASH_MS)
        self._lay_out()
        self._connect()
        self.retranslate()

    def _lay_out(self) -> None:
        self.search.setMinimumWidth(220)
        self.search.setMaximumWidth(280)
        top = QHBoxLayout()
        top.setContentsMargins(14, 8, 12, 8)
        top.setSpacing(12)
        self.chips.setFixedHeight(22)
        top.addWidget(self.title)
        top.addWidget(self.chips, 1)
        top.addWidget(self.search)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.setSpacing(0)
        box.addLayout(top)
        box.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.chips.chosen.connect(self._narrow)
        self.search.textChanged.connect(self._narrow)
        self.search.returnPressed.connect(self.table.setFocus)
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.model.dataChanged.connect(self._on_data)
        self._flash.timeout.connect(self._on_flash)

    def retranslate(self) -> None:
        self.search.setPlaceholderText(translate("Lead", "Agent, case, client…  Ctrl+K"))
        self.search.setAccessibleName(translate("Lead", "Search seats"))
        self.table.setAccessibleName(translate("Lead", "Seats"))
        self.chips.set_chips(
            [
                ("all", translate("Lead", "All")),
                ("on_call", translate("Lead", "On a call")),
                ("problem", translate("Lead", "With a problem")),
            ]
        )
        self._fit(again=True)
        self._tell()

    # --- contents

    def set_seats(self, seats: list[SeatState]) -> None:
        """Show the seats as they are now; selection and scroll position stay."""
        first, self._answered = not self._answered, True
        chosen = self.model.seat(self._selected)
        self.model.set_seats(seats)
        self.filter.invalidate()
        if chosen is not None and self.model.seat(chosen.seat_id) is None:
            self._follow(chosen)
        teams = sorted({seat.team for seat in seats if seat.team})
        self.title.setText(" · ".join(teams))
        self._fit()
        self._tell()
        if first:
            self._take_focus()

    def set_failure(self, failure: Exception | None) -> None:
        """The seats could not be read, or can be again; those that are shown stay."""
        self._failure = failure
        self._tell()

    def select(self, seat_id: str) -> None:
        """Select a seat; shows all seats when it is filtered out."""
        row = self.model.row_of(seat_id)
        if row < 0:
            return
        index = self.filter.mapFromSource(self.model.index(row, 0))
        if not index.isValid():
            self.chips.choose("all")
            self.search.clear()
            self._narrow()
            index = self.filter.mapFromSource(self.model.index(row, 0))
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.table.selectionModel().setCurrentIndex(index, flags)
        self.table.scrollTo(index)

    def _follow(self, gone: SeatState) -> None:
        """The selected row has gone, as when a collector who had no seat signs in: select where the agent is now."""
        for seat in self.model.seats:
            if seat.agent_id == gone.agent_id:
                self.select(seat.seat_id)
                return

    def leave_search(self) -> None:
        """Empty the search box and go back to the seats."""
        self.search.clear()
        self.table.setFocus()

    @property
    def selected_id(self) -> str:
        """The seat that was selected last; empty before that."""
        return self._selected

    def _narrow(self) -> None:
        self.filter.narrow(self.chips.current, self.search.text())
        self._tell()

    def _tell(self) -> None:
        if self.model.seats:
            self.notice.say(translate("Lead", "No seat meets these conditions."))
        elif self._failure is not None:
            self.notice.fail(sentence(self._failure))
        elif self._answered:
            hint = translate("Lead", "A seat appears here as soon as its collector signs in.")
            self.notice.say(translate("Lead", "No seats yet"), hint)
        else:
            self.notice.wait(translate("Lead", "Asking for the seats…"))
        self._stack.setCurrentWidget(self.table if self.filter.rowCount() else self.notice)

    def _fit(self, *, again: bool = False) -> None:
        """Columns as wide as their words; they only grow, so that a ticking wall stands still."""
        heading = self.table.horizontalHeader()
        if again:
            self._widths.clear()
        letters = QFontMetrics(font(SECONDARY_PX))
        for column in Column:
            name = str(self.model.headerData(column, Qt.Orientation.Horizontal))
            wanted = [cell_width(self.model.index(row, column)) for row in range(self.model.rowCount())]
            wanted += [letters.horizontalAdvance(name) + HEADING_PAD, self._widths.get(column, 0)]
            self._widths[column] = max(wanted)
            heading.resizeSection(column, self._widths[column])
        spare = self.table.viewport().width() - sum(self._widths.values())
        if spare > 0:
            heading.resizeSection(Column.CASE, self._widths[Column.CASE] + spare)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _take_focus(self) -> None:
        # The table was hidden until now; the page's keys would go wherever the focus fell instead.
        focus = QApplication.focusWidget()
        if not isinstance(focus, QLineEdit) or (focus is self.search and not self.search.text()):
            self.table.setFocus()

    def _on_current(self, current: QModelIndex) -> None:
        seat = current.data(SEAT) if current.isValid() else None
        if seat is not None and seat.seat_id != self._selected:
            # The row that the focus falls on first is made current by Qt, but not selected.
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().select(current, flags)
            self._selected = seat.seat_id
            self.selected.emit(seat.seat_id)

    # --- rows that have just changed

    def _on_data(self) -> None:
        if not self._flash.isActive() and self.model.fresh:
            self._flash.start()

    def _on_flash(self) -> None:
        if not self.model.fresh:
            self._flash.stop()
        self.table.viewport().update()
