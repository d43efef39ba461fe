"""Hundreds of recorded calls in a row, then twenty at once: none lost, nothing left behind.

This build of PJSIP holds four calls and the desk takes two, so "twenty at once" is both: twenty line processes with a
recorded call each, and twenty INVITEs at the same moment to one of them, of which two may ring.
"""

from __future__ import annotations

import re
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from telephony.messages import Answer, CallEnded, CallIncoming, CallState, Dial, GetSnapshot, HangUp, RecordingState
from tests.hostile.sip import Endpoint, flood, invite, status
from tests.support.lines import Seat, connect, hang_up, start_pair, start_seat

GROWTH = 1.10
TALK_S = 0.3
AT_ONCE = 20


def run(*, quick: bool) -> dict[str, Any]:
    """500 calls of 0.3 s (quick: 60), 10 pairs of line processes (quick: 3) for 10 s (quick: 3), 20 INVITEs."""
    return {
        **_in_a_row(60 if quick else 500, 20 if quick else 50),
        **_side_by_side(3 if quick else AT_ONCE // 2, 3.0 if quick else 10.0),
        **_on_one_seat(),
        "limits": {
            "rss_growth_ratio": GROWTH,
            "unrecorded": 0,
            "lost_frames": 0,
            "side_by_side_lost_frames": 0,
            "without_record": 0,
            "stuck": 0,
        },
    }


def _in_a_row(count: int, settled: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        near, far = start_pair(Path(folder))
        try:
            pid, begin = near.pid, time.monotonic()
            early = 0.0
            for number in range(count):
                _one_call(near, far)
                if number + 1 == settled:
                    early = _rss_mb(pid)
                if near.pid != pid:
                    raise AssertionError(f"the line process died in call {number + 1}")
            late = _rss_mb(pid)
            took = time.monotonic() - begin
            sealed = _sealed(near)
        finally:
            near.port.stop()
            far.port.stop()
    return {
        "calls": count,
        "seconds_a_call": round(took / count, 2),
        f"rss_mb_after_{settled}": round(early, 1),
        f"rss_mb_after_{count}": round(late, 1),
        "rss_growth_ratio": round(late / early, 3),
        "unrecorded": count - len(sealed),
        "lost_frames": sum(state.lost_frames for state in sealed),
    }


def _one_call(near: Seat, far: Seat) -> None:
    near.events.clear()
    far.events.clear()
    call_id = str(uuid.uuid4())
    near.port.request(lambda i: Dial(i, call_id, "line", "13800006021"), 5)
    rung = far.wait(CallIncoming)
    far.port.request(lambda i: Answer(i, rung.call_id), 5)
    near.wait(CallState, lambda e: e.call_id == call_id and e.state == "active")
    time.sleep(TALK_S)
    near.port.request(lambda i: HangUp(i, call_id), 5)
    near.wait(CallEnded, lambda e: e.call_id == call_id)
    far.wait(CallEnded)


def _sealed(seat: Seat) -> list[RecordingState]:
    """What the spool holds, once everything is sealed."""
    deadline = time.monotonic() + 60
    while list(seat.setup.spool.glob("*.journal")) and time.monotonic() < deadline:
        time.sleep(0.2)
    found = []
    for file in seat.setup.spool.glob("*.manifest.json"):
        text = file.read_text("utf-8")
        lost = re.search(r'"lost_frames"\s*:\s*(\d+)', text)
        found.append(RecordingState(file.name, "", "sealed", 0, int(lost[1]) if lost else 0, 0))
    return found


def _side_by_side(pairs: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        calls = []
        for number in range(pairs):
            near, far = start_pair(Path(folder) / str(number))
            stack.callback(near.port.stop)
            stack.callback(far.port.stop)
            calls.append((near, far, *connect(near, far)))
        time.sleep(seconds)
        lost = 0
        for near, far, call_id, other_id in calls:
            lost += hang_up(near, call_id).lost_frames
            lost += far.wait(
                RecordingState,
                lambda e, c=other_id: e.call_id == c and e.state == "sealed",
                60,  # type: ignore[misc]
            ).lost_frames
    return {"line_processes_at_once": 2 * pairs, "side_by_side_lost_frames": lost}


def _on_one_seat() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, Endpoint(0) as far:
        seat = start_seat(Path(folder), "seat")
        try:
            far.target = ("127.0.0.1", seat.sip_port)
            flood(far, [invite(far, tag=f"caller{number}") for number in range(AT_ONCE)], 100_000)
            deadline = time.monotonic() + 10
            while len(seat.seen(CallEnded)) < AT_ONCE - 2 and time.monotonic() < deadline:
                time.sleep(0.05)
            refused = [e for e in seat.seen(CallEnded) if e.sip_code == 486]
            ringing = seat.seen(CallIncoming)
            busy = sum(status(m) == 486 for m in far.heard())
            for call in ringing:
                seat.port.request(lambda i, c=call.call_id: HangUp(i, c))  # type: ignore[misc]
            time.sleep(3)
            stuck = len(seat.port.request(GetSnapshot)["calls"])
        finally:
            seat.port.stop()
    return {
        "invites_at_once": AT_ONCE,
        "rang": len(ringing),
        "told_busy": min(busy, AT_ONCE),
        "without_record": AT_ONCE - len(ringing) - len(refused),
        "stuck": stuck,
    }


def _rss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024
