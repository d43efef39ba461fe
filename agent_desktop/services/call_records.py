"""Call records (T7): every call gets one, with its operation, even when the window or the line process was away."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent_desktop.domain.models import Call, Contact, Direction
from agent_desktop.domain.sync import OpenCall, Operation
from agent_desktop.services.call_views import CallView
from agent_desktop.services.errors import DeskError
from telephony.messages import CallEnded, RecordingState

if TYPE_CHECKING:
    from agent_desktop.services.context import DeskContext

log = logging.getLogger(__name__)

MAX_TALK_MS = 7 * 24 * 3_600_000
UNSEEN = "line_lost"
"""Cause of a call whose end nobody saw."""


class CallRecords:
    """Writes records; one that cannot be written now is kept in memory and tried again with the next. Any thread."""

    def __init__(self, desk: DeskContext, on_kept: Callable[[Iterable[str]], None] = lambda call_ids: None) -> None:
        """``on_kept`` is told of records that are committed."""
        self._desk = desk
        self._on_kept = on_kept
        self._unwritten: dict[str, Call] = {}
        self._lock = threading.Lock()

    def keep_open(self, view: CallView, line_id: str) -> None:
        """Remember on disk what a call is about; a failure is logged and does not stop the call."""
        kept = OpenCall(
            call_id=view.id,
            case_id=view.case_id,
            contact_id=view.contact.id if view.contact else "",
            number=view.number,
            line_id=line_id,
            direction=view.direction,
            started_at=view.started_at,
            answered_at=view.answered_at,
            recording_id=view.recording_id,
        )
        try:
            self._desk.store.work.keep_open_call(kept)
        except DeskError as error:
            log.warning("call %s not kept as open: %s", view.id, error)

    def drop_open(self, call_id: str) -> None:
        """The call was never made."""
        try:
            self._desk.store.work.drop_open_call(call_id)
        except DeskError as error:
            log.warning("call %s not dropped: %s", call_id, error)

    def open_calls(self) -> dict[str, OpenCall]:
        """Calls without a record; empty when the store cannot be read."""
        try:
            return self._desk.store.work.open_calls()
        except DeskError as error:
            log.warning("open calls not read: %s", error)
            return {}

    def open_call(self, call_id: str) -> OpenCall | None:
        return self.open_calls().get(call_id)

    def written(self, call_id: str) -> bool:
        """The call has its record."""
        if call_id in self._unwritten:
            return True
        try:
            return self._desk.store.work.has_call(call_id)
        except DeskError:
            return False

    def is_ours(self, event: CallEnded) -> bool:
        """The call was this person's; nobody's counts as theirs who signs in next.

        Another's record stays, sealed, with the line process until they sign in at this seat again: it belongs in their
        store and session, where the case is known that the call was about.
        """
        return event.agent_id in ("", self._desk.user.id)

    def seen(self, call_id: str) -> bool:
        """The call has its record; the line process may forget it once it is committed."""
        if not self.written(call_id):
            return False
        if call_id not in self._unwritten:
            self._on_kept([call_id])
        return True

    def write(self, view: CallView, line_id: str, talk_ms: int, quality: Mapping[str, object]) -> None:
        """Write the record of an ended call."""
        ended_at = max(view.ended_at or view.started_at, view.started_at)
        call = Call(
            id=view.id,
            case_id=view.case_id,
            contact_id=view.contact.id if view.contact and view.contact.case_id == view.case_id else "",
            agent_id=self._desk.user.id,
            line_id=line_id,
            direction=view.direction,
            number=view.number,
            started_at=view.started_at,
            answered_at=_within(view.answered_at, view.started_at, ended_at),
            ended_at=ended_at,
            cause=view.cause,
            talk_ms=min(max(0, talk_ms), MAX_TALK_MS),
            recording_id=view.recording_id,
            quality=_finite(quality),
            sip_code=view.sip_code,
        )
        with self._lock:
            self._unwritten[call.id] = call
        self.retry()

    def retry(self) -> None:
        """Write what has not been written yet."""
        with self._lock:
            calls = list(self._unwritten.values())
        for call in calls:
            try:
                self._write(call)
            except DeskError as error:
                log.warning("record of call %s not written yet: %s", call.id, error)
                return
            with self._lock:
                self._unwritten.pop(call.id, None)
            self._on_kept([call.id])
        if calls:
            self._desk.wake()

    def write_unseen(self, call_id: str, recordings: Sequence[RecordingState]) -> CallView | None:
        """Record a call whose end was not told, from what was kept of it; None when it has a record by now.

        Its length is its recording's, as far as that is known; the quality says that the end was not seen.
        """
        kept = self.open_call(call_id)
        if kept is None or self.written(call_id):
            return None
        recording = next((r for r in recordings if r.call_id == call_id), None)
        talk_ms = recording.sealed_ms if recording and kept.answered_at else 0
        view = CallView(
            id=call_id,
            direction=Direction(kept.direction),
            number=kept.number,
            state="ended",
            started_at=kept.started_at,
            answered_at=kept.answered_at,
            ended_at=_plus(kept.answered_at or kept.started_at, talk_ms),
            cause=UNSEEN,
            case_id=kept.case_id,
            contact=self._contact(kept.contact_id),
            recording_id=recording.recording_id if recording else kept.recording_id,
        )
        log.warning("the end of call %s was not seen; recorded from what was known", call_id)
        self.write(view, kept.line_id, talk_ms, {"end_seen": False})
        return view

    def _contact(self, contact_id: str) -> Contact | None:
        return self._desk.store.cases.contact(contact_id) if contact_id else None

    def _write(self, call: Call) -> None:
        from agent_desktop.sync.shapes import call_json

        # The call's own id: however often its end is told, it is one operation.
        operation = Operation(call.id, "call.add", call.ended_at, call.case_id, call_json(call))
        self._desk.store.work.add_call(call, operation)


def _within(at: datetime | None, first: datetime, last: datetime) -> datetime | None:
    """``at`` between the two: clocks that were set in mid-call must not make a record that the server refuses."""
    return None if at is None else min(max(at, first), last)


def _plus(at: datetime, milliseconds: int) -> datetime:
    return at + timedelta(milliseconds=milliseconds)


def _finite(quality: Mapping[str, object]) -> dict[str, object]:
    """Without infinities and what is no number: JSON has no such thing."""
    return {k: v for k, v in quality.items() if not isinstance(v, float) or math.isfinite(v)}
