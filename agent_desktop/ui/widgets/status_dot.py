"""A coloured dot with its word: an indicator that needs no colour to be read."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from agent_desktop.ui.theme import Tone, set_look, tokens
from agent_desktop.ui.widgets.badge import paint_dot
from agent_desktop.ui.widgets.labels import label


class Dot(QWidget):
    """The dot alone, 8 px."""

    def __init__(self, tone: Tone = Tone.GREY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def tone(self) -> Tone:
        return self._tone

    def set_tone(self, tone: Tone) -> None:
        if tone is not self._tone:
            self._tone = tone
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(8, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = tokens()
        color = theme.color("faint") if self._tone is Tone.GREY else theme.tone(self._tone)
        paint_dot(QPainter(self), 0, self.height() / 2, color)


class StatusDot(QWidget):
    """Dot and word; the word takes the tone too when it is a warning or worse. Hidden while its text is empty."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._dot = Dot()
        self._label = label("secondary")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        row.addWidget(self._dot)
        row.addWidget(self._label)

    @property
    def text(self) -> str:
        return self._label.text()

    @property
    def tone(self) -> Tone:
        return self._dot.tone

    def set(self, text: str, tone: Tone, tip: str = "") -> None:
        """Show a word in a tone; ``tip`` says more."""
        self._dot.set_tone(tone)
        self._label.setText(text)
        set_look(self._label, tone=tone.value if tone in (Tone.WARN, Tone.BAD) else "grey")
        self.setToolTip(tip)
        self.setAccessibleName(text)
        self.setAccessibleDescription(tip)
        self.setVisible(bool(text))
