"""Short programs of ours that run beside the line process."""

from __future__ import annotations

import os
import subprocess
import sys


def start_helper(module: str) -> subprocess.Popen[bytes]:
    """``python -m module`` with pipes to its standard input and output. Raises ``OSError``."""
    return subprocess.Popen(
        [sys.executable, "-m", module],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # ALSA and PortAudio tell of each device that does not open
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
