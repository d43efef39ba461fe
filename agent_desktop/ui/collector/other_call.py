"""The second call: one that waits to be answered, one on hold, or the other side of a conference."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from agent_desktop.services.call_views import CallView
from agent_desktop.ui import format as fmt
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.collector.call_book import CallBook
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.button_rows import button_rows
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import ElidedLabel, label
from agent_desktop.ui.widgets.panel import Card


class OtherCall(Card):
    """Names: ``other.title``, ``other.subtitle``, ``other.timer``, ``other.answer``, ``other.reject``,
    ``other.decline``, ``other.openCase``, ``other.switch``, ``other.conference``, ``other.connect``, ``other.cancel``,
    ``other.hangUp``."""

    answer = Signal()
    reject = Signal(str)
    open_case = Signal(str)
    switch = Signal()
    conference = Signal(bool)
    connect_both = Signal()
    """Let the two far ends talk with each other, without us: an attended transfer, or leaving the conference."""
    cancel = Signal()
    """End the call that was made to ask, and go back to the first."""
    hang_up = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("other")
        self._view: CallView | None = None
        self._joined = False
        self._title = ElidedLabel("strong")
        self._title.setObjectName("other.title")
        self._subtitle = ElidedLabel("secondary")
        self._subtitle.setObjectName("other.subtitle")
        self._timer = label("strong", name="other.timer")
        self._answer = KeyButton("F3", kind="good", name="other.answer")
        self._reject = KeyButton("⇧ F4", name="other.reject")
        self._decline = KeyButton("", name="other.decline")
        self._open = KeyButton("", kind="link", name="other.openCase")
        self._switch = KeyButton("F7", name="other.switch")
        self._join = KeyButton("F11", name="other.conference")
        self._connect = KeyButton("F10", name="other.connect")
        self._cancel = KeyButton("", name="other.cancel")
        self._hang_up = KeyButton("", name="other.hangUp")
        self._build()
        self._answer.clicked.connect(self.answer)
        self._reject.clicked.connect(lambda: self.reject.emit("busy"))
        self._decline.clicked.connect(lambda: self.reject.emit("decline"))
        self._open.clicked.connect(lambda: self.open_case.emit(self._view.case_id if self._view else ""))
        self._switch.clicked.connect(self.switch)
        self._join.clicked.connect(lambda: self.conference.emit(not self._joined))
        self._connect.clicked.connect(self.connect_both)
        self._cancel.clicked.connect(self.cancel)
        self._hang_up.clicked.connect(self.hang_up)
        self.retranslate()
        self.hide()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._title, 1)
        top.addWidget(self._timer)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self._subtitle, 1)
        below.addWidget(self._open, 0, Qt.AlignmentFlag.AlignRight)
        self._waiting = button_rows((self._answer,), (self._reject, self._decline))
        self._beside = button_rows((self._switch, self._join), (self._connect, self._cancel, self._hang_up))
        box = QVBoxLayout(self)
        box.setContentsMargins(10, 8, 10, 10)
        box.setSpacing(4)
        box.addLayout(top)
        box.addLayout(below)
        box.addSpacing(2)
        box.addWidget(self._waiting)
        box.addWidget(self._beside)

    def show_calls(self, book: CallBook) -> None:
        """Show the call in second place; hidden when there is none."""
        view, shown = book.other, book.up
        self._view, self._joined = view, book.conference
        if view is None:
            self.hide()
            return
        waiting = call_text.ringing_in(view)
        title = call_text.title(view)
        self._title.setText(translate("CallPanel", "Waiting: {who}").format(who=title) if waiting else title)
        set_look(self, tone="accent" if waiting else "")
        self._subtitle.setText(call_text.second_line(view))
        set_look(self._subtitle, tone=(Tone.GREY if waiting or self._joined else Tone.WARN).value)
        self._open.setVisible(waiting and bool(view.case_id))
        self._waiting.setVisible(waiting)
        self._beside.setVisible(not waiting)
        both = shown is not None and shown.state == view.state == "active"
        asking = bool(book.consulted) and not self._joined
        for button in (self._switch, self._join, self._connect):
            button.setEnabled(both)
        self._switch.setVisible(not self._joined)
        self._cancel.setVisible(asking)
        self._hang_up.setVisible(not asking)
        set_look(self._connect, kind="primary" if asking else "")
        self._words(asking=asking)
        self.tick()
        self.show()

    def tick(self) -> None:
        """Time goes on."""
        if self._view is not None:
            self._timer.setText(fmt.clock(call_text.seconds(self._view)))

    def _words(self, *, asking: bool) -> None:
        self._join.setText(translate("CallPanel", "Part") if self._joined else translate("CallPanel", "Conference"))
        if asking:
            self._connect.setText(translate("CallPanel", "Complete transfer"))
        elif self._joined:
            self._connect.setText(translate("CallPanel", "Let them talk"))
        else:
            self._connect.setText(translate("CallPanel", "Connect both"))

    def retranslate(self) -> None:
        self._answer.setText(translate("CallPanel", "Hold and answer"))
        self._reject.setText(translate("CallPanel", "Busy"))
        self._decline.setText(translate("CallPanel", "Decline"))
        self._open.setText(translate("CallPanel", "See case"))
        self._switch.setText(translate("CallPanel", "Switch"))
        self._cancel.setText(translate("CallPanel", "Cancel"))
        self._hang_up.setText(translate("OtherCall", "Hang up"))
        self._words(asking=False)
