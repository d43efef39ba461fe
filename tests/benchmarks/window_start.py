"""From starting the program to its first window painted, beside a bare PySide6 window in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

RATIO = 2.5

BARE = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication(sys.argv)
window = QLabel("window")
window.resize(440, 520)
window.show()
QTimer.singleShot(0, lambda: (print(time.monotonic_ns(), flush=True), app.quit()))
app.exec()
"""

OURS = """
import os, sys, time
from PySide6.QtCore import QTimer
from agent_desktop import app as program
from agent_desktop.ui.shell import Shell
show = Shell.show
def shown(shell):
    show(shell)
    QTimer.singleShot(0, lambda: (print(time.monotonic_ns(), flush=True), os._exit(0)))
Shell.show = shown
program.main(["--config", sys.argv[1]])
"""


def run(*, quick: bool) -> dict[str, Any]:
    """Median of 15 starts of each (quick: 3), taken in turns, after one of each to warm the caches."""
    repeats = 3 if quick else 15
    bare, ours = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config, tempfile.TemporaryDirectory() as data:
        config.write(f'server_url = "http://127.0.0.1:9"\ndata_dir = "{data}"\n')
        config.flush()
        for number in range(repeats + 1):
            pair = (_start(BARE), _start(OURS, config.name))
            if number:
                bare.append(pair[0])
                ours.append(pair[1])
    ratio = statistics.median(ours) / statistics.median(bare)
    return {
        "bare_ms": round(statistics.median(bare), 1),
        "agent_desktop_ms": round(statistics.median(ours), 1),
        "ratio": round(ratio, 2),
        "limits": {"ratio": RATIO},
    }


def _start(program: str, *arguments: str) -> float:
    started = time.monotonic_ns()
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return (int(done.stdout.split()[-1]) - started) / 1e6
