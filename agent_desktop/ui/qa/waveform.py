"""Both sides of a recording as two lanes below a time ruler: click to seek, drag to loop a passage, wheel to zoom."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from agent_desktop.ui import format as fmt
from agent_desktop.ui.qa.peaks import Peaks
from agent_desktop.ui.theme import SECONDARY_PX, font, tokens

RULER = 28
GAP = 6
MIN_SPAN = 2.0
"""Seconds: no zoom shows less."""
_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_BAR, _PITCH = 2.0, 3
_DRAG = 5


class Waveform(QWidget):
    """Shows a recording's peaks, the passage that is looped and where the player stands.

    ``sought(seconds)``: a click. ``selected(start, end)``: a passage was dragged over.
    """

    sought = Signal(float)
    selected = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rate = 1
        self._peaks: tuple[Peaks, Peaks] | None = None
        self._length = 0.0
        self._from, self._to = 0.0, 0.0
        self._position = 0.0
        self._loop: tuple[float, float] | None = None
        self._audible = (True, True)
        self._pressed: float | None = None
        self._dragged: float | None = None
        self._picture: QPixmap | None = None
        self._picture_of: object = None
        self.setMinimumHeight(RULER + 2 * 56 + GAP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.IBeamCursor)

    def sizeHint(self) -> QSize:
        return QSize(640, RULER + 2 * 96 + GAP)

    # --- what is shown

    def set_recording(self, rate: int, agent: Peaks, far: Peaks) -> None:
        """Show a recording, all of it."""
        self._rate, self._peaks = rate, (agent, far)
        self._length = agent.samples / rate
        self._position, self._loop = 0.0, None
        self._show(0.0, self._length)

    def clear(self) -> None:
        self._peaks, self._length, self._position, self._loop = None, 0.0, 0.0, None
        self._show(0.0, 0.0)

    def set_position(self, seconds: float) -> None:
        """Move the playhead; a zoomed view follows it page by page."""
        if seconds == self._position:
            return
        before, self._position = self._x(self._position), seconds
        span = self._to - self._from
        if self._peaks is not None and span < self._length and not self._from <= seconds <= self._to:
            self._show(seconds, seconds + span)
            return
        for x in (before, self._x(seconds)):
            self.update(math.floor(x) - 3, 0, 7, self.height())

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        if loop != self._loop:
            self._loop = loop
            self.update()

    def set_audible(self, agent: bool, far: bool) -> None:
        """A side that is not heard is drawn grey."""
        if (agent, far) != self._audible:
            self._audible = (agent, far)
            self.update()

    @property
    def shown(self) -> tuple[float, float]:
        """First and last second in view."""
        return self._from, self._to

    @property
    def position(self) -> float:
        return self._position

    def zoom(self, factor: float, about: float | None = None) -> None:
        """Show ``factor`` times as much, around a moment (the playhead)."""
        if self._peaks is None:
            return
        span = min(self._length, max(min(MIN_SPAN, self._length), (self._to - self._from) * factor))
        about = self._position if about is None else about
        share = (about - self._from) / (self._to - self._from)
        if not 0.0 <= share <= 1.0:
            share = 0.5
        self._show(about - share * span, about + (1 - share) * span)

    def _show(self, start: float, end: float) -> None:
        span = min(end - start, self._length)
        self._from = max(0.0, min(start, self._length - span))
        self._to = self._from + span
        self._picture_of = None
        self.update()

    # --- where things are

    def _lanes(self) -> tuple[QRectF, QRectF]:
        height = (self.height() - RULER - GAP) / 2
        return (
            QRectF(0, RULER, self.width(), height),
            QRectF(0, RULER + height + GAP, self.width(), height),
        )

    def lane_tops(self) -> tuple[int, int]:
        """Where the two lanes begin, for what stands beside them."""
        first, second = self._lanes()
        return round(first.top()), round(second.top())

    def _x(self, seconds: float) -> float:
        span = self._to - self._from
        return (seconds - self._from) / span * self.width() if span else 0.0

    def _seconds(self, x: float) -> float:
        share = max(0.0, min(1.0, x / max(1, self.width())))
        return self._from + share * (self._to - self._from)

    # --- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._peaks is not None:
            self._pressed, self._dragged = event.position().x(), None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        x = event.position().x()
        if self._dragged is not None or abs(x - self._pressed) >= _DRAG:
            self._dragged = x
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, dragged = self._pressed, self._dragged
        self._pressed = self._dragged = None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if dragged is None:
            self.sought.emit(self._seconds(pressed))
        else:
            start, end = sorted((self._seconds(pressed), self._seconds(dragged)))
            self.selected.emit(start, end)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._peaks is None:
            return
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or not event.angleDelta().y():
            shift = -notches * (self._to - self._from) / 8
            self._show(self._from + shift, self._to + shift)
        else:
            self.zoom(0.8**notches, self._seconds(event.position().x()))
        event.accept()

    # --- painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._picture_of = None

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = tokens()
        # Everything but the playhead is drawn once and kept: a playing recording repaints a few pixels.
        look = (theme.name, self.size(), self.devicePixelRatioF(), self._audible, self._from, self._to)
        if self._picture is None or self._picture_of != look:
            self._picture, self._picture_of = self._drawn(), look
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        passage = self._passage()
        if passage is not None:
            self._paint_passage(painter, *passage)
        if self._peaks is not None:
            x = self._x(self._position)
            painter.setPen(QPen(theme.color("bad"), 2))
            painter.drawLine(QPointF(x, RULER - 4), QPointF(x, self.height()))

    def _passage(self) -> tuple[float, float] | None:
        if self._pressed is not None and self._dragged is not None:
            return min(self._pressed, self._dragged), max(self._pressed, self._dragged)
        return (self._x(self._loop[0]), self._x(self._loop[1])) if self._loop else None

    def _paint_passage(self, painter: QPainter, left: float, right: float) -> None:
        color = tokens().color("warn")
        ground = QColor(color)
        ground.setAlphaF(0.16)
        rect = QRectF(left, RULER - 2, right - left, self.height() - RULER + 2)
        painter.fillRect(rect, ground)
        painter.setPen(QPen(color, 1))
        painter.drawLine(rect.topLeft(), rect.bottomLeft())
        painter.drawLine(rect.topRight(), rect.bottomRight())

    def _drawn(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = tokens()
        self._draw_ruler(painter)
        for index, (lane, color) in enumerate(zip(self._lanes(), (theme.accent, theme.ok), strict=True)):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("row"))
            painter.drawRoundedRect(lane, 6, 6)
            if self._peaks is not None:
                ink = QColor(color if self._audible[index] else theme.faint)
                self._draw_lane(painter, lane, self._peaks[index], ink)
        painter.end()
        return picture

    def _draw_lane(self, painter: QPainter, lane: QRectF, peaks: Peaks, ink: QColor) -> None:
        assert self._peaks is not None
        scale = (lane.height() / 2 - 4) / max(2000, *(p.loudest for p in self._peaks))
        middle = lane.center().y()
        count = max(1, int(lane.width()) // _PITCH)
        lows, highs = peaks.columns(self._from * self._rate, self._to * self._rate, count)
        bars = [
            QLineF(i * _PITCH + 1, middle - max(0.5, high * scale), i * _PITCH + 1, middle + max(0.5, -low * scale))
            for i, (low, high) in enumerate(zip(lows, highs, strict=True))
        ]
        pen = QPen(ink, _BAR)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLines(bars)

    def _draw_ruler(self, painter: QPainter) -> None:
        span = self._to - self._from
        if span <= 0:
            return
        face = font(SECONDARY_PX)
        painter.setFont(face)
        painter.setPen(tokens().color("dim"))
        room = QFontMetrics(face).horizontalAdvance("0:00:00") + 56
        step = next((s for s in _STEPS if s / span * self.width() >= room), _STEPS[-1])
        at = math.ceil(self._from / step) * step
        while at <= self._to:
            text = fmt.clock(at) if step >= 1 else f"{fmt.clock(at)}.{int(at * 10) % 10}"
            width = QFontMetrics(face).horizontalAdvance(text)
            x = min(max(0.0, self._x(at) - width / 2), self.width() - width)
            painter.drawText(QPointF(x, RULER - 11), text)
            at += step
