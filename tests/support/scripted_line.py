"""A line port that answers as told and emits what a test wants: for unit tests of services only."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from agent_desktop.services.listeners import Listeners
from telephony import messages
from telephony.client import LineError
from telephony.messages import Command, Event

_ns = itertools.count(1)
NO_AUDIO = messages.AudioState("null", "null")


class ScriptedLine:
    """Records commands; ``refuse`` maps a command's type to the code it is refused with, ``results`` to its reply's."""

    def __init__(self) -> None:
        self.events: Listeners[Event] = Listeners()
        self.lost: Listeners[str] = Listeners()
        self.commands: list[Command] = []
        self.refuse: dict[type[Command], str] = {}
        self.results: dict[type[Command], dict[str, Any]] = {}
        self.calls: tuple[messages.CallState, ...] = ()
        self.recordings: tuple[messages.RecordingState, ...] = ()
        self.lines: tuple[messages.LineState, ...] = ()
        self.stopped = False

    def request(self, command: Callable[[str], Command], timeout: float = 2.0) -> dict[str, Any]:
        made = command(f"c{len(self.commands)}")
        assert messages.decode(messages.encode(made)) == made
        self.commands.append(made)
        if type(made) in self.refuse:
            raise LineError(self.refuse[type(made)], "scripted")
        if isinstance(made, messages.GetSnapshot):
            import json

            found: dict[str, Any] = json.loads(messages.encode(self.snapshot()))
            return found
        return self.results.get(type(made), {})

    def stop(self) -> None:
        self.stopped = True

    def snapshot(self) -> messages.Snapshot:
        return messages.Snapshot(self.lines, self.calls, self.recordings, NO_AUDIO)

    def last(self, kind: type[Command]) -> Any:
        return next(c for c in reversed(self.commands) if isinstance(c, kind))


def incoming(call_id: str, number: str, at: str = "2026-11-23T04:00:00Z") -> messages.CallIncoming:
    return messages.CallIncoming(call_id, "line-1", number, "", "1001", at, next(_ns))


def state(call_id: str, state_: str, **values: Any) -> messages.CallState:
    fields: dict[str, Any] = {
        "line_id": "line-1",
        "direction": "outbound",
        "number": "13800006021",
        "at": "2026-11-23T04:00:08Z",
        "started_at": "2026-11-23T04:00:00Z",
        **values,
    }
    return messages.CallState(call_id=call_id, state=state_, at_ns=next(_ns), **fields)


def ended(call_id: str, cause: str = "far_hung_up", **values: Any) -> messages.CallEnded:
    fields: dict[str, Any] = {
        "line_id": "line-1",
        "direction": "outbound",
        "number": "13800006021",
        "sip_code": 200,
        "reason": "",
        "started_at": "2026-11-23T04:00:00Z",
        "answered_at": "2026-11-23T04:00:08Z",
        "ended_at": "2026-11-23T04:01:08Z",
        "talk_ms": 60_000,
        "quality": {"codec": "PCMA", "rtt_ms": float("inf"), "rx_lost": 2},
        **values,
    }
    return messages.CallEnded(call_id=call_id, cause=cause, **fields)


def recording(call_id: str, recording_id: str, state_: str = "recording", **values: Any) -> messages.RecordingState:
    fields: dict[str, Any] = {"sealed_ms": 1_000, "lost_frames": 0, "free_bytes": 10**9, **values}
    return messages.RecordingState(recording_id=recording_id, call_id=call_id, state=state_, **fields)
