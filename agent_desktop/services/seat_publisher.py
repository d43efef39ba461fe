"""Telling the server what this seat is doing, for the wallboard."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from agent_desktop.services.call_views import CallView
from agent_desktop.services.errors import DeskError

if TYPE_CHECKING:
    from agent_desktop.services.calls import CallService
    from agent_desktop.services.status import StatusService, StatusView
    from agent_desktop.sync.http import CollectionApi
    from agent_desktop.sync.push import PushChannel

log = logging.getLogger(__name__)

HEARTBEAT_S = 10.0
UPLOAD_PROBLEMS = ("receipt_wrong", "refused", "spool_unreadable")
"""Of ``UploadStatus.problem``, those that do not mend themselves."""

PAINT_FIRST_S = 0.05
"""Wait before telling others, so that the window paints a popped case without sharing the interpreter."""


class SeatPublisher:
    """A thread that sends the latest state when it changes; what came between is left out.

    Over the push channel, whose being up tells the server that the seat is there; without it over HTTP, and then again
    every ``HEARTBEAT_S``.
    """

    def __init__(
        self,
        seat_id: str,
        api: CollectionApi,
        push: PushChannel,
        calls: CallService,
        status: StatusService,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._seat_id = seat_id
        self._api = api
        self._push = push
        self._calls = calls
        self._status = status
        self._heartbeat_s = heartbeat_s
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._told: dict[str, object] | None = None
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="seat-state", daemon=True)

    def start(self) -> None:
        self._calls.changed.join(self._on_call)
        self._status.changed.join(lambda _: self._wake.set())
        self._status.agent_state_changed.join(lambda _: self._wake.set())
        self._thread.start()

    def again(self) -> None:
        """Send the state even when it has not changed: the server may have missed it."""
        self._told = None
        self._wake.set()

    def stop(self) -> None:
        """Say that the seat is gone, if the server can be told, and end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._send({**self.state(), "state": "offline", "call": None, "recording": False})

    def state(self) -> dict[str, object]:
        """The seat's state as the API has it: of two calls the one that matters, and whether either is recorded."""
        call, status = self._calls.current, self._status.now
        calls = self._calls.calls
        return {
            "state": _agent_state(call) or self._status.agent_state,
            "call": {"id": call.id, "case_id": call.case_id, "direction": call.direction.value} if call else None,
            "line_state": status.line_state,
            "line_uri": self._status.line_uri,
            "recording": any(c.is_recorded for c in calls),
            "recording_problem": _recording_problem(calls, status),
        }

    def _on_call(self, call: CallView) -> None:
        """After a call that was answered comes its wrap-up, until the note is saved or the collector says otherwise."""
        if call.state == "ended" and call.answered_at is not None and self._status.agent_state == "ready":
            self._status.set_agent_state("wrap_up")
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            due = not self._wake.wait(self._heartbeat_s)
            self._stopping.wait(PAINT_FIRST_S)
            self._wake.clear()
            state = self.state()
            if state != self._told or (due and not self._push.up):
                self._told = state if self._send(state) else None

    def _send(self, state: dict[str, object]) -> bool:
        if self._push.publish(state):
            return True
        try:
            self._api.put_seat_state(self._seat_id, state)
        except DeskError as error:
            if str(error.problem) != self._problem:
                log.info("seat state not sent: %s", error)
            self._problem = str(error.problem)
            return False
        self._problem = ""
        return True


def _recording_problem(calls: tuple[CallView, ...], status: StatusView) -> str:
    """What a lead is told of the seat's recording, the gravest first: as ``RecordingState.problem`` or
    ``RecorderHealth.problem``; ``paused``, ``on_demand`` (nobody has asked yet), ``upload_problem``.
    """
    found = [c.recording_problem for c in calls] + [status.recorder_problem]
    found += ["paused" for c in calls if c.paused]
    found += ["on_demand" for c in calls if c.recording_state == "waiting" and not c.is_recorded]
    if status.uploads_refused or status.upload_problem in UPLOAD_PROBLEMS:
        found.append("upload_problem")
    return next((code for code in found if code), "")


def _agent_state(call: CallView | None) -> str:
    """The state that a call puts the seat in; empty without a call."""
    if call is None:
        return ""
    return "on_call" if call.answered_at is not None else "ringing"
