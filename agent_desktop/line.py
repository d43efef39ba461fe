"""The line process: puts together the engine, the recorder and the socket that the desktop talks to.

``python -m agent_desktop.line --socket ADDRESS`` reads two lines from standard input: the setup as JSON, and the
socket's authentication key in hexadecimal. It prints ``{"ready": true, "pid": N}`` and runs until told to shut down, or
until no client has been there for a while and no call is up.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from typing import Any

from agent_desktop.grants import GrantVerifier
from agent_desktop.logs import log_to_file
from agent_desktop.services.line_port import LineSetup
from recorder.evidence import SeatIdentity
from recorder.files import SpoolError
from recorder.session import Recorder
from recorder.spool import Spool
from recorder.status import RecordingFacts, RecordingStatus
from telephony.audio.choose import make_headset, problem_of
from telephony.audio.files import NullHeadset
from telephony.engine import Engine
from telephony.errors import CommandError
from telephony.interfaces import CallFacts, Headset, MediaTap
from telephony.messages import (
    AddLine,
    AudioConfig,
    AudioState,
    Command,
    ListDevices,
    RecordingState,
    SetAudio,
    Shutdown,
    Stopped,
)
from telephony.server import Handler, LineServer
from telephony.settings import EngineSettings

log = logging.getLogger(__name__)

IDLE_EXIT_S = float(os.environ.get("AGENT_DESKTOP_LINE_IDLE_S", "60"))
"""Without a client and without a call for this long, the process ends by itself."""
FINISH_S = 8.0
"""How long the recorder may take to seal what is open when the process ends."""
WATCH_S = 1.0
SWITCH_INTERVAL_S = 0.0005
"""Short, so that the media clock's callbacks do not wait long for a Python thread that is busy."""


class LineProcess:
    """Engine, recorder and server of one seat, put together. Main thread."""

    def __init__(self, setup: LineSetup, address: str, key: bytes) -> None:
        self._setup = setup
        self._stop = threading.Event()
        self._stop_reason = "told to stop"
        self._headset: Headset = NullHeadset()
        handlers: dict[type[Command], Handler] = {
            Shutdown: self._on_shutdown,
            SetAudio: self._on_set_audio,
            ListDevices: self._on_list_devices,
        }
        self._server = LineServer(address, key, handlers)
        self._recorder = Recorder(
            Spool(setup.spool), setup.store_key, SeatIdentity(setup.seat_id, setup.signing_key), self._on_recording
        )
        settings = EngineSettings(
            local_host=setup.local_host, local_port=setup.local_port, tls_ca_file=setup.tls_ca_file
        )
        grants = GrantVerifier(setup.grant_key, setup.seat_id)
        self._engine = Engine(settings, self._headset, self._make_tap, grants, self._server.publish)

    def start(self) -> None:
        """Open the socket and register the lines. Raises ``OSError`` or ``RuntimeError``."""
        self._engine.start()
        self._server.start(self._engine)
        try:
            self._use_audio(self._setup.audio)
        except CommandError as error:
            log.warning("no headset: %s", error.code)
            self._server.publish(AudioState("null", NullHeadset().describe(), error.code))
        for line in self._setup.lines:
            try:
                self._engine.submit(AddLine(id="setup", line=line)).result(10)
            except CommandError as error:
                log.error("line %s cannot be set up: %s", line.line_id, error.code)
        threading.Thread(target=self._recover, name="recover", daemon=True).start()

    def run(self) -> None:
        """Watch until told to stop or nobody needs this process any more, then end in order."""
        idle_since = time.monotonic()
        while not self._stop.wait(WATCH_S):
            self._watch_headset()
            if self._server.client_count or self._server.snapshot().calls:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > IDLE_EXIT_S:
                self._stop_reason = "nobody was there"
                break
        self._end()

    def stop(self) -> None:
        """Let ``run`` return. Any thread, signal handlers too."""
        self._stop.set()

    def _end(self) -> None:
        log.info("ending: %s", self._stop_reason)
        self._engine.stop()
        if not self._recorder.stop(FINISH_S):
            log.warning("some recordings were left as journals; the next start recovers them")
        self._server.publish(Stopped(self._stop_reason))
        self._server.stop()

    def _make_tap(self, call: CallFacts) -> MediaTap | None:
        facts = RecordingFacts(call.call_id, call.line_id, call.direction, call.started_at, call.rate)
        return self._recorder.start(facts)

    def _recover(self) -> None:
        try:
            found = self._recorder.recover()
        except SpoolError as error:
            log.error("what a crash may have left in the spool cannot be looked at: %s", error.code)
            return
        if found:
            log.warning("recovered %d recordings of an earlier crash", len(found))

    def _on_recording(self, status: RecordingStatus) -> None:
        if status.problem in ("spool_unwritable", "disk_full"):
            log.error("recording %s: %s", status.recording_id, status.problem)
        self._server.publish(
            RecordingState(
                recording_id=status.recording_id,
                call_id=status.call_id,
                state=status.state,
                sealed_ms=status.sealed_ms,
                lost_frames=status.lost_frames,
                free_bytes=status.free_bytes,
                problem=status.problem,
            )
        )

    def _use_audio(self, config: AudioConfig) -> None:
        try:
            headset, state = make_headset(config)
        except ValueError as error:
            raise CommandError("no_such_device", str(error)) from error
        self._engine.swap_headset(headset).result(5)
        self._headset = headset
        self._server.publish(state)

    def _watch_headset(self) -> None:
        audio = self._server.snapshot().audio
        problem = problem_of(self._headset)
        if problem != audio.problem and "device_lost" in (problem, audio.problem):
            self._server.publish(AudioState(audio.kind, audio.description, problem))

    def _on_set_audio(self, command: SetAudio) -> dict[str, Any]:
        self._use_audio(command.audio)
        return {}

    def _on_list_devices(self, command: ListDevices) -> dict[str, Any]:
        from telephony.audio.card import list_devices

        return dict(list_devices())

    def _on_shutdown(self, command: Shutdown) -> dict[str, Any]:
        self._stop_reason = "a client asked for it"
        self._stop.set()
        return {}


def main() -> int:
    """Entry point of the line process."""
    parser = argparse.ArgumentParser(prog="agent_desktop.line")
    parser.add_argument("--socket", required=True)
    options = parser.parse_args()
    setup = LineSetup.from_json(sys.stdin.readline())
    key = bytes.fromhex(sys.stdin.readline().strip())
    log_to_file(setup.log_file)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    process = LineProcess(setup, options.socket, key)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop())
    try:
        process.start()
    except Exception:
        log.exception("the line process cannot start")
        return 1
    print(json.dumps({"ready": True, "pid": os.getpid()}), flush=True)  # noqa: T201
    process.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
