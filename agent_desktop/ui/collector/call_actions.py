"""What the collector does with a call, sent to the line in the background; the call panel says what goes wrong."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from agent_desktop.domain.models import Contact
from agent_desktop.services.calls import CallService, CallView
from agent_desktop.ui.background import Serial, run
from agent_desktop.ui.collector.call_panel import CallPanel
from agent_desktop.ui.collector.call_text import ringing_in
from agent_desktop.ui.collector.case_view import CaseView


class CallActions(QObject):
    """Commands go out one after another, in the order in which they were asked for."""

    def __init__(self, calls: CallService, panel: CallPanel, case_view: CaseView, parent: QObject) -> None:
        super().__init__(parent)
        self._calls = calls
        self._panel = panel
        self._case_view = case_view
        self._commands = Serial(self)
        panel.dial.connect(self.dial_number)
        panel.answer.connect(self.answer)
        panel.reject.connect(self.reject)
        panel.hang_up.connect(self.hang_up)
        panel.mute.connect(self._mute)
        panel.hold.connect(self._hold)
        panel.dtmf.connect(self._dtmf)

    @property
    def up(self) -> CallView | None:
        """The call that is up or ringing."""
        view = self._panel.view
        return view if view is not None and view.state != "ended" else None

    def take_over(self, then: Callable[[CallView], object]) -> None:
        """Show the call that was up before this window was."""
        run(lambda: self._calls.current, lambda view: then(view) if view is not None else None, owner=self)

    def on_call(self, view: object) -> CallView | None:
        """Show a call's change; None when it is old news of another call than the one that is up."""
        assert isinstance(view, CallView)
        up = self.up
        if view.state == "ended" and up is not None and up.id != view.id:
            return None
        self._panel.show_call(view)
        ended = view.state == "ended"
        contact = view.contact.id if view.contact and not ended else ""
        self._case_view.contacts.model.set_call(contact, busy=not ended, ringing=view.answered_at is None)
        return view

    def dial(self, contact: Contact) -> None:
        self._do(lambda: self._calls.dial(contact))

    def dial_number(self, number: str) -> None:
        case_id = self._case_view.case_id
        self._do(lambda: self._calls.dial_number(number, case_id), self._panel.clear_number)

    def answer(self) -> None:
        if (view := self.up) is not None and ringing_in(view):
            self._do(lambda: self._calls.answer(view.id))

    def reject(self) -> None:
        if (view := self.up) is not None and ringing_in(view):
            self._do(lambda: self._calls.reject(view.id))

    def hang_up(self) -> None:
        """Ends the call; one that still rings here is rejected."""
        if (view := self.up) is None:
            return
        if ringing_in(view):
            self.reject()
        else:
            self._do(lambda: self._calls.hang_up(view.id))

    def toggle_mute(self) -> None:
        if (view := self.up) is not None and view.state == "active":
            self._mute(not view.muted)

    def toggle_hold(self) -> None:
        if (view := self.up) is not None and view.state == "active":
            self._hold(not view.held)

    def attach(self, case_id: str, contact_id: str, then: Callable[[], None]) -> None:
        """Tie the call to a case, then open it."""
        if (view := self.up) is not None:
            self._do(lambda: self._calls.attach(view.id, case_id, contact_id), then)

    def _mute(self, on: bool) -> None:
        if (view := self.up) is not None:
            self._do(lambda: self._calls.set_mute(view.id, on))

    def _hold(self, on: bool) -> None:
        if (view := self.up) is not None:
            self._do(lambda: self._calls.set_hold(view.id, on))

    def _dtmf(self, digit: str) -> None:
        if (view := self.up) is not None:
            self._do(lambda: self._calls.send_dtmf(view.id, digit))

    def _do(self, work: Callable[[], object], then: Callable[[], None] | None = None) -> None:
        self._panel.show_error(None)
        self._commands.run(work, lambda _result: then() if then else None, self._panel.show_error)
