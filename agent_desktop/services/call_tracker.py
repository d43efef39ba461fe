"""Following the line process's events: every call there is, joined with its case."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent_desktop.domain.models import CaseDetail, CaseMatch, Direction
from agent_desktop.domain.number_places import place_of
from agent_desktop.services.call_records import UNSEEN, CallRecords
from agent_desktop.services.call_reports import CallReports
from agent_desktop.services.call_views import CallView
from agent_desktop.services.errors import DeskError
from agent_desktop.services.listeners import Listeners
from telephony import messages

if TYPE_CHECKING:
    from agent_desktop.services.cases import CaseService
    from agent_desktop.services.context import DeskContext

log = logging.getLogger(__name__)

MAX_CALLS = 2
"""Calls that may be up at a time, as in the line process."""
MAX_OVER = 8
"""Ended calls whose recordings are still waited for."""
PAINT_FIRST_S = 0.05
"""Wait before writing down a call, so that the window paints a popped case without sharing the interpreter."""
UNSEEN_END_S = 5.0
"""How long to wait for the end of a call that the line process no longer has, before its record is made up from what
was known: an event on its way comes first."""


class CallTracker:
    """Keeps a view of every call that is not over. ``on_event`` may be called from several threads.

    Listeners are called on the thread that brings the event and see the changes of a call in their order.
    """

    def __init__(
        self, desk: DeskContext, cases: CaseService, records: CallRecords, unseen_end_s: float = UNSEEN_END_S
    ) -> None:
        self.changed: Listeners[CallView] = Listeners()
        self.reports = CallReports(self._knows)
        self.sealed: Listeners[CallView] = Listeners()
        """The recording of a call that is over already has been finalised, or has failed."""
        self._desk = desk
        self._cases = cases
        self._records = records
        self._unseen_end_s = unseen_end_s
        self._views: dict[str, CallView] = {}
        self._over: dict[str, CallView] = {}
        """The last calls that ended: their recordings are finalised only now."""
        self._at_ns: dict[str, int] = {}
        self._told_numbers: dict[str, str] = {}
        """Each call's number as the line process told it last: another one means another far end."""
        self._asked: set[str] = set()
        """Calls that we asked for and the line process has not named yet."""
        self._lock = threading.RLock()
        self._later = ThreadPoolExecutor(2, "calls")
        self._closed = threading.Event()
        self._handlers: dict[type, Callable[[Any], None]] = {
            messages.CallIncoming: self._incoming,
            messages.CallState: self._state,
            messages.CallEnded: self._ended,
            messages.RecordingState: self._recording,
            messages.Snapshot: self._snapshot,
        }

    @property
    def current(self) -> CallView | None:
        """The call that matters now: of two, the one that is talked on."""
        return min(self.calls, key=_matters, default=None)

    @property
    def calls(self) -> tuple[CallView, ...]:
        """All that are not over, oldest first."""
        with self._lock:
            return tuple(self._views.values())

    def get(self, call_id: str) -> CallView | None:
        """The call, unless it is over."""
        with self._lock:
            return self._views.get(call_id)

    def ask(self, view: CallView) -> bool:
        """We are about to dial: false with ``MAX_CALLS`` up already. Its outcome is kept even if we crash now."""
        with self._lock:
            if len(self._views) >= MAX_CALLS:
                return False
            self._views[view.id] = view
            self._asked.add(view.id)
        self._records.keep_open(view, view.line_id)
        return True

    def never_made(self, call_id: str) -> None:
        """The line process refused to dial, or did not answer."""
        with self._lock:
            if call_id not in self._asked:
                return  # it has named the call: it will also say how it ended
            self._forget(call_id)
        self._later.submit(self._records.drop_open, call_id)

    def change(self, call_id: str, change: Callable[[CallView], CallView]) -> CallView | None:
        """Change a view, tell the listeners and keep it on disk; None when the call is over."""
        with self._lock:
            view = self._views.get(call_id)
            if view is None:
                return None
            view = change(view)
            self._tell(view)
        self._records.keep_open(view, view.line_id)
        return view

    def on_event(self, event: messages.Message) -> None:
        """Take an event of the line process."""
        handler = self._handlers.get(type(event), self.reports.on_event)
        handler(event)

    def close(self) -> None:
        """Stop the background work; call records that could not be written yet are tried once more."""
        self._closed.set()
        self._later.shutdown(wait=True, cancel_futures=True)
        self._records.retry()

    def _knows(self, call_id: str) -> bool:
        """It is a call of this seat's, or was until a moment ago: a transfer may be told as done after the call."""
        with self._lock:
            return call_id in self._views or call_id in self._over

    def _tell(self, view: CallView) -> None:
        with self._lock:
            self._views[view.id] = view
            self.changed.emit(view)

    def _forget(self, call_id: str) -> None:
        self._views.pop(call_id, None)
        self._at_ns.pop(call_id, None)
        self._told_numbers.pop(call_id, None)
        self._asked.discard(call_id)

    def _keep(self, view: CallView) -> None:
        """Keep on disk what the call is about, without making the events wait; the window paints first."""

        def keep() -> None:
            self._closed.wait(PAINT_FIRST_S)
            self._records.keep_open(view, view.line_id)

        if not self._closed.is_set():
            self._later.submit(keep)

    def _incoming(self, event: messages.CallIncoming) -> None:
        numbers = self._desk.lines.numbers(event.line_id)
        number = numbers.read(event.number)
        view = self._popped(
            CallView(
                id=event.call_id,
                direction=Direction.INBOUND,
                number=number.kept,
                state="ringing",
                started_at=self._time(event.at),
                invited_ns=event.invited_ns,
                line_id=event.line_id,
                place=self._desk.places.at_once(number),
                transferred_by=numbers.kept(event.transferred_by),
            )
        )
        with self._lock:
            self._told_numbers[event.call_id] = event.number
        self._tell(view)
        self._keep(view)
        if view.place is None:
            self._find_place(view)
        if not view.matches and not self._closed.is_set():
            self._later.submit(self._match_on_server, view.id, view.number)

    def _find_place(self, view: CallView) -> None:
        """The tables are still being loaded: a call that comes this early does not wait for them."""

        def find() -> None:
            place = place_of(self._desk.lines.numbers(view.line_id).read(view.number))
            with self._lock:
                now = self._views.get(view.id)
                if now is not None:
                    self._tell(replace(now, place=place))

        if not self._closed.is_set():
            self._later.submit(find)

    def _popped(self, view: CallView) -> CallView:
        """The view with the cases that its number belongs to. The screen pop: a few milliseconds."""
        try:
            matches, detail = self._cases.pop(view.number)
        except DeskError as error:
            log.warning("number not looked up: %s", error)
            return view
        return _matched(view, matches, detail)

    def _match_on_server(self, call_id: str, number: str) -> None:
        matches = self._cases.match_on_server(number)
        view = self.get(call_id)
        if matches and view is not None and not view.case_id:
            self.change(call_id, lambda now: now if now.case_id else _matched(now, matches, None))

    def _state(self, event: messages.CallState) -> None:
        if event.monitored or event.state == "ended":
            return  # a lead's own leg is no call of theirs; the end is told with its cause by what follows
        with self._lock:
            known = self._views.get(event.call_id)
            if known is None and self._records.written(event.call_id):
                return  # a snapshot that was overtaken by the call's end
            if event.at_ns < self._at_ns.get(event.call_id, 0):
                return  # and one that was overtaken by another event
            before = known or self._taken_over(event)
            another = self._told_numbers.setdefault(event.call_id, event.number) != event.number
            view = self._changed(self._of_another(before, event) if another else before, event)
            self._at_ns[event.call_id] = event.at_ns
            self._told_numbers[event.call_id] = event.number
            self._asked.discard(event.call_id)
            self._tell(view)
        if known is None or another or view.answered_at != before.answered_at:
            self._keep(view)
        if (known is None or another) and view.place is None:
            self._find_place(view)
        if another and not view.matches and not self._closed.is_set():
            self._later.submit(self._match_on_server, view.id, view.number)

    def _of_another(self, view: CallView, event: messages.CallState) -> CallView:
        """Somebody put another far end in the call's place, as a colleague does who hands a debtor over.

        A case that the call is tied to already stays: a note may be half written.
        """
        number = self._desk.lines.numbers(event.line_id).read(event.number)
        now = replace(view, number=number.kept, place=self._desk.places.at_once(number))
        return now if now.case_id else self._popped(replace(now, contact=None, matches=()))

    def _changed(self, view: CallView, event: messages.CallState) -> CallView:
        return replace(
            view,
            state=event.state,
            started_at=self._time(event.started_at) if event.started_at else view.started_at,
            answered_at=self._time(event.answered_at) if event.answered_at else view.answered_at,
            muted=event.muted,
            held=event.held,
            far_held=event.far_held,
            codec=event.codec,
            recording_id=event.recording_id or view.recording_id,
            conference=event.conference,
            encrypted=event.encrypted,
            auto_answered=event.auto_answered,
            line_id=event.line_id or view.line_id,
        )

    def _taken_over(self, event: messages.CallState) -> CallView:
        """The view of a call that began before this window: what it is about was kept on disk."""
        number = self._desk.lines.numbers(event.line_id).read(event.number)
        view = CallView(
            id=event.call_id,
            direction=Direction(event.direction),
            number=number.kept,
            state=event.state,
            started_at=self._time(event.started_at or event.at),
            line_id=event.line_id,
            place=self._desk.places.at_once(number),
        )
        kept = self._records.open_call(event.call_id)
        if kept is None:
            return self._popped(view)
        contact = self._desk.store.cases.contact(kept.contact_id) if kept.contact_id else None
        view = replace(view, number=kept.number, case_id=kept.case_id, contact=contact)
        return view if kept.case_id else self._popped(view)

    def _ended(self, event: messages.CallEnded, tell: bool = True) -> None:
        if event.monitored:
            return
        known = self.get(event.call_id)
        if known is None and self._records.seen(event.call_id):
            return
        ours = self._records.is_ours(event)
        if known is None and not ours:
            return
        view = known or self._taken_over(_state_of(event))
        view = replace(
            view,
            state="ended",
            started_at=self._time(event.started_at) if event.started_at else view.started_at,
            answered_at=self._time(event.answered_at) if event.answered_at else None,
            ended_at=self._time(event.ended_at),
            cause=event.cause,
            sip_code=event.sip_code,
            recording_id=event.recording_id or view.recording_id,
        )
        if ours:
            self._records.write(view, event.line_id, event.talk_ms, event.quality)
        else:
            self._records.drop_open(view.id)
        self._finish(view, tell=tell or known is not None)

    def _finish(self, view: CallView, tell: bool = True) -> None:
        with self._lock:
            self._forget(view.id)
            self._over[view.id] = view
            for old in list(self._over)[:-MAX_OVER]:
                del self._over[old]
            if tell:
                self.changed.emit(view)
        if view.case_id:
            self._cases.changed.emit(frozenset({view.case_id}))

    def _recording(self, event: messages.RecordingState) -> None:
        with self._lock:
            view = self._views.get(event.call_id)
            if view is not None:
                self._tell(_recorded(view, event))
            elif event.call_id in self._over and event.state not in ("recording", "waiting"):
                self._over[event.call_id] = _recorded(self._over[event.call_id], event)
                self.sealed.emit(self._over[event.call_id])

    def _snapshot(self, event: messages.Snapshot) -> None:
        """The line process is there, or there again: go on with its calls, and close those that it no longer has."""
        for record in event.ended:  # of calls that ended while no window was there
            self._ended(record, tell=False)
        for call in event.calls:
            self._state(call)
        for recording in event.recordings:
            self._recording(recording)
        there = {call.call_id for call in event.calls}
        threading.Thread(
            target=self._close_unseen, args=(there, event.recordings), name="calls-unseen", daemon=True
        ).start()

    def _close_unseen(self, there: set[str], recordings: tuple[messages.RecordingState, ...]) -> None:
        """Write the records of calls whose end nobody told us: the window or the line process was not there."""
        with self._lock:
            gone = set(self._views) - there - self._asked
        gone |= set(self._records.open_calls()) - there - set(self._views)
        if not gone or self._closed.wait(self._unseen_end_s):
            return
        for call_id in gone:
            view = self._records.write_unseen(call_id, recordings) or self.get(call_id)
            if view is not None:
                self._finish(replace(view, state="ended", cause=view.cause or UNSEEN))

    def _time(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return self._desk.clock()


def _recorded(view: CallView, event: messages.RecordingState) -> CallView:
    return replace(
        view,
        recording_id=event.recording_id or view.recording_id,
        recording_state=event.state,
        recording_problem=event.problem,
        recording_mode=event.mode,
        pause_reasons=event.pause_reasons,
        paused=event.paused,
        pause_ends=time.monotonic() + event.pause_left_ms / 1000 if event.paused else 0.0,
        sealed_ms=event.sealed_ms,
    )


def _matters(view: CallView) -> int:
    """What is talked on comes before what is being dialled, that before what rings, and that before what waits."""
    if view.state == "active":
        return 3 if view.held else 0
    return 1 if view.direction is Direction.OUTBOUND else 2


def _matched(view: CallView, matches: list[CaseMatch], detail: CaseDetail | None) -> CallView:
    """The view with its matches; tied to the case when there is just one."""
    if len(matches) != 1:
        return replace(view, matches=tuple(matches))
    only = matches[0]
    return replace(view, matches=(only,), case_id=only.case.id, contact=only.contact, detail=detail)


def _state_of(event: messages.CallEnded) -> messages.CallState:
    return messages.CallState(
        call_id=event.call_id,
        line_id=event.line_id,
        direction=event.direction,
        number=event.number,
        state="ended",
        at=event.ended_at,
        at_ns=0,
        started_at=event.started_at,
        answered_at=event.answered_at,
    )
