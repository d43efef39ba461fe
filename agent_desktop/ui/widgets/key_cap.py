"""Small key caps, shown where a key works, and the button that carries one."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from agent_desktop.ui.theme import SMALL_PX, font, set_look, text_width, tokens

CAP_HEIGHT = 17
_GAP = 6


def cap_width(text: str) -> int:
    """Pixels that a key cap takes."""
    return max(CAP_HEIGHT, text_width(text, SMALL_PX) + 9) if text else 0


def paint_key_cap(painter: QPainter, x: int, center_y: int, text: str, *, filled: bool = False) -> int:
    """Paint a key cap whose left edge is at ``x``; ``filled``: on a coloured button. Returns its width."""
    width = cap_width(text)
    theme = tokens()
    rect = QRectF(x + 0.5, center_y - CAP_HEIGHT / 2 + 0.5, width - 1, CAP_HEIGHT - 1)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ground, edge, ink = QColor(theme.row), QColor(theme.line), QColor(theme.dim)
    if filled:
        ink = QColor(theme.on_accent)
        ground = QColor(ink)
        ground.setAlphaF(0.16)
        edge = QColor(ink)
        edge.setAlphaF(0.4)
    painter.setPen(QPen(edge, 1))
    painter.setBrush(ground)
    painter.drawRoundedRect(rect, 4, 4)
    painter.setPen(ink)
    painter.setFont(font(SMALL_PX))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
    return width


class KeyCap(QWidget):
    """A key cap beside a label."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(cap_width(self._text), CAP_HEIGHT + 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_key_cap(QPainter(self), 0, self.rect().center().y() + 1, self._text)


class KeyButton(QPushButton):
    """A push button with the key that does the same. ``kind`` as in desk.qss (``primary``, ``danger``, ``outcome`` …).

    The cap only shows the key: the shortcut itself belongs to the page, which knows when it may act.
    """

    def __init__(self, key: str = "", *, kind: str = "", name: str = "", cap_first: bool = False) -> None:
        super().__init__()
        self._key = key
        self._cap_first = cap_first
        if kind:
            set_look(self, kind=kind)
        if name:
            self.setObjectName(name)

    @property
    def key(self) -> str:
        return self._key

    def sizeHint(self) -> QSize:
        cap = cap_width(self._key) + _GAP if self._key else 0
        text = QFontMetrics(self._bold()).horizontalAdvance(self.text())
        return QSize(text + cap + 2 * self._margin() + 4, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        text, option.text = option.text, ""
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        color = self._ink()
        room = self.rect().adjusted(self._margin(), 0, -self._margin(), 0)
        cap = cap_width(self._key) + _GAP if self._key else 0
        face = self._bold() if self.isChecked() else self.font()
        width = min(QFontMetrics(face).horizontalAdvance(text) + 1, room.width() - cap)
        left = room.left() if self._cap_first else room.left() + (room.width() - width - cap) // 2
        center = room.center().y() + 1
        filled = self.property("kind") in ("primary", "danger", "good") and self.isEnabled()
        text_left = left + (cap if self._cap_first else 0)
        cap_left = left if self._cap_first else left + width + _GAP
        painter.setPen(color)
        painter.setFont(face)
        painter.drawText(QRect(text_left, room.top(), width + 1, room.height()), Qt.AlignmentFlag.AlignVCenter, text)
        if self._key:
            paint_key_cap(painter, cap_left, center, self._key, filled=filled)

    def _margin(self) -> int:
        return 6 if self.property("kind") == "quiet" else 10

    def _bold(self) -> QFont:
        face = QFont(self.font())
        face.setWeight(QFont.Weight.DemiBold)
        return face

    def _ink(self) -> QColor:
        theme = tokens()
        kind = self.property("kind")
        if not self.isEnabled():
            return QColor(theme.dim if kind == "primary" else theme.faint)
        if kind in ("primary", "danger", "good"):
            return QColor(theme.on_accent)
        return QColor(theme.accent) if self.isChecked() else self.palette().color(QPalette.ColorRole.ButtonText)
