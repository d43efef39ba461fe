"""From an INVITE at the line process to the caller's case painted in the collector's window."""

from __future__ import annotations

import random
import statistics
import tempfile
from pathlib import Path
from typing import Any

LIMITS = {"median_ms": 15.0, "p99_ms": 50.0}
CASES = 5_000


def run(*, quick: bool) -> dict[str, Any]:
    """200 calls (quick: 20) of different debtors, each rejected when its case has been painted; 5,000 local cases."""
    from agent_desktop.ui.collector.case_view import CaseView
    from agent_desktop.ui.demo.robot import wait_for
    from tests.benchmarks.figures import percentile
    from tests.support.desk_window import DeskWindow, number_of

    calls = 20 if quick else 200
    chosen = random.Random(1).sample(range(CASES), calls + 1)
    with tempfile.TemporaryDirectory() as folder:
        desk = DeskWindow(Path(folder), cases=CASES)
        try:
            painted: dict[str, int] = {}
            service = desk.desk.calls
            desk.window.findChild(CaseView).painted.connect(painted.__setitem__)
            took = []
            for index in chosen:
                desk.practice.call_in(number_of(index).removeprefix("+86"), desk.peer)
                view = wait_for(lambda: service.current, "the call ringing", 10)
                at = wait_for(lambda v=view: painted.get(v.id), "the case painted", 10)  # type: ignore[misc]
                shown = desk.window.findChild(CaseView).detail
                assert shown is not None
                assert shown.case.number == f"BN-{index:06d}", "another case was shown"
                took.append((at - view.invited_ns) / 1e6)
                service.reject(view.id)
                wait_for(lambda: service.current is None, "the call gone", 10)
        finally:
            desk.close()
    first, took = took[0], took[1:]
    return {
        "median_ms": round(statistics.median(took), 1),
        "p99_ms": round(percentile(took, 0.99), 1),
        "max_ms": round(max(took), 1),
        "first_call_ms": round(first, 1),
        "calls": len(took),
        "local_cases": CASES,
        "limits": LIMITS,
    }
