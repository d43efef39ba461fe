"""The top of the call panel: who it is, how long, how the call stands, and how it came here."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from agent_desktop.services.call_views import CallView
from agent_desktop.ui import format as fmt
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import ElidedLabel, label
from agent_desktop.ui.widgets.marks import Mark
from agent_desktop.ui.widgets.panel import Panel

_TOP = 26
"""Height of the row with the name and the timer."""


class CallHead(Panel):
    """Names: ``call.title``, ``call.subtitle``, ``call.state``, ``call.timer``, and the marks ``call.encrypted``,
    ``call.autoAnswered``, ``call.transferredBy``."""

    def __init__(self) -> None:
        super().__init__()
        self._view: CallView | None = None
        self._title = ElidedLabel("heading")
        self._title.setObjectName("call.title")
        self._subtitle = ElidedLabel("secondary")
        self._subtitle.setObjectName("call.subtitle")
        self._state = label("secondary", name="call.state", wrap=True)
        self._timer = label("timer", name="call.timer")
        self._encrypted = Mark("call.encrypted", Tone.OK, lock=True)
        self._auto = Mark("call.autoAnswered", Tone.WARN)
        self._by = ElidedLabel("small")
        self._by.setObjectName("call.transferredBy")
        self._build()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._title, 1)
        top.addWidget(self._timer)
        self._timer.setFixedHeight(_TOP)
        self._marks = QWidget()
        marks = QHBoxLayout(self._marks)
        marks.setContentsMargins(0, 0, 0, 0)
        marks.setSpacing(10)
        marks.setAlignment(Qt.AlignmentFlag.AlignLeft)
        marks.addWidget(self._encrypted)
        marks.addWidget(self._auto)
        marks.addWidget(self._by, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(top)
        box.addWidget(self._subtitle)
        box.addWidget(self._state)
        box.addWidget(self._marks)

    def show_call(self, view: CallView | None) -> None:
        """Show a call; ``None``: there has been none yet."""
        self._view = view
        self._title.setText(call_text.title(view) if view else translate("CallPanel", "No call"))
        self._subtitle.setText(call_text.subtitle(view) if view else "")
        self._subtitle.setVisible(view is not None)
        state = call_text.state(view) if view else ""
        self._state.setText(state)
        self._state.setVisible(bool(state))
        set_look(self._state, tone=_tone(view).value)
        self._timer.setVisible(view is not None)
        self._show_marks(view)
        self.tick()

    def _show_marks(self, view: CallView | None) -> None:
        up = view is not None and view.state != "ended"
        self._encrypted.set(translate("CallPanel", "Encrypted") if view and up and view.encrypted else "")
        self._auto.set(translate("CallPanel", "Answered by itself") if view and up and view.auto_answered else "")
        by = fmt.masked(view.transferred_by) if view and up and view.transferred_by else ""
        self._by.setText(translate("CallPanel", "Transferred here by {who}").format(who=by) if by else "")
        self._by.setVisible(bool(by))
        self._marks.setVisible(bool(by or self._encrypted.text or self._auto.text))

    def tick(self) -> None:
        """Time goes on."""
        if self._view is not None:
            self._timer.setText(fmt.clock(call_text.seconds(self._view)))

    def retranslate(self) -> None:
        self.show_call(self._view)


def _tone(view: CallView | None) -> Tone:
    if view is None or view.state == "ended":
        return Tone.GREY
    return Tone.WARN if view.held or view.muted or view.far_held else Tone.ACCENT
