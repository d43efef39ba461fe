"""Frames lost in a long recording while the window's process burns a full core."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

from telephony.messages import CallEnded
from tests.benchmarks.figures import cpu_seconds
from tests.support.lines import connect, hang_up, start_pair


def burn(stop_at: float) -> None:
    """Keep one core busy, as a window gone wild would."""
    while time.monotonic() < stop_at:
        sum(i * i for i in range(10_000))


def run(*, quick: bool) -> dict[str, Any]:
    """Ten minutes (quick: 15 s). Length is checked against the call's own, from answer to hang-up."""
    seconds = 15 if quick else 600
    with tempfile.TemporaryDirectory() as folder:
        collector, debtor = start_pair(Path(folder))
        try:
            call_id, _ = connect(collector, debtor)
            burner = multiprocessing.get_context("spawn").Process(target=burn, args=(time.monotonic() + seconds,))
            burner.start()
            assert burner.pid is not None
            time.sleep(seconds - 1)
            burned = cpu_seconds(burner.pid) / seconds
            burner.join()
            sealed = hang_up(collector, call_id)
            talk_ms = collector.wait(CallEnded, lambda e: e.call_id == call_id).talk_ms
        finally:
            collector.port.stop()
            debtor.port.stop()
    return {
        "lost_frames": sealed.lost_frames,
        "recorded_ms": sealed.sealed_ms,
        "talk_ms": talk_ms,
        "length_difference_ms": abs(talk_ms - sealed.sealed_ms),
        "core_burned": round(burned, 2),
        "limits": {"lost_frames": 0, "length_difference_ms": 100},
    }
