"""Starts the line process, takes over one that is running, watches it and starts it again when it goes."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent_desktop.services.line_port import LineSetup
from agent_desktop.services.listeners import Listeners
from telephony.client import LineClient
from telephony.errors import LineError
from telephony.messages import Command, Event, SetPolicy, Shutdown, Stopped

log = logging.getLogger(__name__)

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 10.0
LONGEST_SOCKET = 100
"""Bytes; the system takes 107."""
BACK_OFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)


def socket_address(setup: LineSetup) -> str:
    """Where this seat's line process listens: the same for every desktop process of this user and spool."""
    name = hashlib.sha256(f"{setup.seat_id}\n{setup.spool.resolve()}".encode()).hexdigest()[:20]
    if os.name == "nt":
        return rf"\\.\pipe\agent-desktop-{name}"
    inside = f"agent-desktop-{os.getuid()}/{name}.sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime or len(os.fsencode(f"{runtime}/{inside}")) > LONGEST_SOCKET:
        runtime = tempfile.gettempdir()
    folder = (Path(runtime) / inside).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise LineError("away", "the runtime folder belongs to somebody else")
    return str(folder / f"{name}.sock")


def socket_key(setup: LineSetup) -> bytes:
    """The socket's authentication key, derived so that nothing but the seat's own key need be kept."""
    return hmac.digest(setup.signing_key, b"agent-desktop line socket v1", "sha256")


class LineSupervisor:
    """The ``LinePort`` of a real line process. Thread-safe."""

    def __init__(self, setup: LineSetup) -> None:
        self.events: Listeners[Event] = Listeners()
        self.lost: Listeners[str] = Listeners()
        self._setup = setup
        self._address = socket_address(setup)
        self._key = socket_key(setup)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        """The line process has told how its calls ended, and that it ends itself; or it has gone."""
        self._client: LineClient | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reaper: threading.Thread | None = None
        self.starts = 0
        """How many line processes this supervisor has started."""

    def start(self) -> None:
        """Take over a running line process, else start one. Raises ``LineError`` when neither works."""
        try:
            self._connect(wait=False)
            log.info("took over a running line process")
        except LineError:
            self._spawn()
            self._connect(wait=True)

    def request(self, command: Callable[[str], Command], timeout: float = 2.0) -> dict[str, Any]:
        """See ``LinePort.request``."""
        client = self._client
        if client is None:
            raise LineError("away", "the line process is not there")
        return client.request(command, timeout)

    def stop(self) -> None:
        """See ``LinePort.stop``."""
        self._stopping.set()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            try:
                client.request(lambda i: Shutdown(id=i), STOP_TIMEOUT_S)
                self._ended.wait(STOP_TIMEOUT_S)
            except LineError as error:
                log.info("line process did not confirm its end: %s", error.code)
            client.close()
        self._reap()

    def leave(self) -> None:
        """Let go of the line process without ending it, as a crash of the window would."""
        self._stopping.set()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self, *, wait: bool) -> None:
        client = LineClient(self._address, self._key, self._on_event, self._on_lost, self._setup.agent_id)
        with self._lock:
            self._client = client  # whoever is told the first snapshot may ask at once
        try:
            client.connect(timeout=2.0, wait=wait)
        except LineError:
            with self._lock:
                self._client = None
            raise
        try:  # one that is taken over was started with the rules of its time
            client.request(lambda i: SetPolicy(i, self._setup.policy, self._setup.recording_policy))
        except LineError as error:
            log.warning("the line process did not take the policy: %s", error.code)

    def _spawn(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent_desktop.line", "--socket", self._address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._reaper = threading.Thread(target=process.wait, name="line-reaper", daemon=True)
        self._reaper.start()
        self.starts += 1
        giving_up = threading.Timer(START_TIMEOUT_S, process.kill)
        giving_up.start()
        try:
            process.stdin.write(self._setup.to_json().encode() + b"\n")
            process.stdin.write(self._key.hex().encode() + b"\n")
            process.stdin.close()
            answer = process.stdout.readline()
        except OSError as error:
            raise LineError("away", "the line process ended while it started") from error
        finally:
            giving_up.cancel()
            process.stdout.close()
        if not answer:
            self._reap()
            raise LineError("away", f"the line process did not start (status {process.returncode})")
        ready = json.loads(answer)
        log.info("line process %s is ready", ready["pid"])

    def _on_event(self, event: Event) -> None:
        self.events.emit(event)
        if isinstance(event, Stopped):
            self._ended.set()

    def _on_lost(self, reason: str) -> None:
        if self._stopping.is_set():
            self._ended.set()
            return
        with self._lock:
            self._client = None
        log.warning("the line process has gone: %s", reason)
        self.lost.emit(reason)
        threading.Thread(target=self._restart, name="line-restart", daemon=True).start()

    def _restart(self) -> None:
        attempt = 0
        while not self._stopping.wait(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)]):
            attempt += 1
            try:
                self.start()
            except LineError as error:
                log.warning("line process not back yet: %s", error.code)
            else:
                return

    def _reap(self) -> None:
        """Wait for the process that this supervisor started, if it did."""
        if self._process is None or self._reaper is None:
            return
        self._reaper.join(STOP_TIMEOUT_S)
        if self._reaper.is_alive():
            log.warning("the line process had to be killed")
            self._process.kill()
            self._reaper.join()


def start_line(setup: LineSetup) -> LineSupervisor:
    """The product's ``LineStarter``."""
    supervisor = LineSupervisor(setup)
    supervisor.start()
    return supervisor
