"""A bar that asks before a call is hung up by closing the window or signing out."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout

from agent_desktop.ui.language import translate
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel


class LeaveBar(Panel):
    """Names: ``leave``, ``leave.text``, ``leave.stay``, ``leave.go``."""

    def __init__(self) -> None:
        super().__init__(surface="alarm")
        self.setObjectName("leave")
        self._go_on: Callable[[], None] | None = None
        self._signing_out = False
        self._text = label("strong", name="leave.text", wrap=True)
        self._stay = KeyButton("Esc", name="leave.stay")
        self._go = KeyButton("", kind="danger", name="leave.go")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        row.addWidget(self._text, 1)
        row.addWidget(self._stay)
        row.addWidget(self._go)
        self._stay.clicked.connect(self.dismiss)
        self._go.clicked.connect(self._on_go)
        self.retranslate()
        self.hide()

    def ask(self, go_on: Callable[[], None], *, signing_out: bool) -> None:
        """Ask; ``go_on`` when the person says that the call may be hung up."""
        self._go_on, self._signing_out = go_on, signing_out
        self.retranslate()
        self.show()
        self._stay.setFocus()

    def dismiss(self) -> None:
        """The call goes on, or has ended by itself: there is nothing to ask."""
        self._go_on = None
        self.hide()

    def _on_go(self) -> None:
        go_on = self._go_on
        self.dismiss()
        if go_on is not None:
            go_on()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def retranslate(self) -> None:
        self._text.setText(
            translate("Leave", "A call is up, and signing out hangs it up. What was recorded is safe on this seat.")
            if self._signing_out
            else translate("Leave", "A call is up, and closing hangs it up. What was recorded is safe on this seat.")
        )
        self._stay.setText(translate("Leave", "Stay on the call"))
        self._go.setText(
            translate("Leave", "Hang up and sign out") if self._signing_out else translate("Leave", "Hang up and close")
        )
