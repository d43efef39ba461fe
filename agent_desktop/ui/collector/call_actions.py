"""What the collector does with the calls, sent to the line in the background; the call panel says what goes wrong."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from agent_desktop.domain.models import Contact
from agent_desktop.services.calls import CallService, CallView
from agent_desktop.ui.background import Serial, run
from agent_desktop.ui.collector.call_book import CallBook
from agent_desktop.ui.collector.call_panel import CallPanel
from agent_desktop.ui.collector.call_text import ringing_in


class CallActions(QObject):
    """Commands go out one after another, in the order in which they were asked for."""

    dialled = Signal(str)
    """The number of the last call that was dialled from here, for redialling."""

    def __init__(self, calls: CallService, panel: CallPanel, book: CallBook, parent: QObject) -> None:
        super().__init__(parent)
        self._calls = calls
        self._panel = panel
        self._book = book
        self._commands = Serial(self)
        self.case_id: Callable[[], str] = lambda: ""
        """Which case is open: what a typed number is dialled for."""
        self._connect()

    def _connect(self) -> None:
        controls, other, dial = self._panel.controls, self._panel.other, self._panel.dial_box
        dial.dial.connect(self.dial_number)
        dial.redial.connect(self.redial)
        controls.answer.connect(self.answer)
        controls.reject.connect(self.reject)
        controls.hang_up.connect(self.hang_up)
        controls.mute.connect(self._mute)
        controls.hold.connect(self._hold)
        controls.dtmf.connect(self._dtmf)
        recording = self._panel.sound.recording
        recording.pause.connect(self._pause_recording)
        recording.resume.connect(lambda: self._for_call(self._calls.resume_recording))
        recording.record.connect(lambda: self._for_call(self._calls.start_recording))
        recording.stop.connect(lambda: self._for_call(self._calls.stop_recording))
        self._panel.transfer.consult.connect(self.consult_number)
        self._panel.transfer.blind.connect(self.transfer)
        other.answer.connect(self.answer)
        other.reject.connect(self.reject)
        other.switch.connect(self.switch)
        other.conference.connect(self._conference)
        other.connect_both.connect(self.connect_both)
        other.cancel.connect(self.cancel_consultation)
        other.hang_up.connect(self._hang_up_other)

    def take_over(self, then: Callable[[CallView], object]) -> None:
        """Show the calls that were up before this window was."""

        def show(views: tuple[CallView, ...]) -> None:
            for view in views:
                then(view)

        run(lambda: self._calls.calls, show, owner=self)

    # --- dialling

    def dial(self, contact: Contact) -> None:
        """Dial a contact; with the transfer box open they are asked first, as a second call."""
        line_id = self._panel.dial_box.line_id
        if self._panel.transfer_open:
            self._consult(lambda: self._calls.dial(contact))
        else:
            self._do(lambda: self._calls.dial(contact, line_id), self._tell_last)

    def dial_number(self, number: str) -> None:
        case_id, line_id = self.case_id(), self._panel.dial_box.line_id

        def done() -> None:
            self._panel.dial_box.clear_number()
            self._tell_last()

        self._do(lambda: self._calls.dial_number(number, case_id, line_id), done)

    def redial(self) -> None:
        if not self._book.busy and self._calls.last_dialled:
            self._do(self._calls.redial)

    def _tell_last(self) -> None:
        self.dialled.emit(self._calls.last_dialled)

    # --- one call

    def answer(self) -> None:
        if (view := self._book.ringing) is not None:
            self._do(lambda: self._calls.answer(view.id))

    def reject(self, reason: str = "busy") -> None:
        """Refuse the call that rings: ``busy`` or ``decline``."""
        if (view := self._book.ringing) is not None:
            self._do(lambda: self._calls.reject(view.id, reason))

    def hang_up(self) -> None:
        """Ends the call that is talked on; when there is only one that rings here, it is refused."""
        if (view := self._book.up) is None:
            return
        if ringing_in(view):
            self.reject()
        else:
            self._do(lambda: self._calls.hang_up(view.id))

    def toggle_mute(self) -> None:
        if (view := self._book.up) is not None and view.state == "active":
            self._mute(not view.muted)

    def toggle_hold(self) -> None:
        if (view := self._book.up) is not None and view.state == "active":
            self._hold(not view.held)

    def attach(self, case_id: str, contact_id: str, then: Callable[[], None]) -> None:
        """Tie the call to a case, then open it."""
        if (view := self._book.up) is not None:
            self._do(lambda: self._calls.attach(view.id, case_id, contact_id), then)

    def _mute(self, on: bool) -> None:
        if (view := self._book.up) is not None:
            self._do(lambda: self._calls.set_mute(view.id, on))

    def _hold(self, on: bool) -> None:
        if (view := self._book.up) is not None:
            self._do(lambda: self._calls.set_hold(view.id, on))

    def _dtmf(self, digit: str) -> None:
        if (view := self._book.up) is not None:
            self._do(lambda: self._calls.send_dtmf(view.id, digit))

    def _pause_recording(self, reason: str) -> None:
        self._for_call(lambda call_id: self._calls.pause_recording(call_id, reason))

    def _for_call(self, work: Callable[[str], object]) -> None:
        if (view := self._book.up) is not None:
            self._do(lambda: work(view.id))

    # --- two calls

    def switch(self) -> None:
        """Talk with the other one; this one is put on hold."""
        other = self._book.other
        if other is not None and other.state == "active" and not self._book.conference:
            self._do(lambda: self._calls.switch_to(other.id))

    def toggle_conference(self) -> None:
        if _both_up(self._book):
            self._conference(not self._book.conference)

    def _conference(self, on: bool) -> None:
        self._do(lambda: self._calls.set_conference(on))

    def connect_both(self) -> None:
        """Let the two far ends talk with each other, without us."""
        shown, other = self._book.up, self._book.other
        if shown is None or other is None or not _both_up(self._book):
            return
        if self._book.conference:
            self._do(self._calls.leave_conference)
            return
        asked = shown if shown.id == self._book.consulted else other if other.id == self._book.consulted else shown
        first = other if asked is shown else shown
        self._do(lambda: self._calls.transfer_to_call(first.id, asked.id))

    def cancel_consultation(self) -> None:
        """End the call that was made to ask, and talk on with the first."""
        asked = self._book.consulted
        first = next((v.id for v in (self._book.up, self._book.other) if v is not None and v.id != asked), "")
        if asked and first:
            self._do(lambda: self._calls.hang_up(asked))
            self._do(lambda: self._calls.switch_to(first))

    def _hang_up_other(self) -> None:
        if (other := self._book.other) is not None:
            self._do(lambda: self._calls.hang_up(other.id))

    # --- transfer

    def transfer_key(self) -> None:
        """Open the transfer box, or complete the transfer that was asked about."""
        if self._book.two:
            self.connect_both()
        else:
            self._panel.controls.toggle_transfer()

    def transfer(self, number: str) -> None:
        """Send the far end to a number at once."""
        if (view := self._book.up) is not None:
            self._do(lambda: self._calls.transfer(view.id, number), self._panel.controls.close_transfer)

    def consult_number(self, number: str) -> None:
        """Dial a colleague first; the call is on hold meanwhile."""
        self._consult(lambda: self._calls.dial_number(number))

    def _consult(self, dial: Callable[[], str]) -> None:
        self._do_for(dial, self._consulting)

    def _consulting(self, call_id: object) -> None:
        self._book.consult(str(call_id))
        self._panel.controls.close_transfer()
        self._panel.refresh()

    def _do(self, work: Callable[[], object], then: Callable[[], None] | None = None) -> None:
        self._do_for(work, lambda _result: then() if then else None)

    def _do_for(self, work: Callable[[], object], then: Callable[[object], object]) -> None:
        self._book.forget_failed_transfer()
        self._panel.show_error(None)
        self._commands.run(work, then, self._panel.show_error)


def _both_up(book: CallBook) -> bool:
    return book.up is not None and book.other is not None and book.up.state == book.other.state == "active"
