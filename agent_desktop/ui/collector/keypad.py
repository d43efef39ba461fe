"""Tones during a call: a small keypad, and a field that sends each key typed in it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from agent_desktop.ui.language import translate
from agent_desktop.ui.widgets.panel import Panel

DIGITS = "123456789*0#"
_TYPED = frozenset("0123456789*#ABCD")


class _ToneField(QLineEdit):
    """Shows what was sent; every accepted key goes out at once and cannot be taken back."""

    typed = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = event.text().upper()
        if digit in _TYPED and digit:
            self.typed.emit(digit)
        elif not digit:
            super().keyPressEvent(event)


class Keypad(Panel):
    """``pressed(digit)``; names ``call.dtmf`` for the field and ``call.dtmf.5`` for a key."""

    pressed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field = _ToneField()
        self._field.setObjectName("call.dtmf")
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, digit in enumerate(DIGITS):
            key = QPushButton(digit)
            key.setObjectName(f"call.dtmf.{digit}")
            key.clicked.connect(lambda _checked=False, d=digit: self._send(d))
            grid.addWidget(key, place // 3, place % 3)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self._field)
        box.addLayout(grid)
        self._field.typed.connect(self._send)
        self.retranslate()

    def retranslate(self) -> None:
        self._field.setPlaceholderText(translate("CallPanel", "Tones: type or click"))
        self._field.setAccessibleName(translate("CallPanel", "Keypad"))

    def start(self) -> None:
        """Empty it and put the cursor in."""
        self._field.clear()
        self._field.setFocus()

    def _send(self, digit: str) -> None:
        self._field.setText(self._field.text() + digit)
        self.pressed.emit(digit)
