"""The indicators at the top of the window: line, server, sync, upload, recording, sound."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent_desktop.services.line_roster import LineView
from agent_desktop.services.listeners import Listeners
from telephony.messages import AudioState, Event, RecorderHealth, RecordingState, Snapshot

if TYPE_CHECKING:
    from agent_desktop.sync.worker import SyncState
    from recorder.uploader import UploadStatus

AGENT_STATES = ("ready", "wrap_up", "break")


@dataclass(frozen=True, slots=True)
class StatusView:
    """All indicators at one moment."""

    line_state: str = "registering"
    """Of the line that calls are made on; when none is usable, of the one that is worst off. As
    ``telephony.messages.LineState``, ``away`` when the line process is not there, ``none`` where there is no line.
    """
    line_name: str = ""
    line_sip_code: int = 0
    line_reason: str = ""
    line_problem: str = ""
    """Why that line is not usable, as ``telephony.messages.LineState``."""
    lines_down: int = 0
    """How many of the seat's lines are not usable now."""
    online: bool = False
    """The server answered last time."""
    offline_since: datetime | None = None
    signed_out: bool = False
    """The server no longer accepts our token: sign in again."""
    outbox: int = 0
    """Notes and call records not yet taken by the server."""
    refused: int = 0
    """Operations that the server refused for good; kept, and shown."""
    uploads_waiting: int = 0
    uploading: bool = False
    upload_problem: str = ""
    """As ``recorder.uploader.UploadStatus``."""
    uploads_refused: int = 0
    """Recordings that the server refused or nobody can read; kept, and shown."""
    upload_oldest_at: datetime | None = None
    """When the oldest recording that waits for its upload was begun."""
    upload_last_at: datetime | None = None
    """When a recording was stored last, since this window was opened."""
    free_bytes: int = -1
    """Left on the recordings' disk; −1 while it is not known."""
    recorder_problem: str = ""
    """Of the spool, call or no call, as ``telephony.messages.RecorderHealth``."""
    audio: str = ""
    audio_problem: str = ""
    recording_problem: str = ""


class StatusService:
    """Collects what the workers report. Listeners are called on the reporting thread."""

    changed: Listeners[StatusView]

    def __init__(self) -> None:
        self.changed = Listeners()
        self.agent_state_changed: Listeners[str] = Listeners()
        self._view = StatusView()
        self._agent_state = "ready"
        self._line_uri = ""
        self._recording_problems: dict[str, str] = {}
        """By call, of those whose recording has one."""
        self._over: set[str] = set()
        """Calls whose recordings ended with a problem, which is shown until another one has something to say."""
        # Held while it tells, so that the last view told is the last one there is.
        self._lock = threading.RLock()

    @property
    def now(self) -> StatusView:
        return self._view

    @property
    def agent_state(self) -> str:
        return self._agent_state

    @property
    def line_uri(self) -> str:
        """Where this seat's line can be reached for monitoring; empty until the line has said so."""
        return self._line_uri

    def set_agent_state(self, state: str) -> None:
        """What the wallboard shows when there is no call: ``ready``, ``wrap_up`` or ``break``."""
        if state not in AGENT_STATES:
            raise ValueError("unknown agent state")
        with self._lock:
            if state == self._agent_state:
                return
            self._agent_state = state
            self.agent_state_changed.emit(state)

    def on_line_event(self, event: Event) -> None:
        """An event of the line process."""
        if isinstance(event, Snapshot):
            self.on_line_event(event.audio)
            self.on_line_event(event.recorder)
        elif isinstance(event, AudioState):
            self._update(audio=event.description or event.kind, audio_problem=event.problem)
        elif isinstance(event, RecorderHealth):
            self._update(free_bytes=event.free_bytes, recorder_problem=event.problem)
        elif isinstance(event, RecordingState):
            self._on_recording(event)

    def on_lines(self, lines: tuple[LineView, ...]) -> None:
        """How the seat's lines are; empty where it has none, and needs none."""
        if not lines:
            self._update(line_state="none")
            return
        line = next((line for line in lines if line.usable), None) or min(lines, key=_badness)
        self._line_uri = line.uri or self._line_uri
        self._update(
            line_state=line.state,
            line_name=line.name,
            line_sip_code=line.sip_code,
            line_reason=line.reason,
            line_problem=line.problem,
            lines_down=sum(not line.usable for line in lines),
        )

    def on_line_lost(self, reason: str) -> None:
        """The line process has gone, and with it what was wrong with recording; ``reason`` is for the log."""
        with self._lock:
            self._recording_problems.clear()
            self._update(recording_problem="", free_bytes=-1, recorder_problem="")

    def on_sync(self, state: SyncState) -> None:
        """The sync worker's state."""
        self._update(
            online=state.online,
            offline_since=state.offline_since,
            signed_out=state.signed_out,
            outbox=state.waiting,
            refused=state.refused,
        )

    def on_signed_out(self) -> None:
        """The push channel learned that the token is no longer good."""
        self._update(signed_out=True)

    def on_signed_in(self) -> None:
        """There is a new token: what was said of the old one no longer holds."""
        self._update(signed_out=False)

    def on_uploads(self, state: UploadStatus) -> None:
        """The uploader's state."""
        self._update(
            uploads_waiting=state.waiting,
            uploading=state.uploading,
            upload_problem=state.problem,
            uploads_refused=state.refused,
            upload_oldest_at=_time(state.oldest_at) if state.waiting else None,
            upload_last_at=_time(state.last_done_at) or self._view.upload_last_at,
        )

    def _on_recording(self, event: RecordingState) -> None:
        """Of two calls the one whose recording has a problem is heard: the other must not cover it."""
        call_id = event.call_id  # a recording that waits to be asked for has no id yet
        with self._lock:
            for other in self._over - {call_id}:
                self._recording_problems.pop(other, None)
            self._over &= {call_id}
            if event.state not in ("recording", "waiting"):
                self._over.add(call_id)
            self._recording_problems.pop(call_id, None)
            if event.problem:
                self._recording_problems[call_id] = event.problem
            self._update(recording_problem=next(reversed(self._recording_problems.values()), ""))

    def _update(self, **changes: Any) -> None:
        with self._lock:
            view = replace(self._view, **changes)
            if view != self._view:
                self._view = view
                self.changed.emit(view)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _badness(line: LineView) -> int:
    """A line that has failed comes before one that is still trying."""
    order = ("away", "failed", "removed", "registering")
    return order.index(line.state) if line.state in order else len(order)
