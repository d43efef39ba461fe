"""Small marks that say a fact about what they stand beside: a lock, and a word."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from agent_desktop.ui.theme import SMALL_PX, Tone, font, text_width, tokens

_LOCK_WIDTH = 13
HEIGHT = 16


def paint_lock(painter: QPainter, x: float, center_y: float, color: QColor) -> None:
    """Paint a closed padlock, 9 px wide, whose left edge is at ``x``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 1.4))
    painter.drawArc(QRectF(x + 2, center_y - 5.5, 5, 7), 0, 180 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(QRectF(x, center_y - 1.5, 9, 6.5), 1.5, 1.5)
    painter.restore()


class Mark(QWidget):
    """A word in a tone, with a padlock before it when asked for; takes no room while its text is empty."""

    def __init__(self, name: str, tone: Tone = Tone.GREY, *, lock: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self._tone = tone
        self._lock = lock
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.hide()

    @property
    def text(self) -> str:
        return self._text

    def set(self, text: str) -> None:
        """Change the word; empty hides the mark."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()
        self.setVisible(bool(text))

    def sizeHint(self) -> QSize:
        return QSize(text_width(self._text, SMALL_PX) + (_LOCK_WIDTH if self._lock else 0) + 1, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = tokens().tone(self._tone)
        left = 0
        if self._lock:
            paint_lock(painter, 0, self.height() / 2, color)
            left = _LOCK_WIDTH
        painter.setPen(color)
        painter.setFont(font(SMALL_PX))
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._text)
