"""Things that fill up: a voice level and a figure of the day."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from agent_desktop.ui.theme import SMALL_PX, Tone, bold, font, tokens

_FLOOR_DBFS = -60.0
_CLIP_DBFS = -3.0


def level_ratio(dbfs: float) -> float:
    """Share of the meter that a level fills: −60 dBFS and below is empty, 0 dBFS is full."""
    return min(1.0, max(0.0, 1.0 - dbfs / _FLOOR_DBFS))


def paint_bar(painter: QPainter, rect: QRectF, ratio: float, color: QColor) -> None:
    """Paint a thin bar, filled from the left."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    radius = rect.height() / 2
    painter.setBrush(tokens().color("line"))
    painter.drawRoundedRect(rect, radius, radius)
    if ratio > 0:
        filled = QRectF(rect)
        filled.setWidth(max(rect.height(), rect.width() * min(1.0, ratio)))
        painter.setBrush(color)
        painter.drawRoundedRect(filled, radius, radius)
    painter.restore()


class LevelMeter(QWidget):
    """A voice level. Falls slowly so that it can be read; red near clipping."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._ratio = 0.0
        self._clipping = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def ratio(self) -> float:
        return self._ratio

    def set_level(self, dbfs: float) -> None:
        """Show a level in dBFS."""
        ratio = max(level_ratio(dbfs), self._ratio - 0.18)
        clipping = dbfs > _CLIP_DBFS
        if (ratio, clipping) != (self._ratio, self._clipping):
            self._ratio, self._clipping = ratio, clipping
            self.update()

    def clear(self) -> None:
        self._ratio, self._clipping = 0.0, False
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = tokens()
        rect = QRectF(0, self.height() / 2 - 2.5, self.width(), 5)
        paint_bar(QPainter(self), rect, self._ratio, theme.tone(Tone.BAD if self._clipping else Tone.OK))


class StatBar(QWidget):
    """A figure of the day: its name, the figure, what it is measured against, and a thin bar of how far it is."""

    def __init__(self, name: str, tone: Tone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._tone = tone
        self._title = self._figure = self._rest = ""
        self._ratio = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set(self, title: str, figure: str, rest: str, ratio: float) -> None:
        """Show ``title figure rest`` over a bar filled by ``ratio`` (0–1)."""
        shown = (title, figure, rest, ratio)
        if shown == (self._title, self._figure, self._rest, self._ratio):
            return
        self._title, self._figure, self._rest, self._ratio = shown
        self.setAccessibleName(f"{title} {figure} {rest}".strip())
        self.updateGeometry()
        self.update()

    @property
    def text(self) -> str:
        return f"{self._title} {self._figure} {self._rest}".strip()

    def sizeHint(self) -> QSize:
        return QSize(max(96, sum(self._widths()) + 10), 30)

    def _widths(self) -> tuple[int, int, int]:
        small, big = QFontMetrics(font(SMALL_PX)), QFontMetrics(bold(14))
        return (
            small.horizontalAdvance(self._title),
            big.horizontalAdvance(self._figure),
            small.horizontalAdvance(self._rest),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = tokens()
        painter = QPainter(self)
        title, figure, _rest = self._widths()
        top = QRectF(0, 0, self.width(), 22)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setFont(font(SMALL_PX))
        painter.setPen(theme.color("dim"))
        painter.drawText(top, flags, self._title)
        painter.drawText(top.adjusted(title + figure + 9, 0, 20, 0), flags, self._rest)
        painter.setFont(bold(14))
        painter.setPen(theme.color("text"))
        painter.drawText(top.adjusted(title + 6, 0, 0, 0), flags, self._figure)
        paint_bar(painter, QRectF(0, 25, self.width(), 3), self._ratio, theme.tone(self._tone))
