"""The collector's workspace: queue, case, call and wrap-up on one screen, and the keys that drive them.

Keys: Ctrl+K search, F6 next case, F2 dial the chosen contact, F3 answer, F4 hang up or reject, F8 hold, F9 mute,
1–8 outcome (while no field is being typed in), Ctrl+Enter save and next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from agent_desktop.domain.models import Outcome
from agent_desktop.services.calls import CallView
from agent_desktop.services.desk import Desk
from agent_desktop.ui.agent_state import AgentState
from agent_desktop.ui.background import Relay
from agent_desktop.ui.collector.call_actions import CallActions
from agent_desktop.ui.collector.call_panel import CallPanel
from agent_desktop.ui.collector.case_flow import CaseFlow
from agent_desktop.ui.collector.case_view import CaseView
from agent_desktop.ui.collector.queue import QueuePanel
from agent_desktop.ui.collector.wrap_up import WrapUpPanel
from agent_desktop.ui.places import Places
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.panel import Panel

_LEFT, _RIGHT = 275, 336
_NARROW, _NARROW_LEFT, _NARROW_RIGHT = 1360, 236, 300


class CollectorPage(QWidget):
    """``worked``: a note was saved, so the figures of the day have changed."""

    worked = Signal()

    def __init__(self, desk: Desk, agent_state: AgentState) -> None:
        super().__init__()
        self.setObjectName("collector")
        set_look(self, surface="background")
        self.places = Places(self)
        self.queue = QueuePanel(desk.cases, self.places)
        self.case_view = CaseView(self.places)
        self.call_panel = CallPanel(desk.cases)
        self.wrap_up = WrapUpPanel()
        self.calls = CallActions(desk.calls, self.call_panel, self.case_view, self)
        self.flow = CaseFlow(desk, self.queue, self.case_view, self.wrap_up, self)
        self._agent_state = agent_state
        self._build()
        self._connect()
        Relay(desk.cases.changed, self.flow.on_cases_changed, self)
        Relay(desk.calls.changed, self._on_call, self)
        Relay(desk.calls.levels, self.call_panel.show_levels, self)
        self._make_keys()

    def _build(self) -> None:
        self.queue.setFixedWidth(_LEFT)
        self._right = right = Panel(surface="panel", edge="left")
        right.setFixedWidth(_RIGHT)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.call_panel)
        column.addWidget(self.wrap_up, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.queue)
        row.addWidget(self.case_view, 1)
        row.addWidget(right)

    def _connect(self) -> None:
        self.queue.chosen.connect(self.flow.open)
        self.case_view.notice.retry.connect(self.flow.reload)
        self.case_view.contacts.dial.connect(self.calls.dial)
        self.case_view.contacts.hang_up.connect(self.calls.hang_up)
        self.case_view.contacts.marked.connect(self.flow.mark_contacts)
        self.wrap_up.changed.connect(self.flow.keep)
        self.wrap_up.save.connect(self.flow.save)
        self.call_panel.match.attached.connect(self._attach)
        self.flow.saved.connect(self._on_saved)
        self.flow.failed.connect(self.call_panel.show_error)

    def _make_keys(self) -> None:
        keys: dict[str, Callable[[], object]] = {
            "Ctrl+K": self.queue.focus_search,
            "F6": self.queue.open_next,
            "F2": self.case_view.contacts.dial_current,
            "F3": self.calls.answer,
            "F4": self.calls.hang_up,
            "F8": self.calls.toggle_hold,
            "F9": self.calls.toggle_mute,
            "Ctrl+Return": lambda: self.wrap_up.ask_save(go_on=True),
            "Ctrl+Enter": lambda: self.wrap_up.ask_save(go_on=True),
        }
        # A text field takes a digit as its own before a shortcut sees it, so typing is never stolen.
        for place, outcome in enumerate(Outcome, 1):
            keys[str(place)] = partial(self.wrap_up.choose, outcome)
        for key, act in keys.items():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(act)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW
        self.queue.setFixedWidth(_NARROW_LEFT if narrow else _LEFT)
        self._right.setFixedWidth(_NARROW_RIGHT if narrow else _RIGHT)

    def start(self) -> None:
        """Read today's work, and take over the call that may be up already."""
        self.queue.load()
        self.calls.take_over(self._on_call)

    def finish(self) -> None:
        """Keep what has been typed: the window is about to close."""
        draft = self.wrap_up.unkept()
        if draft is not None:
            self.flow.keep_before_closing(draft)

    def _on_call(self, view: CallView) -> None:
        self.flow.pop(view)  # first of all: the caller's case is what the collector waits for
        shown = self.calls.on_call(view)
        if shown is None:
            return
        self._agent_state.on_call(shown)
        self.flow.on_call(shown)

    def _attach(self, case_id: str, contact_id: str) -> None:
        self.calls.attach(case_id, contact_id, lambda: self.flow.open(case_id))

    def _on_saved(self) -> None:
        self._agent_state.on_saved()
        self.worked.emit()
        focus = QApplication.focusWidget()
        if focus is not None and self.wrap_up.isAncestorOf(focus):
            self.case_view.contacts.table.setFocus()
