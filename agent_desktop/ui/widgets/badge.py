"""A word on a soft ground: as a widget, and as a painting function for delegates."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from agent_desktop.ui.theme import RADIUS_BADGE, SMALL_PX, Tone, bold, text_width, tokens

_PAD = 6
BADGE_HEIGHT = 19


def badge_width(text: str) -> int:
    """Pixels that a badge takes."""
    return text_width(text, SMALL_PX, QFont.Weight.DemiBold) + 2 * _PAD


def paint_badge(painter: QPainter, x: int, center_y: int, text: str, tone: Tone, *, right: bool = False) -> int:
    """Paint a badge whose left (``right``: whose right) edge is at ``x``; returns its width."""
    width = badge_width(text)
    left = x - width if right else x
    rect = QRectF(left, center_y - BADGE_HEIGHT / 2, width, BADGE_HEIGHT)
    theme = tokens()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.soft(tone))
    painter.drawRoundedRect(rect, RADIUS_BADGE, RADIUS_BADGE)
    painter.setPen(theme.tone(tone))
    painter.setFont(bold(SMALL_PX))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
    return width


def paint_dot(painter: QPainter, x: float, center_y: float, color: QColor, diameter: float = 8) -> None:
    """Paint a filled circle whose left edge is at ``x``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(QPointF(x + diameter / 2, center_y), diameter / 2, diameter / 2)
    painter.restore()


class Badge(QWidget):
    """A badge in a layout; takes no room while its text is empty."""

    def __init__(self, text: str = "", tone: Tone = Tone.GREY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set(text, tone)

    @property
    def text(self) -> str:
        return self._text

    def set(self, text: str, tone: Tone | None = None) -> None:
        """Change the word and, if given, its tone."""
        self._text = text
        self._tone = tone or self._tone
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(badge_width(self._text), BADGE_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._text:
            painter = QPainter(self)
            paint_badge(painter, 0, QRect(self.rect()).center().y() + 1, self._text, self._tone)
