"""Text: labels by role, one that shortens itself, and the header of a section."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.panel import Panel


def label(role: str = "", text: str = "", *, name: str = "", tone: Tone | None = None, wrap: bool = False) -> QLabel:
    """A plain-text label; ``role`` as in resources/themes/desk.qss: ``title``, ``heading``, ``dim``, ``secondary`` …"""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        set_look(made, role=role)
    if tone is not None:
        set_look(made, tone=tone.value)
    if name:
        made.setObjectName(name)
    return made


class ElidedLabel(QLabel):
    """One line that ends in … when it does not fit, and then says all of itself in its tool tip."""

    def __init__(self, role: str = "", text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if role:
            set_look(self, role=role)

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        shown = elided(self.fontMetrics(), self.text(), self.width())
        tip = self.text() if shown != self.text() else ""
        if tip != self.toolTip():
            self.setToolTip(tip)
        painter.drawText(self.rect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, shown)


def elided(metrics: QFontMetrics, text: str, width: int) -> str:
    """``text``, shortened at its end to ``width`` pixels."""
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)


class SectionHeader(Panel):
    """The bar above a table or list: a title, a hint beside it, and room for more on either side."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, surface="header")
        self.title = label("strong")
        self.hint = label("dim")
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(16, 6, 12, 6)
        self.row.setSpacing(8)
        self.row.addWidget(self.title)
        self.row.addWidget(self.hint)
        self.row.addStretch(1)

    def add(self, widget: QWidget) -> None:
        """Put a widget after the hint."""
        self.row.insertWidget(self.row.count() - 1, widget)

    def add_right(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        self.row.addWidget(widget)
