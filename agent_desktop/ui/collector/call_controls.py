"""What can be done about the call that is shown: answer or refuse it, mute, hold, keypad, transfer, hang up."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout

from agent_desktop.services.call_views import CallView
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.collector.keypad import Keypad
from agent_desktop.ui.language import translate
from agent_desktop.ui.widgets.button_rows import button_rows
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.panel import Panel

_TALL = 34


class CallControls(Panel):
    """Names: ``call.answer``, ``call.reject``, ``call.decline``, ``call.sendExtension``, ``call.mute``, ``call.hold``,
    ``call.keypad``, ``call.transfer``, ``call.hangUp``, beside a second call ``call.hangUpThis``. A toggle shows what
    the line says, not what was asked for."""

    answer = Signal()
    reject = Signal(str)
    """``busy`` or ``decline``."""
    mute = Signal(bool)
    hold = Signal(bool)
    hang_up = Signal()
    dtmf = Signal(str)
    transfer_opened = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._view: CallView | None = None
        self._answer = KeyButton("F3", kind="good", name="call.answer")
        self._reject = KeyButton("F4", name="call.reject")
        self._decline = KeyButton("", name="call.decline")
        self._mute = KeyButton("F9", name="call.mute")
        self._hold = KeyButton("F8", name="call.hold")
        self._extension = KeyButton("", name="call.sendExtension")
        self._sent_in = ""
        """The call in which the number's extension was sent already."""
        self._keys = KeyButton("F12", name="call.keypad")
        self._transfer = KeyButton("F10", name="call.transfer")
        self._hang_up = KeyButton("F4", kind="danger", name="call.hangUp")
        self._hang_up_beside = KeyButton("F4", kind="danger", name="call.hangUpThis")
        """The same in a smaller place, where a second call needs the room."""
        self.keypad = Keypad()
        self.keypad.hide()
        self._build()
        self._connect()
        self.retranslate()

    def _build(self) -> None:
        for toggle in (self._mute, self._hold, self._keys, self._transfer):
            toggle.setCheckable(True)
        for button in (self._answer, self._reject, self._decline):
            button.setMinimumHeight(_TALL)
        self._offer = button_rows((self._answer, self._reject, self._decline))
        self._grid = button_rows((self._mute, self._hold), (self._keys, self._transfer, self._hang_up_beside))
        self.below = QVBoxLayout()
        """Room for what a toggle opens."""
        self.below.addWidget(self.keypad)
        self._hang_up.setMinimumHeight(_TALL)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self._offer)
        box.addWidget(self._extension)
        box.addWidget(self._grid)
        box.addLayout(self.below)
        box.addWidget(self._hang_up)

    def _connect(self) -> None:
        self._answer.clicked.connect(self.answer)
        self._reject.clicked.connect(lambda: self.reject.emit("busy"))
        self._decline.clicked.connect(lambda: self.reject.emit("decline"))
        self._mute.clicked.connect(self._on_mute)
        self._hold.clicked.connect(self._on_hold)
        self._hang_up.clicked.connect(self.hang_up)
        self._hang_up_beside.clicked.connect(self.hang_up)
        self._extension.clicked.connect(self._on_extension)
        self._keys.toggled.connect(self._on_keys)
        self._transfer.toggled.connect(self._on_transfer)
        self.keypad.pressed.connect(self.dtmf)

    def show_call(self, view: CallView | None, *, alone: bool) -> None:
        """Show what can be done now; ``alone``: no second call is up, so this one can be transferred."""
        self._view = view
        up = view is not None and view.state != "ended"
        ringing = view is not None and call_text.ringing_in(view)
        active = view is not None and view.state == "active"
        self.setVisible(up)
        self._offer.setVisible(ringing)
        self._grid.setVisible(up and not ringing)
        self._hang_up.setVisible(up and not ringing and alone)
        self._hang_up_beside.setVisible(not alone)
        for button in (self._mute, self._hold, self._keys):
            button.setEnabled(active)
        self._transfer.setEnabled(active)
        self._transfer.setVisible(alone)
        self._mute.setChecked(bool(view and view.muted))
        self._hold.setChecked(bool(view and view.held))
        self._show_extension(view)
        if not active:
            self._keys.setChecked(False)
        if not (active and alone):
            self._transfer.setChecked(False)

    def _show_extension(self, view: CallView | None) -> None:
        wanted = view.extension if view is not None and view.state == "active" and view.id != self._sent_in else ""
        self._extension.setText(translate("CallPanel", "Send extension {extension}").format(extension=wanted))
        self._extension.setVisible(bool(wanted))

    def _on_extension(self) -> None:
        if self._view is not None:
            self._sent_in = self._view.id
            self.dtmf.emit(self._view.extension)
            self._show_extension(self._view)

    def toggle_keypad(self) -> None:
        if self._keys.isEnabled() and self.isVisible():
            self._keys.toggle()

    def toggle_transfer(self) -> None:
        if self._transfer.isEnabled() and self._transfer.isVisible():
            self._transfer.toggle()

    def close_transfer(self) -> None:
        self._transfer.setChecked(False)

    def _on_mute(self, on: bool) -> None:
        self._mute.setChecked(bool(self._view and self._view.muted))
        self.mute.emit(on)

    def _on_hold(self, on: bool) -> None:
        self._hold.setChecked(bool(self._view and self._view.held))
        self.hold.emit(on)

    def _on_keys(self, on: bool) -> None:
        self.keypad.setVisible(on)
        if on:
            self._transfer.setChecked(False)
            self.keypad.start()

    def _on_transfer(self, on: bool) -> None:
        if on:
            self._keys.setChecked(False)
        self.transfer_opened.emit(on)

    def retranslate(self) -> None:
        self._answer.setText(translate("CallPanel", "Answer"))
        self._reject.setText(translate("CallPanel", "Busy"))
        self._reject.setToolTip(translate("CallPanel", "The caller hears that you are busy"))
        self._decline.setText(translate("CallPanel", "Decline"))
        self._decline.setToolTip(translate("CallPanel", "The caller hears that the call was declined"))
        self._mute.setText(translate("CallPanel", "Mute"))
        self._hold.setText(translate("CallPanel", "Hold"))
        self._keys.setText(translate("CallPanel", "Keypad"))
        self._transfer.setText(translate("CallPanel", "Transfer"))
        for button in (self._hang_up, self._hang_up_beside):
            button.setText(translate("CallPanel", "Hang up"))
        self._show_extension(self._view)
