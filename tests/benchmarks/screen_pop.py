"""From an INVITE at the line process to the caller's case painted in the collector's window.

The next call comes 0.3 s after the last one was rejected. (With no pause at all, the window is still busy with the end
of the last call: ``without_pause_ms``.)
"""

from __future__ import annotations

import random
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.figures import percentile

if TYPE_CHECKING:
    from tests.support.desk_window import DeskWindow

PAUSE_MS = 300
LIMITS = {"median_ms": 15.0, "p99_ms": 50.0}
CASES = 5_000


def run(*, quick: bool) -> dict[str, Any]:
    """200 calls (quick: 20) of different debtors, each rejected when its case has been painted; 5,000 local cases."""
    from tests.support.desk_window import DeskWindow

    calls = 20 if quick else 200
    chosen = random.Random(1).sample(range(CASES), 2 * calls + 1)
    with tempfile.TemporaryDirectory() as folder:
        desk = DeskWindow(Path(folder), cases=CASES)
        try:
            first, *took = _pops(desk, chosen[: calls + 1], PAUSE_MS)
            at_once = _pops(desk, chosen[calls + 1 :], 0)
        finally:
            desk.close()
    return {
        "median_ms": round(statistics.median(took), 1),
        "p99_ms": round(percentile(took, 0.99), 1),
        "max_ms": round(max(took), 1),
        "first_call_ms": round(first, 1),
        "without_pause_ms": {
            "median": round(statistics.median(at_once), 1),
            "p99": round(percentile(at_once, 0.99), 1),
        },
        "calls": len(took),
        "local_cases": CASES,
        "limits": LIMITS,
    }


def _pops(desk: DeskWindow, chosen: list[int], pause_ms: int) -> list[float]:
    """Milliseconds from INVITE to paint, a call of each chosen debtor after the other."""
    from agent_desktop.ui.collector.case_view import CaseView
    from agent_desktop.ui.demo.robot import let_run, wait_for
    from tests.support.desk_window import number_of

    case_view = desk.window.findChild(CaseView)
    painted: dict[str, int] = {}
    case_view.painted.connect(painted.__setitem__)
    service = desk.desk.calls
    took = []
    for index in chosen:
        desk.practice.call_in(number_of(index).removeprefix("+86"), desk.peer)
        view = wait_for(lambda: service.current, "the call ringing", 10)
        at = wait_for(lambda v=view: painted.get(v.id), "the case painted", 10)  # type: ignore[misc]
        assert case_view.detail is not None
        assert case_view.detail.case.number == f"BN-{index:06d}", "another case was shown"
        took.append((at - view.invited_ns) / 1e6)
        service.reject(view.id)
        wait_for(lambda: service.current is None, "the call gone", 10)
        let_run(pause_ms)
    return took
