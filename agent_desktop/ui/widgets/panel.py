"""Base of everything that shows text: re-reads its texts when the language changes."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QFrame, QWidget

from agent_desktop.ui.theme import set_look


class Panel(QFrame):
    """A frame with a surface (``panel``, ``row``, ``background``, ``header``, ``card``, ``notice``; empty: none)."""

    def __init__(self, parent: QWidget | None = None, *, surface: str = "", edge: str = "") -> None:
        super().__init__(parent)
        if surface:
            set_look(self, surface=surface)
        if edge:
            set_look(self, edge=edge)

    def retranslate(self) -> None:
        """Set every text again, in the language that is spoken now."""

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)


class Card(Panel):
    """A panel with a border and round corners; ``tone="accent"`` marks the one that is chosen."""

    def __init__(self, parent: QWidget | None = None, *, tone: str = "") -> None:
        super().__init__(parent, surface="card")
        if tone:
            set_look(self, tone=tone)
