"""Where to send a call: a number or a colleague's extension, at once or after a question to them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout

from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.ui.collector.number_hint import NumberHint
from agent_desktop.ui.language import translate
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class _TargetField(QLineEdit):
    """Enter asks first, Shift+Enter sends the caller at once, Esc closes."""

    entered = Signal(bool)
    """True with Shift."""
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier
        if event.key() in _ENTER and not event.modifiers() & ~plain:
            self.entered.emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class TransferBox(Panel):
    """Names: ``call.transferTo``, ``call.consult``, ``call.transferNow``, ``call.transferPlace``."""

    consult = Signal(str)
    """Dial this number first."""
    blind = Signal(str)
    """Send the far end there at once."""
    closed = Signal()

    def __init__(self, place_of: Callable[[str], NumberPlace]) -> None:
        super().__init__()
        self._field = _TargetField()
        self._field.setObjectName("call.transferTo")
        self._field.setMinimumHeight(30)
        self._place = NumberHint("call.transferPlace", place_of)
        self._hint = label("small", wrap=True)
        self._consult = KeyButton("↵", name="call.consult")
        self._now = KeyButton("⇧ ↵", name="call.transferNow")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._consult, 1)
        buttons.addWidget(self._now, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self._field)
        box.addWidget(self._place)
        box.addLayout(buttons)
        box.addWidget(self._hint)
        self._field.textChanged.connect(self._place.ask)
        self._field.entered.connect(self._on_entered)
        self._field.left.connect(self.closed)
        self._consult.clicked.connect(lambda: self._on_entered(False))
        self._now.clicked.connect(lambda: self._on_entered(True))
        self.retranslate()

    def start(self) -> None:
        """Empty it and put the cursor in."""
        self._field.clear()
        self._field.setFocus()

    def _on_entered(self, at_once: bool) -> None:
        number = self._field.text().strip()
        if not number:
            self._field.setFocus()
        elif at_once:
            self.blind.emit(number)
        else:
            self.consult.emit(number)

    def retranslate(self) -> None:
        self._field.setPlaceholderText(translate("CallPanel", "Number or extension"))
        self._field.setAccessibleName(translate("CallPanel", "Whom to transfer to"))
        self._consult.setText(translate("CallPanel", "Ask first"))
        self._now.setText(translate("CallPanel", "At once"))
        self._hint.setText(
            translate("CallPanel", "Or choose a contact and press F2: the call is put on hold and they are dialled.")
        )
