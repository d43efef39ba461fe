"""Frames of a recorded call while the window's process stalls: its Qt main thread keeps the interpreter to itself.

The desktop is a real one, with its line process and a client on it; 200 ms and 1 s of stall in turn, half a second of
the window's life between. The far end is a process of its own that times each packet by the kernel's clock. Beside it a
baresip, which has no window, calls another such far end: what is late there is the machine's doing.
"""

from __future__ import annotations

import ctypes
import json
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.benchmarks.baresip_seat import BaresipSeat
from tests.benchmarks.far_end import FarEnd
from tests.line.sound import write_tone

STALLS_S = (0.2, 1.0)
BETWEEN_MS = 500
LATE_SHARE = 1 / 30_000


def run(*, quick: bool) -> dict[str, Any]:
    """Ten minutes (quick: one)."""
    from agent_desktop.ui.demo.robot import let_run, wait_for
    from tests.support.desk_window import DeskWindow

    seconds = 60 if quick else 600
    far, other = FarEnd(), FarEnd()
    with tempfile.TemporaryDirectory() as folder:
        tone = Path(folder) / "tone.wav"
        write_tone(tone, 440, 8000, 60)
        baresip = BaresipSeat(Path(folder) / "baresip", play=tone)
        desk = DeskWindow(Path(folder), peer=f"127.0.0.1:{far.port}")
        try:
            calls = desk.desk.calls
            call_id = calls.dial_number("13800006021")
            wait_for(lambda: calls.current and calls.current.state == "active", "the call", 10)
            baresip.send("dial", f"sip:far@127.0.0.1:{other.port}")
            stalled = _stall(seconds, let_run)
            calls.hang_up(call_id)
            wait_for(lambda: list(Path(folder).rglob("*.manifest.json")), "the recording sealed", 120)
            manifest = json.loads(next(Path(folder).rglob("*.manifest.json")).read_text("utf-8"))
        finally:
            desk.close()
            baresip.stop()
            heard, beside = far.stop(), other.stop()
    recorded_ms = manifest["samples"] * 1000 // manifest["rate"]
    return {
        "lost_frames": manifest["lost_frames"],
        "recorded_ms": recorded_ms,
        "length_difference_ms": abs(recorded_ms - 20 * heard["packets"]),
        "packets_at_far_end": heard["packets"],
        "packets_lost": heard["lost"],
        "late_over_30_ms": heard["late"],
        "late_share_of_allowed": round(heard["late"] / max(1, heard["packets"]) / LATE_SHARE, 2),
        "worst_ms": heard["worst_ms"],
        "baresip": {name: beside[name] for name in ("packets", "lost", "late", "worst_ms")},
        "window_stalled_s": round(stalled, 1),
        "limits": {"lost_frames": 0, "packets_lost": 0, "length_difference_ms": 200, "late_share_of_allowed": 1.0},
    }


def _stall(seconds: float, let_run: Any) -> float:
    """Hold the interpreter on the Qt main thread again and again; how long altogether."""
    library = ctypes.PyDLL(None)  # calls through it keep the interpreter's lock
    end = time.monotonic() + seconds
    stalled = 0.0
    for stall in cycle(STALLS_S):
        if time.monotonic() >= end:
            return stalled
        library.usleep(int(stall * 1e6))
        stalled += stall
        let_run(BETWEEN_MS)
    return stalled
