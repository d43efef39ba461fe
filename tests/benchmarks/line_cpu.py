"""CPU of the line process while it records one call in both directions, and of finalising that recording."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import cpu_seconds
from tests.support.lines import connect, hang_up, start_pair

LIMIT_PERCENT = 4.0


def run(*, quick: bool) -> dict[str, Any]:
    """Percent of one core, over a call of 60 s (quick: 10 s) of speech from both sides over G.722."""
    seconds = 10 if quick else 60
    with tempfile.TemporaryDirectory() as folder:
        collector, debtor = start_pair(Path(folder))
        try:
            pid = collector.pid
            idle = _percent(pid, min(seconds, 10))
            call_id, _ = connect(collector, debtor)
            busy = _percent(pid, seconds)
            before = cpu_seconds(pid)
            sealed = hang_up(collector, call_id)
            finalise = cpu_seconds(pid) - before
        finally:
            collector.port.stop()
            debtor.port.stop()
    return {
        "line_process_percent": round(busy, 2),
        "idle_percent": round(idle, 2),
        "finalise_cpu_s_per_minute": round(finalise * 60_000 / sealed.sealed_ms, 2),
        "call_s": seconds,
        "lost_frames": sealed.lost_frames,
        "limits": {"line_process_percent": LIMIT_PERCENT, "lost_frames": 0},
    }


def _percent(pid: int, seconds: float) -> float:
    before, started = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - started)
