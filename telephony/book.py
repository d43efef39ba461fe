"""The latest state of each line, call, recording and the audio: what a client that comes back is told first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from telephony.messages import (
    AnsweringState,
    AudioState,
    CallState,
    Event,
    LineState,
    RecorderHealth,
    RecordingState,
    Snapshot,
)

_RECORDINGS = 200


class Book:
    """Remembers events on their way out. Any thread."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._lines: dict[str, LineState] = {}
        self._calls: dict[str, CallState] = {}
        self._recordings: OrderedDict[str, RecordingState] = OrderedDict()
        self._recorder = RecorderHealth()
        self._audio = AudioState("", "")
        self._answering = AnsweringState()

    def publish(self, event: Event) -> None:
        """Remember, then pass on: a snapshot taken later holds at least what was passed on before."""
        self.remember(event)
        self._publish(event)

    def remember(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, LineState):
                self._line(event)
            elif isinstance(event, CallState):
                self._call(event)
            elif isinstance(event, RecordingState):
                self._recording(event)
            elif isinstance(event, AudioState):
                self._audio = event
            elif isinstance(event, AnsweringState):
                self._answering = event
            elif isinstance(event, RecorderHealth):
                self._recorder = event

    def snapshot(self) -> Snapshot:
        with self._lock:
            return Snapshot(
                lines=tuple(self._lines.values()),
                calls=tuple(self._calls.values()),
                recordings=tuple(self._recordings.values()),
                audio=self._audio,
                answering=self._answering,
                recorder=self._recorder,
            )

    def _line(self, event: LineState) -> None:
        if event.state == "removed":
            self._lines.pop(event.line_id, None)
        else:
            self._lines[event.line_id] = event

    def _call(self, event: CallState) -> None:
        if event.state == "ended":
            self._calls.pop(event.call_id, None)
        else:
            self._calls[event.call_id] = event

    def _recording(self, event: RecordingState) -> None:
        self._recordings.pop(event.call_id, None)  # what is not yet asked for has no id, and goes by its call's
        if event.state == "nothing":
            return
        key = event.recording_id or event.call_id
        self._recordings[key] = event
        self._recordings.move_to_end(key)
        while len(self._recordings) > _RECORDINGS:
            self._recordings.popitem(last=False)
