"""``python -m telephony.practice --config -``; what it reads and prints is said in ``control``."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import signal
import sys
from typing import Any

from telephony.practice.control import ControlError, read_config
from telephony.practice.process import PracticeProcess
from telephony.practice.scripts import ScriptError, load

_SWITCH_INTERVAL_S = 0.0005
"""Python's default of 5 ms would hold up the media clock's callbacks."""


def main() -> int:
    """Entry point. Exit code 2 for a configuration or sounds that cannot be used, 1 when SIP cannot be
    opened.
    """
    parser = argparse.ArgumentParser(prog="telephony.practice", description="A simulated debtor on a SIP line.")
    parser.add_argument("--config", choices=["-"], required=True, help="read the configuration from standard input")
    parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # Unbuffered: a thread that waits in a buffered standard input would abort the end of the process.
    orders = io.FileIO(0, closefd=False)
    try:
        config = read_config(orders.readline())
        repertoire = load(config.sounds)
    except (ControlError, ScriptError) as error:
        return _fail(str(error), 2)
    practice = PracticeProcess(config, repertoire, _tell)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: practice.quit())
    try:
        port = practice.start()
    except RuntimeError as error:
        practice.stop()
        return _fail(str(error), 1)
    _tell({"ready": True, "port": port})
    practice.listen_to(orders)
    practice.run()
    practice.stop()
    return 0


def _tell(event: dict[str, Any]) -> None:
    try:
        print(json.dumps(event, ensure_ascii=False), flush=True)  # noqa: T201
    except BrokenPipeError:
        # Nobody reads any more: the end of standard input follows. A pipe to nowhere keeps Python's last flush quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(reason: str, code: int) -> int:
    _tell({"ready": False, "error": reason})
    return code


if __name__ == "__main__":
    sys.exit(main())
