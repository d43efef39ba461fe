"""The headless softphone, ``agent-desktop line --json``: engine, recorder and call journal without window or server.

Standard output carries messages of the line protocol and nothing else; the log goes to a file.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from agent_desktop.config import Config
from agent_desktop.line import SWITCH_INTERVAL_S
from agent_desktop.line_parts import LineParts
from agent_desktop.line_setup import audio_config, line_config, system_authorities
from agent_desktop.logs import log_to_file
from agent_desktop.services.errors import DeskError
from agent_desktop.services.line_port import LineSetup
from agent_desktop.store.enrolment import is_enrolled, read_enrolment
from agent_desktop.store.keys import KeptKeys, KeyringAway
from telephony.messages import SetPolicy, Shutdown
from telephony.stdio import StdioCarrier

log = logging.getLogger(__name__)

NOT_ENROLLED = (
    "Nobody has signed in at this seat yet: calls are neither recorded nor kept. "
    "此坐席尚无人登录：通话不录音，也不留记录。"
)
NO_KEYS = (
    "The seat's keys are sealed and no passphrase was given, so calls could not be recorded; nothing was started. "
    "坐席密钥已加密且未提供口令，无法录音，程序未启动。"
)
BAD_KEYS = "The seat's keys cannot be read; nothing was started. 无法读取坐席密钥，程序未启动。"
IN_USE = (
    "This seat's line is in use by another program; nothing was started. 此坐席的线路正被另一程序使用，程序未启动。"
)
NO_ENGINE = "The telephone could not be started; the log says why. 电话程序无法启动，原因见日志。"


class Softphone:
    """A seat's line, served on two file descriptors. Main thread."""

    def __init__(self, setup: LineSetup, commands: int, events: int) -> None:
        self._stop = threading.Event()
        self._reason = "told to stop"
        self._parts = LineParts(setup, {Shutdown: self._on_shutdown, SetPolicy: self._on_set_policy})
        self._carrier = StdioCarrier(self._parts.hub, commands, events, self.stop)

    def run(self) -> None:
        """Serve until told to stop, then end in order. Raises ``BlockingIOError`` or ``RuntimeError`` at the start."""
        self._parts.start()
        self._carrier.start()
        self._parts.set_up()
        self._stop.wait()
        self._parts.end(self._reason)
        self._carrier.finish()

    def stop(self, reason: str) -> None:
        """Let ``run`` return. Any thread, signal handlers too."""
        if not self._stop.is_set():
            self._reason = reason
        self._stop.set()

    def _on_shutdown(self, command: Shutdown) -> dict[str, Any]:
        self.stop("a client asked for it")
        return {}

    def _on_set_policy(self, command: SetPolicy) -> dict[str, Any]:
        self._parts.take_policy(command.recording)  # it stays as long as its standard input
        return {}


def softphone_setup(config: Config, passphrase: str | None) -> LineSetup:
    """What the softphone is set up with; without keys when nobody has signed in at this seat.

    Raises ``KeyringAway`` when the keys need a passphrase, ``DeskError`` when they cannot be read.
    """
    data = config.data_path
    seat_id, signing_key, store_key, grant_key = "", b"", b"", b""
    if is_enrolled(data):
        keys = KeptKeys(data).load(passphrase)
        enrolment = read_enrolment(data, keys)
        seat_id, signing_key = keys.seat_id, keys.signing_seed
        store_key, grant_key = enrolment.store_key, enrolment.grant_key
    return LineSetup(
        seat_id=seat_id,
        signing_key=signing_key,
        store_key=store_key,
        grant_key=grant_key,
        spool=data / "spool",
        records=data / "calls.journal",
        log_file=data / "logs" / "softphone.log",
        lines=tuple(line_config(line) for line in config.lines),
        audio=audio_config(config),
        local_host=config.local_host,
        local_port=config.local_port,
        tls_ca_file=system_authorities(),
    )


def run_softphone(config: Config, passphrase_file: Path | None) -> int:
    """Entry point of ``agent-desktop line --json``; returns the exit status."""
    events = _standard_output_of_our_own()
    log_to_file(config.data_path / "logs" / "softphone.log")
    try:
        setup = softphone_setup(config, _passphrase(passphrase_file))
    except KeyringAway:
        return _refuse(NO_KEYS)
    except (DeskError, OSError) as error:
        log.error("the seat's keys cannot be read: %s", type(error).__name__)
        return _refuse(BAD_KEYS)
    if not setup.enrolled:
        print(NOT_ENROLLED, file=sys.stderr)  # noqa: T201
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    phone = Softphone(setup, 0, events)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: phone.stop("told to stop"))
    try:
        phone.run()
    except BlockingIOError:
        return _refuse(IN_USE)
    except Exception:
        log.exception("the softphone cannot start")
        return _refuse(NO_ENGINE)
    return 0


def _standard_output_of_our_own() -> int:
    """The descriptor for messages; whatever else is printed goes to standard error from now on."""
    events = os.dup(1)
    os.set_inheritable(events, False)
    os.dup2(2, 1)
    return events


def _passphrase(file: Path | None) -> str | None:
    return file.read_text("utf-8").rstrip("\r\n") if file is not None else None


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 1
