"""The line process: its parts behind the socket that the desktop talks to.

``python -m agent_desktop.line --socket ADDRESS`` reads two lines from standard input: the setup as JSON, and the
socket's authentication key in hexadecimal. It prints ``{"ready": true, "pid": N}`` and runs until told to shut down, or
until no client has been there for a while and no call is up.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from typing import Any

from agent_desktop.line_parts import LineParts
from agent_desktop.logs import log_to_file
from agent_desktop.services.line_port import LineSetup
from telephony.messages import LinePolicy, SetPolicy, Shutdown
from telephony.server import LineServer

log = logging.getLogger(__name__)

WATCH_S = 1.0
SWITCH_INTERVAL_S = 0.0005
"""Short, so that the media clock's callbacks do not wait long for a Python thread that is busy."""


class LineProcess:
    """A seat's line, served on a socket. Main thread."""

    def __init__(self, setup: LineSetup, address: str, key: bytes) -> None:
        self._stop = threading.Event()
        self._stop_reason = "told to stop"
        self._idle_exit_s = idle_exit_s(setup.policy)
        self._parts = LineParts(setup, {Shutdown: self._on_shutdown, SetPolicy: self._on_set_policy})
        self._server = LineServer(address, key, self._parts.hub)

    def start(self) -> None:
        """Open the socket and register the lines. Raises ``OSError`` or ``RuntimeError``."""
        self._parts.start()
        self._server.start()
        self._parts.set_up()

    def run(self) -> None:
        """Watch until told to stop or nobody needs this process any more, then end in order."""
        hub = self._parts.hub
        idle_since = time.monotonic()
        while not self._stop.wait(WATCH_S):
            if hub.client_count or hub.snapshot().calls:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > self._idle_exit_s:
                self._stop_reason = "nobody was there"
                break
        self._parts.end(self._stop_reason)
        self._server.stop()

    def stop(self) -> None:
        """Let ``run`` return. Any thread, signal handlers too."""
        self._stop.set()

    def give_up(self) -> None:
        """End what ``start`` has begun; without it the engine's thread would keep a process that nobody can reach."""
        self._parts.end("it could not start")
        self._server.stop()

    def _on_shutdown(self, command: Shutdown) -> dict[str, Any]:
        self._stop_reason = "a client asked for it"
        self._stop.set()
        return {}

    def _on_set_policy(self, command: SetPolicy) -> dict[str, Any]:
        self._idle_exit_s = idle_exit_s(command.policy)
        self._parts.take_policy(command.recording)
        return {}


def idle_exit_s(policy: LinePolicy) -> float:
    """How long to stay without a client and without a call; the environment is for tests and benchmarks."""
    told = os.environ.get("AGENT_DESKTOP_LINE_IDLE_S")
    return float(told) if told else policy.idle_exit_s


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
        process.give_up()
        return 1
    gc.collect()
    gc.freeze()  # what is there now stays: the collector need not look at it again while somebody talks
    print(json.dumps({"ready": True, "pid": os.getpid()}), flush=True)  # noqa: T201
    process.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
