"""The list of recordings: its rows, and how a row is painted."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from agent_desktop.domain.models import RecordingRow
from agent_desktop.ui import format as fmt
from agent_desktop.ui.qa import words
from agent_desktop.ui.terms import direction_mark, direction_text, outcome_text, outcome_tone
from agent_desktop.ui.theme import SECONDARY_PX, bold, font, tokens
from agent_desktop.ui.widgets.badge import badge_width, paint_badge
from agent_desktop.ui.widgets.labels import elided

AnyIndex = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole
_HEIGHT = 72
_NO_PARENT = QModelIndex()


class RecordingsModel(QAbstractListModel):
    """Recordings in the order the server gave them."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[RecordingRow] = []

    @property
    def rows(self) -> list[RecordingRow]:
        return self._rows

    def set_rows(self, rows: list[RecordingRow]) -> None:
        if rows == self._rows:
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def index_of(self, recording_id: str) -> QModelIndex:
        """Where a recording stands; not valid when it does not."""
        for number, row in enumerate(self._rows):
            if row.id == recording_id:
                return self.index(number)
        return QModelIndex()

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return words.name_of(row)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return _spoken(row)
        return None


def _spoken(row: RecordingRow) -> str:
    parts = (
        words.name_of(row),
        fmt.clock(row.seconds),
        fmt.when(row.started_at),
        row.agent_name,
        direction_text(row.direction),
        outcome_text(row.outcome) if row.outcome else "",
        words.state_text(row.state),
        row.case_number,
    )
    return ", ".join(part for part in parts if part)


class RecordingDelegate(QStyledItemDelegate):
    """Three lines: name and length; time, agent and direction with the outcome; state and case number."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(200, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row: RecordingRow = index.data(ROW)
        theme = tokens()
        whole: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(whole, theme.color("accent_soft"))
            painter.fillRect(QRect(whole.topLeft(), QSize(3, whole.height())), theme.color("accent"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(whole, theme.color("row"))
        painter.fillRect(QRect(whole.left(), whole.bottom(), whole.width(), 1), theme.color("line"))
        self._paint_lines(painter, whole.adjusted(12, 0, -12, 0), row)
        painter.restore()

    def _paint_lines(self, painter: QPainter, room: QRect, row: RecordingRow) -> None:
        theme = tokens()
        first, second, third = (
            QRect(QPoint(room.left(), room.top() + y), QSize(room.width(), 20)) for y in (7, 27, 47)
        )
        small = font(SECONDARY_PX)
        length = fmt.clock(row.seconds)
        used = _text(painter, first, length, bold(), theme.color("text"), right=True)
        _text(painter, first, words.name_of(row), bold(), theme.color("text"), less=used + 8)
        outcome = words.outcome_short(row) if row.outcome else ""
        short = outcome_text(row.outcome) if row.outcome else ""
        if outcome and badge_width(outcome) > room.width() // 2:
            outcome = short
        if outcome and row.outcome:
            used = paint_badge(
                painter, room.right() + 1, second.center().y() + 1, outcome, outcome_tone(row.outcome), right=True
            )
        else:
            used = 0
        about = f"{fmt.short_day(row.started_at)} · {row.agent_name} · {direction_mark(row.direction)}"
        _text(painter, second, about, small, theme.color("dim"), less=used + 8)
        used = _text(painter, third, row.case_number, small, theme.color("dim"), right=True)
        tone = theme.tone(words.state_tone(row.state))
        _text(painter, third, words.state_text(row.state), small, tone, less=used + 8)


def _text(
    painter: QPainter, room: QRect, text: str, face: QFont, ink: QColor, *, right: bool = False, less: int = 0
) -> int:
    """Paint one line, shortened to ``room`` less some pixels; returns its width."""
    metrics = QFontMetrics(face)
    shown = elided(metrics, text, room.width() - less)
    painter.setFont(face)
    painter.setPen(ink)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)
    return metrics.horizontalAdvance(shown)
