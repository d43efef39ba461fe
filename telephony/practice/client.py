"""Starts and steers the practice line's process."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Event = dict[str, Any]

_READY_S = 20.0
_STOP_S = 10.0


class PracticeError(Exception):
    """The practice line could not be started, or has ended; the text says why in one sentence."""


class PracticeLine:
    """A simulated debtor on a port of loopback, in a process of its own.

    ``on_event`` gets what the process tells (see ``control``) on a thread of this object; it must not block
    for long. The process ends with ``stop``, and also when this process ends in whatever way. Methods may be
    called on any thread, one at a time.
    """

    def __init__(
        self,
        sounds: Path,
        seat_peer: str = "",
        port: int = 0,
        on_event: Callable[[Event], None] | None = None,
        log: Path | None = None,
    ) -> None:
        self._config = {"sounds": str(sounds), "seat_peer": seat_peer, "local_port": port}
        self._on_event = on_event or _ignore
        self._log = log
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._first: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The SIP port on 127.0.0.1, once started."""
        return self._port

    @property
    def peer(self) -> str:
        """``host:port`` for ``LineConfig.peer``."""
        return f"127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> int:
        """Start the process and return its port. Raises ``PracticeError``. Takes about a second: not on the
        main thread.
        """
        if self._process is not None:
            raise PracticeError("the practice line is started already")
        errors = self._log.open("ab") if self._log is not None else None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "telephony.practice", "--config", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors or subprocess.DEVNULL,
            )
        finally:
            if errors is not None:
                errors.close()
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="practice-events", daemon=True)
        self._reader.start()
        try:
            self._send(self._config)
            self._port = self._wait_until_ready()
        except PracticeError:
            self.stop()
            raise
        return self._port

    def call_in(self, number: str, peer: str = "") -> None:
        """Let the debtor with this number call the seat, at ``peer`` (``host:port``) or the ``seat_peer`` of
        the start.

        The number is the From user of the INVITE. What comes of it is told by events. Raises
        ``PracticeError``.
        """
        self._send({"call_in": {"number": number, "peer": peer}})

    def hang_up(self) -> None:
        """Let the debtor hang up, if a call is up. Raises ``PracticeError``."""
        self._send({"hang_up": True})

    def stop(self) -> None:
        """End the process and wait for it; may be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it may have ended before
            process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join()

    def _send(self, order: Event) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise PracticeError("the practice line is not started")
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            raise PracticeError("the practice line has ended") from error

    def _wait_until_ready(self) -> int:
        try:
            first = self._first.get(timeout=_READY_S)
        except queue.Empty:
            raise PracticeError("the practice line did not start in time") from None
        if not first.get("ready"):
            raise PracticeError(str(first.get("error") or "the practice line ended while starting"))
        return int(first["port"])

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout:
            self._first.put(_parse(process.stdout.readline()))
            for line in process.stdout:
                self._on_event(_parse(line))
        self._on_event({"event": "gone"})


def _parse(line: bytes) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _ignore(event: Event) -> None:
    """For callers that do not care."""
