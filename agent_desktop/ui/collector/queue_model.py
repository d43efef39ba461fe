"""Today's work as a list model, and how a row of it is painted."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from agent_desktop.domain.models import QueueItem
from agent_desktop.ui import format as fmt
from agent_desktop.ui.places import Places
from agent_desktop.ui.terms import reason_text, reason_tone, stage_tone
from agent_desktop.ui.theme import BODY_PX, SECONDARY_PX, Tone, bold, font, text_width, tokens
from agent_desktop.ui.widgets.badge import badge_width, paint_badge
from agent_desktop.ui.widgets.labels import elided

AnyIndex = QModelIndex | QPersistentModelIndex
ITEM_ROLE = int(Qt.ItemDataRole.UserRole)
ROW_HEIGHT = 74
_PAD = 12
_NO_PARENT = QModelIndex()


class QueueModel(QAbstractListModel):
    """Rows of ``QueueItem`` under ``ITEM_ROLE``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[QueueItem] = []

    def set_items(self, items: list[QueueItem]) -> bool:
        """Show other rows; False when they are the same as before."""
        if items == self._items:
            return False
        if [i.case.id for i in items] == [i.case.id for i in self._items]:
            self._items = items
            self.dataChanged.emit(self.index(0), self.index(len(items) - 1))
        else:
            self.beginResetModel()
            self._items = items
            self.endResetModel()
        return True

    def item(self, row: int) -> QueueItem | None:
        return self._items[row] if 0 <= row < len(self._items) else None

    def row_of(self, case_id: str) -> int:
        """Row of a case, −1 when it is not in the list."""
        return next((row for row, item in enumerate(self._items) if item.case.id == case_id), -1)

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.item(index.row())
        if item is None:
            return None
        if role == ITEM_ROLE:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.case.debtor_name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            case = item.case
            parts = (case.debtor_name, fmt.money(case.total), fmt.masked(item.number), case.stage, reason_text(item))
            return ", ".join(part for part in parts if part)
        return None


class QueueDelegate(QStyledItemDelegate):
    """Three lines: name and amount, number and stage, reason and client."""

    def __init__(self, places: Places, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._places = places

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        item = index.data(ITEM_ROLE)
        if not isinstance(item, QueueItem):
            return
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        self._ground(painter, rect, state)
        inner = rect.adjusted(_PAD, 9, -_PAD, -10)
        line = inner.height() // 3
        self._first(painter, QRect(inner.left(), inner.top(), inner.width(), line), item)
        self._second(painter, QRect(inner.left(), inner.top() + line, inner.width(), line), item)
        self._third(painter, QRect(inner.left(), inner.top() + 2 * line, inner.width(), line), item)
        painter.restore()

    @staticmethod
    def _ground(painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        theme = tokens()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.soft(Tone.ACCENT))
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), theme.tone(Tone.ACCENT))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.color("row"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))

    @staticmethod
    def _first(painter: QPainter, rect: QRect, item: QueueItem) -> None:
        painter.setPen(tokens().color("text"))
        painter.setFont(bold(BODY_PX))
        _pair(painter, rect, item.case.debtor_name, fmt.money(item.case.total))

    def _second(self, painter: QPainter, rect: QRect, item: QueueItem) -> None:
        painter.setPen(tokens().color("dim"))
        painter.setFont(font(SECONDARY_PX))
        where = " · ".join(p for p in (fmt.masked(item.number), self._places.city(item.number)) if p)
        room = rect.width() - badge_width(item.case.stage) - 8
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, elided(painter.fontMetrics(), where, room))
        paint_badge(
            painter, rect.right() + 1, rect.center().y() + 1, item.case.stage, stage_tone(item.case.stage), right=True
        )

    @staticmethod
    def _third(painter: QPainter, rect: QRect, item: QueueItem) -> None:
        theme = tokens()
        client = f"{item.case.client} {item.case.product}".strip()
        painter.setFont(font(SECONDARY_PX))
        metrics = painter.fontMetrics()
        reason = elided(metrics, reason_text(item), rect.width())
        left = text_width(reason, SECONDARY_PX)
        painter.setPen(theme.tone(reason_tone(item)))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, reason)
        painter.setPen(theme.color("dim"))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(rect, flags, elided(metrics, client, rect.width() - left - 8))


def _pair(painter: QPainter, rect: QRect, left: str, right: str) -> None:
    metrics = painter.fontMetrics()
    room = rect.width() - metrics.horizontalAdvance(right) - 8
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, elided(metrics, left, room))
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, right)
