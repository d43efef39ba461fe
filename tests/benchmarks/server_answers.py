"""How long the collection server takes to answer one seat: sign-in, a batch of notes, the first sync, a lookup."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMITS = {"sign_in_ms": 150.0, "batch_of_50_ms": 100.0, "sync_100_cases_ms": 200.0, "lookup_ms": 50.0}


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds of the quickest of 20 tries (quick: 5), on SQLite with the demo's 300 cases."""
    from tests.support.server import start_server
    from tests.support.server_api import Seat, note_op

    tries = 5 if quick else 20
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        try:
            seat = Seat(server.url, "hemin")
            case_id = seat.case(99)["id"]
            number = {"number": "+8613801386021"}
            return {
                "sign_in_ms": _best(tries, lambda: Seat(server.url, "guowei")),
                "batch_of_50_ms": _best(
                    tries, lambda: seat.operate(*(note_op(seat.user_id, case_id) for _ in range(50)))
                ),
                "sync_100_cases_ms": _best(tries, lambda: seat.sync(0, 2000)),
                "lookup_ms": _best(tries, lambda: seat.get("/v1/lookup", params=number)),
                "limits": LIMITS,
            }
        finally:
            server.stop()


def _best(tries: int, work: Callable[[], object]) -> float:
    """The machine may be busy with other things; the server may not be slow by itself."""
    took = []
    for _ in range(tries):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return round(min(took) * 1000, 1)
