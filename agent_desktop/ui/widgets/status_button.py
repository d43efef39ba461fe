"""An indicator that can be pressed: a dot, its word, and more of it in what opens."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QStyle, QStyleOptionToolButton, QStylePainter, QToolButton, QWidget

from agent_desktop.ui.theme import SECONDARY_PX, Tone, font, set_look, text_width, tokens
from agent_desktop.ui.widgets.badge import paint_dot

_PAD, _GAP, _DOT = 4, 5, 8


class StatusButton(QToolButton):
    """As ``StatusDot``, but a button; the word takes the tone when it is a warning or worse. Hidden while empty."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._tone = Tone.GREY
        set_look(self, kind="quiet")

    @property
    def tone(self) -> Tone:
        return self._tone

    def set(self, text: str, tone: Tone, tip: str = "") -> None:
        """Show a word in a tone; ``tip`` says more."""
        self._tone = tone
        if text != self.text():
            self.setText(text)
            self.updateGeometry()
        self.setToolTip(tip)
        self.setAccessibleName(text)
        self.setAccessibleDescription(tip)
        self.setVisible(bool(text))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(2 * _PAD + _DOT + _GAP + text_width(self.text(), SECONDARY_PX) + 2, 28)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        theme = tokens()
        loud = self._tone in (Tone.WARN, Tone.BAD)
        dot = theme.color("faint") if self._tone is Tone.GREY else theme.tone(self._tone)
        center = self.rect().center().y() + 1
        paint_dot(painter, _PAD, center, QColor(dot), _DOT)
        painter.setPen(theme.tone(self._tone) if loud else theme.color("dim"))
        painter.setFont(font(SECONDARY_PX))
        room = QRect(_PAD + _DOT + _GAP, 0, self.width(), self.height())
        QPainter.drawText(painter, room, Qt.AlignmentFlag.AlignVCenter, self.text())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.update()
