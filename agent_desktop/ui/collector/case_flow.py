"""Which case is open, and what becomes of what was typed: open, pop, keep, save, next."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from agent_desktop.domain.models import CaseDetail, ContactState, Direction, Draft, Note
from agent_desktop.services.calls import CallView
from agent_desktop.services.desk import Desk
from agent_desktop.services.wrap_up import WrapUpInvalid
from agent_desktop.ui.background import Latest, Serial, run
from agent_desktop.ui.collector.case_view import CaseView
from agent_desktop.ui.collector.queue import QueuePanel
from agent_desktop.ui.collector.wrap_up import WrapUpPanel

_CLOSING_S = 1.0
"""Longest wait at the window's end for a write of some milliseconds."""


class CaseFlow(QObject):
    """Reads and writes in the background; a popped case is shown at once from what the call's event carries."""

    saved = Signal()
    failed = Signal(object)
    """An exception of a write that has no field of its own."""

    def __init__(
        self, desk: Desk, queue: QueuePanel, case_view: CaseView, wrap_up: WrapUpPanel, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._queue = queue
        self._view = case_view
        self._wrap_up = wrap_up
        self._refreshes = Latest(self)
        self._writes = Serial(self)
        self._wanted = ""
        self._popped: set[str] = set()
        self._calls: dict[str, tuple[str, str]] = {}
        """The call, and the contact called, that each case's next note will be about."""

    def open(self, case_id: str) -> None:
        """Show a case, with the draft that was kept for it."""
        if case_id == self._view.case_id and case_id == self._wanted:
            self._queue.mark(case_id)
            return
        self._wrap_up.flush()
        self._wanted = case_id
        self._queue.mark(case_id)
        cases, notes = self._desk.cases, self._desk.wrap_up
        # After the writes that are still waiting, so that the draft read is the draft written last.
        self._writes.run(lambda: (cases.detail(case_id), notes.draft(case_id)), self._opened, self._not_opened)

    def _opened(self, answer: tuple[CaseDetail, Draft | None]) -> None:
        detail, draft = answer
        if detail.case.id != self._wanted:
            return
        self._view.show_detail(detail)
        self._bind(detail.case.id, draft)

    def _not_opened(self, error: Exception) -> None:
        self._view.show_error(error)
        self._wrap_up.bind("", None)

    def _bind(self, case_id: str, draft: Draft | None) -> None:
        self._wrap_up.bind(case_id, draft)
        if case_id in self._calls:
            self._wrap_up.set_call(*self._calls[case_id])

    def reload(self) -> None:
        """Read the open case again."""
        case_id = self._wanted
        if not case_id:
            return
        if self._view.case_id != case_id:
            self._wanted = ""
            self.open(case_id)
            return
        self._refreshes.run(lambda: self._desk.cases.detail(case_id), self._refreshed, lambda _error: None)

    def _refreshed(self, detail: CaseDetail) -> None:
        if detail.case.id == self._view.case_id:
            self._view.show_detail(detail)

    def on_cases_changed(self, changed: frozenset[str]) -> None:
        self._queue.load_soon()
        if self._wanted in changed:
            self.reload()

    def pop(self, view: CallView) -> None:
        """Show the case of an inbound call (来电跳案), once."""
        if view.direction is not Direction.INBOUND or not view.case_id or view.state == "ended":
            return
        if view.id in self._popped:
            return
        self._popped.add(view.id)
        self._remember(view)
        if view.detail is not None:
            self._pop(view.detail, view.id)
        else:
            self.open(view.case_id)
        if view.contact is not None:
            self._view.contacts.choose(view.contact.id)

    def follow(self, view: CallView) -> None:
        """The person now talks on this call: show its case."""
        if view.case_id:
            self.open(view.case_id)

    def _remember(self, view: CallView) -> None:
        if view.case_id:
            self._calls[view.case_id] = (view.id, view.contact.id if view.contact else "")

    def on_call(self, view: CallView) -> None:
        """Remember whose call it is, for the note that will be about it."""
        self._remember(view)
        if view.case_id and view.case_id == self._wrap_up.case_id:
            self._wrap_up.set_call(*self._calls[view.case_id])
        if view.state == "ended":
            self._popped.discard(view.id)

    def _pop(self, detail: CaseDetail, call_id: str) -> None:
        case_id = detail.case.id
        same = case_id == self._view.case_id
        self._wanted = case_id
        if not same:
            self._wrap_up.flush()
        self._view.show_detail(detail, call_id)
        self._queue.mark(case_id)
        if same:
            return
        focus = QApplication.focusWidget()
        if focus is not None and self._wrap_up.isAncestorOf(focus):
            # What is being typed belongs to the case before: the next letter must not land in this one's note.
            self._view.contacts.table.setFocus()
        self._bind(case_id, None)
        notes = self._desk.wrap_up
        self._writes.run(lambda: notes.draft(case_id), lambda draft: self._popped_draft(case_id, draft))

    def _popped_draft(self, case_id: str, draft: Draft | None) -> None:
        if draft is not None and self._wrap_up.case_id == case_id and self._wrap_up.untouched:
            self._bind(case_id, draft)

    def keep(self, draft: Draft) -> None:
        """Put a draft into the store."""
        notes = self._desk.wrap_up
        self._writes.run(lambda: notes.keep_draft(draft), lambda _none: self._wrap_up.kept(draft), self.failed.emit)

    def keep_before_closing(self, draft: Draft) -> None:
        """Put a draft into the store and wait for it: the store is closed as soon as the window has gone."""
        written = threading.Event()

        def keep() -> None:
            try:
                self._desk.wrap_up.keep_draft(draft)
            finally:
                written.set()

        run(keep)
        written.wait(_CLOSING_S)

    def save(self, draft: Draft, go_on: bool) -> None:
        """Save the note; ``go_on`` to the next case."""
        notes = self._desk.wrap_up

        def failed(error: Exception) -> None:
            self._wrap_up.set_busy(False)
            if draft.case_id == self._wrap_up.case_id:
                self._wrap_up.show_error(error)
            elif not isinstance(error, WrapUpInvalid):
                self.failed.emit(error)

        self._writes.run(lambda: notes.save(draft), lambda note: self._saved(note, go_on), failed)

    def _saved(self, note: Note, go_on: bool) -> None:
        self._wrap_up.set_busy(False)
        if self._calls.get(note.case_id, ("", ""))[0] == note.call_id:
            self._calls.pop(note.case_id, None)
        # A call that came in meanwhile has its case on screen: that one stays.
        following = self._queue.following() if go_on and note.case_id == self._wanted else ""
        if note.case_id == self._wrap_up.case_id:
            self._wrap_up.bind(note.case_id, None)
        self.saved.emit()
        self._queue.load_soon()
        if following and following != note.case_id:
            self.open(following)
        else:
            self.reload()

    def mark_contacts(self, contact_ids: list[str], state: ContactState) -> None:
        """Change the state of one contact or many."""
        cases = self._desk.cases

        def mark() -> None:
            for contact_id in contact_ids:
                cases.set_contact_state(contact_id, state)

        self._writes.run(mark, lambda _none: self.reload(), self.failed.emit)
