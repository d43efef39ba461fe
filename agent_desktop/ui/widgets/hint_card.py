"""A card that says what to try, until it is put away."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel


class HintCard(Panel):
    """A title and a few lines. ``dismissed`` is emitted when the person puts it away."""

    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, surface="banner")
        self.setObjectName("hint")
        self._title = label("strong", tone=None)
        self._body = label("", wrap=True, name="hint.text")
        self._close = QPushButton()
        self._close.setObjectName("hint.close")
        set_look(self._close, kind="link")
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self._close)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 8, 16, 10)
        box.setSpacing(4)
        box.addLayout(top)
        box.addWidget(self._body)
        self._close.clicked.connect(self._dismiss)
        self.retranslate()

    def set(self, title: str, lines: list[str]) -> None:
        """Say something else."""
        self._title.setText(title)
        self._body.setText("  ".join(lines))

    def retranslate(self) -> None:
        self._close.setText(translate("HintCard", "Got it"))

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()
