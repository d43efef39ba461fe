"""Calls as the window sees them: the line process's events joined with cases."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent_desktop.domain.models import Contact, ContactState, Direction
from agent_desktop.services.call_views import AlarmView as AlarmView
from agent_desktop.services.call_views import CallView as CallView
from agent_desktop.services.call_views import LevelsView as LevelsView
from agent_desktop.services.call_views import QualityView as QualityView
from agent_desktop.services.call_views import TransferView as TransferView
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.listeners import Listeners
from telephony import messages

if TYPE_CHECKING:
    from agent_desktop.services.call_tracker import CallTracker
    from agent_desktop.services.context import DeskContext
    from agent_desktop.services.line_port import LinePort


log = logging.getLogger(__name__)


class CallService:
    """Dial, answer and control the seat's calls: two at most, one of which has the headset unless they are joined.

    Listeners are called on the line client's thread. Commands wait for the line process's reply, two seconds at most,
    and raise ``DeskError`` with ``LINE_AWAY``, ``LINE_NOT_READY``, ``LINE_BUSY``, ``BAD_NUMBER``, ``CALL_GONE``,
    ``NUMBER_NOT_ALLOWED`` (by the line's dial plan), ``DO_NOT_CALL``, ``NOT_NOW``, ``RECORD_FAILED``,
    ``NOT_RECORDED`` or ``RECORDING_NOT_ALLOWED`` (by the recording policy).
    """

    changed: Listeners[CallView]
    """Any change of a call, the new view; ended calls too, once."""
    levels: Listeners[LevelsView]
    transfers: Listeners[TransferView]
    quality: Listeners[QualityView]
    """Every 2 s of an active call."""
    alarms: Listeners[AlarmView]
    sealed: Listeners[CallView]
    """The recording of a call that is over already has been finalised, or has failed: its view with that."""

    def __init__(self, desk: DeskContext, tracker: CallTracker, commands: LineCommands | None = None) -> None:
        self.changed = tracker.changed
        self.levels = tracker.reports.levels
        self.transfers = tracker.reports.transfers
        self.quality = tracker.reports.quality
        self.alarms = tracker.reports.alarms
        self.sealed = tracker.sealed
        self._desk = desk
        self._tracker = tracker
        self._commands = commands or LineCommands()
        self._last: _Dialled | None = None

    def use_line(self, line: LinePort) -> messages.Snapshot:
        """Work with this line process from now on, and take over the calls that it has. Not on its client's thread.

        Returns its snapshot. Raises ``DeskError``; a snapshot that comes later is then taken as well.
        """
        self._remember_last()
        self._commands.use(line)
        line.events.join(self._tracker.on_event)
        snapshot = messages.decode(_json(self._commands.request(messages.GetSnapshot)))
        assert isinstance(snapshot, messages.Snapshot)
        self._tracker.on_event(snapshot)
        return snapshot

    @property
    def calls(self) -> tuple[CallView, ...]:
        """All that are up or ringing, oldest first."""
        return self._tracker.calls

    @property
    def current(self) -> CallView | None:
        """The call that matters now: the one that is talked on or dialled, else one that rings, else one on hold."""
        return self._tracker.current

    @property
    def last_dialled(self) -> str:
        """The number that ``redial`` dials, as it is kept; empty when there is none."""
        return self._last.number if self._last else ""

    def dial(self, contact: Contact, line_id: str = "") -> str:
        """Click-to-dial, on the first usable line unless one is named; returns the call id.

        A call that is active is put on hold (a consultation call). With two calls up it is ``LINE_BUSY``.
        """
        # The window's copy may be old: somebody may have asked not to be called again since.
        contact = self._desk.store.cases.contact(contact.id) or contact
        if contact.state is ContactState.DO_NOT_CALL:
            raise DeskError(Problem.DO_NOT_CALL, "the contact must not be called")
        return self._dial(_Dialled(contact.number, contact.case_id, contact), line_id)

    def dial_number(self, number: str, case_id: str = "", line_id: str = "") -> str:
        """Dial a typed number, in any form that can be understood; else as ``dial``."""
        return self._dial(_Dialled(number, case_id), line_id)

    def redial(self) -> str:
        """Dial the last dialled number again, for the same case, on the line that would be chosen now.

        ``BAD_NUMBER`` when there is none.
        """
        last = self._last
        if last is None:
            raise DeskError(Problem.BAD_NUMBER, "nothing was dialled yet")
        return self.dial(last.contact) if last.contact is not None else self._dial(last, "")

    def answer(self, call_id: str) -> None:
        """Answer a call that rings; one that is active is put on hold."""
        self._command(call_id, messages.Answer)

    def reject(self, call_id: str, reason: str = "busy") -> None:
        """``reason``: ``busy`` (486), ``decline`` (603) or ``not_found`` (404)."""
        self._command(call_id, messages.Reject, reason=reason)

    def hang_up(self, call_id: str) -> None:
        """End a call; of two joined ones the other goes on."""
        self._command(call_id, messages.HangUp)

    def set_mute(self, call_id: str, on: bool) -> None:
        self._command(call_id, messages.SetMute, on=on)

    def set_hold(self, call_id: str, on: bool) -> None:
        self._command(call_id, messages.SetHold, on=on)

    def switch_to(self, call_id: str) -> None:
        """Hold the call that is active and resume this one."""
        self._command(call_id, messages.SwitchTo)

    def transfer(self, call_id: str, number: str) -> None:
        """Blind transfer: send the far end to a number in any form. ``transfers`` says how it goes."""
        view = self._known(call_id)
        route = self._desk.lines.route(number, view.line_id)
        self._refuse_do_not_call(route.number.kept)
        self._commands.request(messages.Transfer, call_id=call_id, number=route.number.kept, digits=route.digits)

    def transfer_to_call(self, call_id: str, other_call_id: str) -> None:
        """Attended transfer: connect this call's far end with the other call's. ``transfers`` says how it goes."""
        self._known(other_call_id)
        self._command(call_id, messages.TransferToCall, other_call_id=other_call_id)

    def set_conference(self, on: bool) -> None:
        """Join the two calls that are up, or part them again."""
        self._commands.request(messages.SetConference, on=on)

    def leave_conference(self) -> None:
        """Connect the two far ends with each other and leave them alone."""
        self._commands.request(messages.LeaveConference)

    def send_dtmf(self, call_id: str, digits: str) -> None:
        self._command(call_id, messages.SendDtmf, digits=digits)

    def pause_recording(self, call_id: str, reason: str = "") -> None:
        """Record silence for a while, for a reason of the call's ``pause_reasons``; the first when none is given.

        It goes on by itself when the policy's time is over. ``RECORDING_NOT_ALLOWED`` where the policy has no pause.
        """
        reason = reason or next(iter(self._known(call_id).pause_reasons), "")
        self._command(call_id, messages.PauseRecording, reason=reason)

    def resume_recording(self, call_id: str) -> None:
        """End the pause now."""
        self._command(call_id, messages.ResumeRecording)

    def start_recording(self, call_id: str) -> None:
        """On demand: record from now on, and what the policy takes in of the time before."""
        self._command(call_id, messages.StartRecording)

    def stop_recording(self, call_id: str) -> None:
        """On demand: record no more. ``RECORDING_NOT_ALLOWED`` where the policy records by itself."""
        self._command(call_id, messages.StopRecording)

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

    def _dial(self, wanted: _Dialled, line_id: str) -> str:
        route = self._desk.lines.route(wanted.number, line_id)
        kept = route.number.kept
        self._refuse_do_not_call(kept)
        if not self._commands.there:
            raise DeskError(Problem.LINE_AWAY, "no line process")
        view = CallView(
            str(uuid.uuid4()),
            Direction.OUTBOUND,
            kept,
            "dialing",
            self._desk.clock(),
            case_id=wanted.case_id,
            contact=wanted.contact,
            line_id=route.line_id,
            extension=route.number.extension,
            place=self._desk.places.at_once(route.number),
        )
        if not self._tracker.ask(view):
            raise DeskError(Problem.LINE_BUSY, "there are two calls already")
        try:
            self._commands.request(
                messages.Dial, call_id=view.id, line_id=route.line_id, number=kept, digits=route.digits
            )
        except DeskError:
            self._tracker.never_made(view.id)
            raise
        self._last = replace(wanted, number=kept)
        return view.id

    def _remember_last(self) -> None:
        """After a restart: what was dialled last is what the person's last outbound call says."""
        store = self._desk.store
        try:
            call = store.work.last_outbound(self._desk.user.id)
            contact = store.cases.contact(call.contact_id) if call and call.contact_id else None
        except DeskError as error:
            log.warning("last dialled number not read: %s", error)
            return
        if call is not None and self._last is None:
            self._last = _Dialled(call.number, call.case_id, contact)

    def _refuse_do_not_call(self, number: str) -> None:
        if self._desk.store.cases.refuses_calls(number):
            raise DeskError(Problem.DO_NOT_CALL, "somebody at this number must not be called")

    def _known(self, call_id: str) -> CallView:
        view = self._tracker.get(call_id)
        if view is None:
            raise DeskError(Problem.CALL_GONE, "no such call")
        return view

    def _command(self, call_id: str, command: Callable[..., messages.Command], **values: Any) -> None:
        self._known(call_id)
        self._commands.request(command, call_id=call_id, **values)


@dataclass(frozen=True, slots=True)
class _Dialled:
    """What was asked to be dialled, and so can be dialled again."""

    number: str
    case_id: str = ""
    contact: Contact | None = None


def _json(result: dict[str, Any]) -> str:
    return json.dumps({**result, "type": messages.Snapshot.type})
