"""The collector's workspace: queue, case, call and wrap-up on one screen, and the keys that drive them.

Keys: Ctrl+K search, F6 next case, F2 dial the chosen contact, Ctrl+D type a number, F5 redial, F3 answer, F4 hang up or
reject (Shift+F4 the one that waits), F7 the other call, F8 hold, F9 mute, F10 transfer, F11 conference, F12 keypad,
Ctrl+P pause and resume the recording, Ctrl+R record on demand and stop, 1–8 outcome (while no field is being typed in),
Ctrl+Enter save and next.
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
from agent_desktop.ui.collector.call_book import CallBook
from agent_desktop.ui.collector.call_panel import CallPanel
from agent_desktop.ui.collector.call_text import ringing_in
from agent_desktop.ui.collector.case_flow import CaseFlow
from agent_desktop.ui.collector.case_view import CaseView
from agent_desktop.ui.collector.queue import QueuePanel
from agent_desktop.ui.collector.recording_box import PAUSE_KEY, RECORD_KEY
from agent_desktop.ui.collector.wrap_up import WrapUpPanel
from agent_desktop.ui.places import Places
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.panel import Panel

_LEFT, _RIGHT = 275, 336
_NARROW, _NARROW_LEFT, _NARROW_RIGHT = 1360, 236, 300


class CollectorPage(QWidget):
    """``worked``: a note was saved, so the figures of the day have changed."""

    worked = Signal()
    shown = Signal(object, object)
    """The ``CallView`` in the first place, ended or not, or None; and its ``QualityView`` or None."""

    def __init__(self, desk: Desk, agent_state: AgentState) -> None:
        super().__init__()
        self.setObjectName("collector")
        set_look(self, surface="background")
        self.places = Places(desk.phone.place_of, self)
        self.queue = QueuePanel(desk.cases, self.places)
        self.case_view = CaseView(self.places)
        self.book = CallBook()
        self.call_panel = CallPanel(desk.cases, desk.phone.place_of, self.book)
        self.wrap_up = WrapUpPanel()
        self.calls = CallActions(desk.calls, self.call_panel, self.book, self)
        self.calls.case_id = lambda: self.case_view.case_id
        self.flow = CaseFlow(desk, self.queue, self.case_view, self.wrap_up, self)
        self._agent_state = agent_state
        self._build()
        self._connect()
        self._listen(desk)
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
        self.call_panel.other.open_case.connect(self.flow.open)
        self.call_panel.controls.transfer_opened.connect(lambda _on: self._mark_contacts())
        self.calls.dialled.connect(self.call_panel.dial_box.show_last)
        self.flow.saved.connect(self._on_saved)
        self.flow.failed.connect(self.call_panel.show_error)

    def _listen(self, desk: Desk) -> None:
        Relay(desk.cases.changed, self.flow.on_cases_changed, self)
        Relay(desk.calls.changed, self._on_call, self)
        Relay(desk.calls.levels, self.call_panel.show_levels, self)
        for news, take in (
            (desk.calls.transfers, self.book.take_transfer),
            (desk.calls.alarms, self.book.take_alarm),
            (desk.calls.quality, self.book.take_quality),
            (desk.calls.sealed, self.book.take_sealed),
        ):
            Relay(news, lambda value, t=take: self._on_news(t, value), self)  # type: ignore[misc]
        Relay(desk.phone.lines_changed, self.call_panel.dial_box.show_lines, self)
        Relay(desk.phone.audio_changed, self.call_panel.show_audio, self)
        self.call_panel.dial_box.show_lines(desk.phone.lines)
        self.call_panel.dial_box.show_last(desk.calls.last_dialled)
        self.call_panel.show_audio(desk.phone.audio)

    def _make_keys(self) -> None:
        keys: dict[str, Callable[[], object]] = {
            "Ctrl+K": self.queue.focus_search,
            "F6": self.queue.open_next,
            "F2": self.case_view.contacts.dial_current,
            "F3": self.calls.answer,
            "F4": self.calls.hang_up,
            "Shift+F4": self.calls.reject,
            "F5": self.calls.redial,
            "Ctrl+D": self.call_panel.dial_box.focus_number,
            "F7": self.calls.switch,
            "F8": self.calls.toggle_hold,
            "F9": self.calls.toggle_mute,
            "F10": self.calls.transfer_key,
            "F11": self.calls.toggle_conference,
            "F12": self.call_panel.controls.toggle_keypad,
            PAUSE_KEY: self.call_panel.sound.recording.toggle_pause,
            RECORD_KEY: self.call_panel.sound.recording.toggle_recording,
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
        # First of all: the caller's case is what the collector waits for. While talking, the other case stays.
        if not self.book.talking_beside(view):
            self.flow.pop(view)
        before = self.book.up
        self.book.take(view)
        self._show_calls()
        self._agent_state.on_call(view)
        self.flow.on_call(view)
        now = self.book.up
        if now is not None and (before is None or before.id != now.id) and not ringing_in(now):
            self.flow.follow(now)

    def _on_news(self, take: Callable[[object], None], value: object) -> None:
        take(value)
        self._show_calls()

    def _show_calls(self) -> None:
        view = self.book.shown
        self.call_panel.refresh()
        self._mark_contacts()
        self.shown.emit(view, self.book.quality(view.id) if view is not None else None)

    def _mark_contacts(self) -> None:
        up = self.book.up
        contact = up.contact.id if up is not None and up.contact is not None else ""
        can_ask = self.call_panel.transfer_open
        self.case_view.contacts.model.set_call(
            contact, busy=self.book.busy and not can_ask, ringing=up is not None and up.answered_at is None
        )

    def _attach(self, case_id: str, contact_id: str) -> None:
        self.calls.attach(case_id, contact_id, lambda: self.flow.open(case_id))

    def _on_saved(self) -> None:
        self._agent_state.on_saved()
        self.worked.emit()
        focus = QApplication.focusWidget()
        if focus is not None and self.wrap_up.isAncestorOf(focus):
            self.case_view.contacts.table.setFocus()
