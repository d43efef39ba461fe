"""What the line process and the headless softphone are both made of: engine, recorder, call journal, headset."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from agent_desktop.call_journal import SealedLog, journal_key
from agent_desktop.grants import GrantVerifier
from agent_desktop.line_audio import LineAudio
from agent_desktop.recorder_health import HealthWatch
from agent_desktop.recording_control import RecordingControl
from agent_desktop.recording_policy import PolicyKeeper
from agent_desktop.services.line_port import LineSetup
from recorder.container import JOURNAL
from recorder.evidence import SeatIdentity
from recorder.files import SpoolError
from recorder.session import Recorder, RecordingSession
from recorder.spool import Spool
from recorder.status import RecordingStatus
from telephony.engine import Engine
from telephony.errors import CommandError
from telephony.hub import Handler, Hub
from telephony.interfaces import CallFacts, MediaTap
from telephony.messages import AddLine, Command, Event, RecorderHealth, RecordingState, Stopped
from telephony.records import CallJournal, MemoryLog
from telephony.settings import EngineSettings

log = logging.getLogger(__name__)

FINISH_S = 8.0
"""How long the recorder may take to seal what is open when the process ends."""


class LineParts:
    """Everything behind the carrier, put together. Main thread, except ``hub``.

    A seat that was never signed in at has no keys: then calls are neither recorded nor written down, nor listened to.
    """

    def __init__(self, setup: LineSetup, handlers: Mapping[type[Command], Handler]) -> None:
        self._setup = setup
        self.audio = LineAudio(lambda: self.hub)
        self._spool = Spool(setup.spool)
        self._recorder: Recorder | None = None
        self._recording: RecordingControl | None = None
        self._health: HealthWatch | None = None
        journal = CallJournal(MemoryLog())
        if setup.enrolled:
            identity = SeatIdentity(setup.seat_id, setup.signing_key)
            self._recorder = Recorder(self._spool, setup.store_key, identity, self._on_recording)
            policy = PolicyKeeper(setup.grant_key, setup.seat_id, setup.records.parent)
            self._recording = RecordingControl(self._recorder, policy, self._send_on, self._on_recording_changed)
            self._health = HealthWatch(self._spool, self._on_health)
            self._recording.take_policy(setup.recording_policy)
            journal = CallJournal(SealedLog(setup.records, journal_key(setup.signing_key)), self._last_sign)
        journal.agent_id = setup.agent_id
        recording = self._recording.handlers if self._recording is not None else {}
        self.hub = Hub(journal, {**self.audio.handlers, **recording, **handlers})
        settings = EngineSettings(
            local_host=setup.local_host, local_port=setup.local_port, tls_ca_file=setup.tls_ca_file
        )
        grants = GrantVerifier(setup.grant_key, setup.seat_id) if setup.enrolled else None
        self._engine = Engine(settings, self.audio.first, self._make_tap, grants, self._publish)

    def start(self) -> None:
        """Read the call journal, start the engine. Raises ``BlockingIOError`` when another process has this seat's
        journal, ``RuntimeError`` when PJSIP cannot start.
        """
        self.hub.journal.start()
        self._engine.start()
        self.hub.use(self._engine)

    def set_up(self) -> None:
        """Open the headset, set up the lines, look for what a crash left of recordings."""
        self.audio.start(self._engine, self._setup.audio)
        for line in self._setup.lines:
            try:
                self._engine.submit(AddLine(id="setup", line=line)).result(10)
            except CommandError as error:
                log.error("line %s cannot be set up: %s", line.line_id, error.code)
        if self._recorder is not None:
            threading.Thread(target=self._recover, args=(self._recorder,), name="recover", daemon=True).start()
        if self._health is not None:
            self._health.start()

    def take_policy(self, recording: str) -> None:
        """Follow the server's recording policy from the next call on, when it is genuine."""
        if self._recording is not None:
            self._recording.take_policy(recording)

    def end(self, reason: str) -> None:
        """Hang up, seal recordings, write down how the calls ended."""
        log.info("ending: %s", reason)
        self._engine.stop()
        if self._recorder is not None and not self._recorder.stop(FINISH_S):
            log.warning("some recordings were left as journals; the next start recovers them")
        if self._health is not None:
            self._health.stop()
        self.hub.journal.stop()
        self.hub.publish(Stopped(reason))

    def _make_tap(self, call: CallFacts) -> MediaTap | None:
        return self._recording.start(call, self.hub.journal.agent_id) if self._recording is not None else None

    def _publish(self, event: Event) -> None:
        self.hub.publish(self._recording.named(event) if self._recording is not None else event)

    def _last_sign(self, recording_id: str) -> float | None:
        """When a call's recording was last written to: what a crash left of it."""
        try:
            return self._spool.payload(recording_id, JOURNAL).stat().st_mtime if recording_id else None
        except (OSError, ValueError):
            return None

    def _recover(self, recorder: Recorder) -> None:
        try:
            found = recorder.recover()
        except SpoolError as error:
            log.error("what a crash may have left in the spool cannot be looked at: %s", error.code)
            return
        if found:
            log.warning("recovered %d recordings of an earlier crash", len(found))

    def _send_on(self, command: Command) -> Future[dict[str, Any]]:
        return self._engine.submit(command)

    def _on_health(self, health: RecorderHealth) -> None:
        self.hub.publish(health)

    def _on_recording_changed(self, session: RecordingSession) -> None:
        self._on_recording(session.status(self._spool.free_bytes()))

    def _on_recording(self, status: RecordingStatus) -> None:
        if status.problem in ("spool_unwritable", "disk_full"):
            log.error("recording %s: %s", status.recording_id, status.problem)
        self.hub.publish(
            RecordingState(
                recording_id=status.recording_id,
                call_id=status.call_id,
                state=status.state,
                sealed_ms=status.sealed_ms,
                lost_frames=status.lost_frames,
                free_bytes=status.free_bytes,
                problem=status.problem,
                mode=status.mode,
                paused=status.paused,
                pause_left_ms=status.pause_left_ms,
                pause_reasons=self._pause_reasons(status),
            )
        )

    def _pause_reasons(self, status: RecordingStatus) -> tuple[str, ...]:
        live = self._recording is not None and status.state in ("recording", "waiting", "failed")
        return self._recording.pause_reasons(status.call_id) if self._recording is not None and live else ()
