"""From the death of a line process in a recorded call to a new one that takes commands and has the recording."""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from telephony.errors import LineError
from telephony.messages import CallEnded, HangUp, RecordingState
from tests.benchmarks.figures import percentile
from tests.line.parts import wait_until
from tests.support.lines import Seat, connect, start_pair

LIMIT_MS = 1000.0


def run(*, quick: bool) -> dict[str, Any]:
    """12 deaths by SIGABRT (quick: 3)."""
    takes, recovered = [], []
    with tempfile.TemporaryDirectory() as name:
        collector, debtor = start_pair(Path(name))
        try:
            for _ in range(3 if quick else 12):
                took, found = _die(collector, debtor)
                takes.append(took)
                recovered.append(found)
        finally:
            collector.port.stop()
            debtor.port.stop()
    return {
        "to_commands_median_ms": round(statistics.median(takes)),
        "to_commands_p99_ms": round(percentile(takes, 0.99)),
        "to_recovered_median_ms": round(statistics.median(recovered)),
        "to_recovered_p99_ms": round(percentile(recovered, 0.99)),
        "limits": {"to_commands_p99_ms": LIMIT_MS, "to_recovered_p99_ms": LIMIT_MS},
    }


def _die(collector: Seat, debtor: Seat) -> tuple[float, float]:
    """Milliseconds to the first answered command, and to the recovered recording."""
    call_id, far_id = connect(collector, debtor)
    collector.wait(RecordingState, lambda e: e.call_id == call_id and e.sealed_ms >= 1500)
    before = collector.pid
    killed = time.monotonic()
    os.kill(before, signal.SIGABRT)
    wait_until(lambda: _pid(collector) not in (0, before), 10)
    took = (time.monotonic() - killed) * 1000
    collector.wait(RecordingState, lambda e: e.call_id == call_id and e.state == "recovered", 10)
    found = (time.monotonic() - killed) * 1000
    debtor.port.request(lambda i: HangUp(i, far_id))
    debtor.wait(CallEnded, lambda e: e.call_id == far_id)
    return took, found


def _pid(seat: Seat) -> int:
    try:
        return seat.pid
    except LineError:
        return 0
