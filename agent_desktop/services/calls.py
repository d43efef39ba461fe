"""Calls as the window sees them: the line process's events joined with cases."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_desktop.domain.models import Contact, ContactState, Direction
from agent_desktop.services.call_views import CallView as CallView
from agent_desktop.services.call_views import LevelsView as LevelsView
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_errors import as_desk_error
from agent_desktop.services.listeners import Listeners
from telephony import messages
from telephony.client import LineError

if TYPE_CHECKING:
    from agent_desktop.services.call_tracker import CallTracker
    from agent_desktop.services.context import DeskContext
    from agent_desktop.services.line_port import LinePort


class CallService:
    """Dial, answer and control the seat's call. One call at a time.

    Listeners are called on the line client's thread. Commands wait for the line process's reply, two seconds at most,
    and raise ``DeskError`` with ``LINE_AWAY``, ``LINE_NOT_READY``, ``LINE_BUSY``, ``BAD_NUMBER``, ``CALL_GONE`` or
    ``DO_NOT_CALL``.
    """

    changed: Listeners[CallView]
    """Any change of a call, the new view; ended calls too, once."""
    levels: Listeners[LevelsView]

    def __init__(self, desk: DeskContext, tracker: CallTracker, line_id: str = "") -> None:
        self.changed = tracker.changed
        self.levels = tracker.levels
        self._desk = desk
        self._tracker = tracker
        self._line_id = line_id
        self._line: LinePort | None = None

    def use_line(self, line: LinePort) -> messages.Snapshot:
        """Work with this line process from now on, and take over the calls that it has. Not on its client's thread.

        Returns its snapshot. Raises ``DeskError``; a snapshot that comes later is then taken as well.
        """
        self._line = line
        line.events.join(self._tracker.on_event)
        snapshot = messages.decode(_json(self._request(messages.GetSnapshot)))
        assert isinstance(snapshot, messages.Snapshot)
        self._tracker.on_event(snapshot)
        return snapshot

    @property
    def current(self) -> CallView | None:
        """The call that is up or ringing, else None."""
        return self._tracker.current

    def dial(self, contact: Contact) -> str:
        """Click-to-dial; returns the call id."""
        # The window's copy may be old: somebody may have asked not to be called again since.
        contact = self._desk.store.cases.contact(contact.id) or contact
        if contact.state is ContactState.DO_NOT_CALL:
            raise DeskError(Problem.DO_NOT_CALL, "the contact must not be called")
        return self._dial(contact.number, contact.case_id, contact)

    def dial_number(self, number: str, case_id: str = "") -> str:
        """Dial a typed number, in any form that can be understood."""
        return self._dial(number, case_id, None)

    def answer(self, call_id: str) -> None:
        self._command(call_id, messages.Answer)

    def reject(self, call_id: str) -> None:
        self._command(call_id, messages.Reject)

    def hang_up(self, call_id: str) -> None:
        self._command(call_id, messages.HangUp)

    def set_mute(self, call_id: str, on: bool) -> None:
        self._command(call_id, messages.SetMute, on=on)

    def set_hold(self, call_id: str, on: bool) -> None:
        self._command(call_id, messages.SetHold, on=on)

    def send_dtmf(self, call_id: str, digits: str) -> None:
        self._command(call_id, messages.SendDtmf, digits=digits)

    def attach(self, call_id: str, case_id: str, contact_id: str = "") -> None:
        """Tie an inbound call of an unknown or ambiguous number to a case."""
        contact = self._desk.store.cases.contact(contact_id) if contact_id else None
        if contact is not None and contact.case_id != case_id:
            raise DeskError(Problem.NOT_FOUND, "the contact is another case's")

        def attached(view: CallView) -> CallView:
            matched = next((m.contact for m in view.matches if m.case.id == case_id), None)
            return replace(view, case_id=case_id, contact=contact or matched, detail=None)

        if self._tracker.change(call_id, attached) is None:
            raise DeskError(Problem.CALL_GONE, "no such call")

    def _dial(self, number: str, case_id: str, contact: Contact | None) -> str:
        dialled = self._desk.numbers.dialled(number)
        if not dialled:
            raise DeskError(Problem.BAD_NUMBER, "not a number that can be dialled")
        kept = self._desk.numbers.kept(number)
        if self._desk.store.cases.refuses_calls(kept):
            raise DeskError(Problem.DO_NOT_CALL, "somebody at this number must not be called")
        if self._line is None:
            raise DeskError(Problem.LINE_AWAY, "no line process")
        view = CallView(
            str(uuid.uuid4()), Direction.OUTBOUND, kept, "dialing", self._desk.clock(), case_id=case_id, contact=contact
        )
        if not self._tracker.ask(view, self._line_id):
            raise DeskError(Problem.LINE_BUSY, "there is a call already")
        try:
            self._request(messages.Dial, call_id=view.id, line_id=self._line_id, number=dialled)
        except DeskError:
            self._tracker.never_made(view.id)
            raise
        return view.id

    def _command(self, call_id: str, command: Callable[..., messages.Command], **values: object) -> None:
        if self._tracker.get(call_id) is None:
            raise DeskError(Problem.CALL_GONE, "no such call")
        self._request(command, call_id=call_id, **values)

    def _request(self, command: Callable[..., messages.Command], **values: object) -> dict[str, Any]:
        if self._line is None:
            raise DeskError(Problem.LINE_AWAY, "no line process")
        try:
            return self._line.request(lambda command_id: command(id=command_id, **values))
        except LineError as error:
            raise as_desk_error(error) from error


def _json(result: dict[str, Any]) -> str:
    return json.dumps({**result, "type": messages.Snapshot.type})
