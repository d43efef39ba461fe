"""Seats with a problem now, worst first; choosing one selects the seat."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from agent_desktop.domain.models import SeatState
from agent_desktop.ui.language import translate
from agent_desktop.ui.lead import words
from agent_desktop.ui.theme import Tone, bold, tokens
from agent_desktop.ui.widgets.badge import paint_badge
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Card

AnyIndex = QModelIndex | QPersistentModelIndex
SEAT = Qt.ItemDataRole.UserRole
_HEIGHT = 34
_NO_PARENT = QModelIndex()


class AttentionModel(QAbstractListModel):
    """Seats that have a problem."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[SeatState] = []

    def set_seats(self, seats: list[SeatState]) -> None:
        found = [(problem[1] is not Tone.BAD, s.agent_name, s) for s in seats if (problem := words.problem_of(s))]
        rows = [seat for _, _, seat in sorted(found, key=lambda item: item[:2])]
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        seat = self._rows[index.row()]
        if role == SEAT:
            return seat
        problem = words.problem_of(seat)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{seat.agent_name} {problem[0] if problem else ''}"
        return None


class AttentionDelegate(QStyledItemDelegate):
    """Name, and the problem as a badge."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(120, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        seat: SeatState = index.data(SEAT)
        rect: QRect = option.rect
        theme = tokens()
        painter.save()
        painter.fillRect(QRect(rect.left(), rect.top(), rect.width(), 1), theme.color("line"))
        room = rect.adjusted(16, 1, -16, 0)
        problem = words.problem_of(seat)
        used = 0
        if problem:
            used = paint_badge(painter, room.right() + 1, room.center().y() + 1, *problem, right=True)
        painter.setFont(bold())
        painter.setPen(theme.color("text"))
        painter.drawText(room.adjusted(0, 0, -used - 8, 0), Qt.AlignmentFlag.AlignVCenter, seat.agent_name)
        painter.restore()


class AttentionPanel(Card):
    """``chosen(seat_id)``: a row was clicked or entered."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._title = label("strong")
        self._count = label("dim", name="lead.attention.count")
        self.model = AttentionModel()
        self.list = QListView()
        self.list.setObjectName("lead.attention")
        self.list.setModel(self.model)
        self.list.setItemDelegate(AttentionDelegate(self.list))
        self.list.setSelectionMode(QListView.SelectionMode.NoSelection)
        self._notice = Notice("lead.attention")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._notice)
        top = QHBoxLayout()
        top.setContentsMargins(16, 10, 16, 10)
        top.setSpacing(8)
        top.addWidget(self._title)
        top.addWidget(self._count)
        top.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.setSpacing(0)
        box.addLayout(top)
        box.addWidget(self._stack, 1)
        self.list.activated.connect(self._on_chosen)
        self.list.clicked.connect(self._on_chosen)
        self.retranslate()

    def retranslate(self) -> None:
        self._title.setText(translate("Lead", "Needs attention"))
        self.list.setAccessibleName(translate("Lead", "Needs attention"))
        self._notice.say("", translate("Lead", "No problem at any seat."))
        self.list.viewport().update()

    def show_seats(self, seats: list[SeatState]) -> None:
        self.model.set_seats(seats)
        count = self.model.rowCount()
        self._count.setText(str(count) if count else "")
        self._stack.setCurrentWidget(self.list if count else self._notice)

    def _on_chosen(self, index: QModelIndex) -> None:
        self.chosen.emit(index.data(SEAT).seat_id)
