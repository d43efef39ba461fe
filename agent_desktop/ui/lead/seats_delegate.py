"""How a seat's row is painted."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from agent_desktop.domain.models import SeatState
from agent_desktop.ui.lead import words
from agent_desktop.ui.lead.seats_model import FRESH, NUMBERS, SEAT, AnyIndex, Column
from agent_desktop.ui.terms import agent_state_tone
from agent_desktop.ui.theme import Tokens, Tone, bold, font, tokens
from agent_desktop.ui.widgets.badge import badge_width, paint_badge, paint_dot
from agent_desktop.ui.widgets.labels import elided

ROW_HEIGHT = 32
PAD = 8
"""As of the headings in resources/themes/desk.qss."""
_DOT = 14
_BADGES = (Column.STATE, Column.PROBLEM)


class SeatDelegate(QStyledItemDelegate):
    """Badges for state and problem, a dot before what is recorded, figures at the right; a changed row lights up."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(cell_width(index), ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        theme = tokens()
        painter.save()
        self._paint_ground(painter, rect, index, theme, selected=bool(state & QStyle.StateFlag.State_Selected))
        seat: SeatState = index.data(SEAT)
        text, column = str(index.data()), index.column()
        room = rect.adjusted(_left(column), 0, -PAD, -1)
        if text and column == Column.STATE:
            paint_badge(painter, room.left(), room.center().y() + 1, text, agent_state_tone(seat.state))
        elif text and column == Column.PROBLEM:
            problem = words.problem_of(seat)
            paint_badge(painter, room.left(), room.center().y() + 1, text, problem[1] if problem else Tone.GREY)
        elif text:
            self._paint_text(painter, room, text, column, seat)
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRect, index: AnyIndex, theme: Tokens, *, selected: bool) -> None:
        if selected:
            painter.fillRect(rect, theme.color("accent_soft"))
        fresh = float(index.data(FRESH) or 0.0)
        if fresh > 0:
            glow = QColor(theme.accent)
            glow.setAlphaF(0.15 * fresh)
            painter.fillRect(rect, glow)
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))

    def _paint_text(self, painter: QPainter, room: QRect, text: str, column: int, seat: SeatState) -> None:
        theme = tokens()
        ink = theme.color("text")
        if seat.state == "offline":
            ink = theme.color("dim")
        elif column == Column.RECORDING:
            ink = theme.tone(Tone.OK)
            paint_dot(painter, room.left(), room.center().y() + 1, ink)
            room = room.adjusted(_DOT, 0, 0, 0)
        elif column == Column.LINE:
            bad = seat.line_state in ("failed", "away")
            ink = theme.tone(Tone.BAD) if bad else theme.color("dim")
        face = _face(column)
        painter.setFont(face)
        painter.setPen(ink)
        side = Qt.AlignmentFlag.AlignRight if column in NUMBERS else Qt.AlignmentFlag.AlignLeft
        shown = elided(QFontMetrics(face), text, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)


def cell_width(index: AnyIndex) -> int:
    """Pixels that a cell takes."""
    text, column = str(index.data()), index.column()
    if not text:
        return 2 * PAD
    width = badge_width(text) if column in _BADGES else QFontMetrics(_face(column)).horizontalAdvance(text) + 2
    return width + _left(column) + PAD + (_DOT if column == Column.RECORDING else 0)


def _left(column: int) -> int:
    return 16 if column == Column.AGENT else PAD


def _face(column: int) -> QFont:
    return bold() if column == Column.AGENT else font()
