"""From a command to the INVITE on the wire, and from an INVITE to its 180, beside baresip on the same machine.

Ours is told over the line process's socket, as the window does it. baresip is told over its control socket (ctrl_tcp),
the quickest of its ways that a program can use. Calls alternate between the two; the far end is this process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent_desktop.services.line_supervisor import socket_address, socket_key
from telephony.client import LineClient
from telephony.messages import CallEnded, CallIncoming, Dial
from tests.benchmarks.baresip_seat import BaresipSeat
from tests.benchmarks.figures import percentile
from tests.hostile.sip import Endpoint, method, request, response, sdp, status, value
from tests.line.parts import wait_until
from tests.support.lines import Seat, start_seat

RATIO = 2.0
_PAUSE_S = 0.03
"""The seat refuses more than 20 INVITEs in 0.75 s (``telephony.admission``)."""


def run(*, quick: bool) -> dict[str, Any]:
    """100 calls out and 100 in of each (quick: 10)."""
    count = 10 if quick else 100
    ours, theirs = _Times(), _Times()
    with tempfile.TemporaryDirectory() as name, Endpoint(0) as far:
        folder = Path(name)
        seat = start_seat(folder, "seat", peer_port=far.port)
        baresip = BaresipSeat(folder / "baresip")
        client = LineClient(socket_address(seat.setup), socket_key(seat.setup), lambda event: None, lambda reason: None)
        try:
            client.connect(5)
            port = seat.sip_port
            for number in range(count + 1):
                ours.note(number, _dial(seat, client, port, far), _ring(far, port, "1001", lambda: _gone(seat)))
                time.sleep(_PAUSE_S)
                theirs.note(number, _baresip_dial(baresip, far), _ring(far, baresip.port, "far", baresip.drain))
        finally:
            client.close()
            baresip.stop()
            seat.port.stop()
    return {
        "command_to_invite": _beside(ours.out, theirs.out),
        "invite_to_ringing": _beside(ours.rung, theirs.rung),
        "command_to_invite_ratio": _ratio(ours.out, theirs.out),
        "invite_to_ringing_ratio": _ratio(ours.rung, theirs.rung),
        "calls": count,
        "limits": {"command_to_invite_ratio": RATIO, "invite_to_ringing_ratio": RATIO},
    }


class _Times:
    """Milliseconds; the first call of each kind warms up and is left out."""

    def __init__(self) -> None:
        self.out: list[float] = []
        self.rung: list[float] = []

    def note(self, number: int, out: float, rung: float) -> None:
        if number:
            self.out.append(out)
            self.rung.append(rung)


def _dial(seat: Seat, client: LineClient, port: int, far: Endpoint) -> float:
    call_id = str(uuid.uuid4())
    far.target = ("127.0.0.1", port)
    far.heard()
    begin = time.perf_counter()
    pending = client.send(lambda i: Dial(i, call_id, "line", "13800000000"))
    took = _refused(far, begin)
    pending.result(5)
    seat.wait(CallEnded, lambda e: e.call_id == call_id)
    return took


def _baresip_dial(baresip: BaresipSeat, far: Endpoint) -> float:
    far.target = ("127.0.0.1", baresip.port)
    far.heard()
    begin = time.perf_counter()
    baresip.send("dial", f"sip:13800000000@127.0.0.1:{far.port}")
    took = _refused(far, begin)
    time.sleep(0.02)
    baresip.drain()
    return took


def _refused(far: Endpoint, begin: float) -> float:
    """Milliseconds until the INVITE is here, which is then refused."""
    asked = far.wait(lambda m: method(m) == "INVITE")
    took = (time.perf_counter() - begin) * 1000
    far.send(response(asked, 486, far))
    far.wait(lambda m: method(m) == "ACK")
    return took


def _ring(far: Endpoint, port: int, user: str, afterwards: Callable[[], object]) -> float:
    """Milliseconds from an INVITE to its 180; the call is then cancelled."""
    far.target = ("127.0.0.1", port)
    far.heard()
    call_id, branch = uuid.uuid4().hex, f"z9hG4bK{uuid.uuid4().hex}"
    asked = request("INVITE", far, call_id=call_id, branch=branch, user=user, body=sdp())
    begin = time.perf_counter()
    far.send(asked)
    far.wait(lambda m: status(m) == 180)
    took = (time.perf_counter() - begin) * 1000
    far.send(request("CANCEL", far, call_id=call_id, branch=branch, user=user))
    far.acknowledge(far.wait(lambda m: status(m) == 487 and value(m, "Call-ID") == call_id))
    afterwards()
    return took


def _gone(seat: Seat) -> None:
    """Every call that rang here has its record."""
    wait_until(lambda: {e.call_id for e in seat.seen(CallIncoming)} <= {e.call_id for e in seat.seen(CallEnded)})


def _beside(ours: list[float], theirs: list[float]) -> dict[str, float]:
    return {
        "median_ms": round(statistics.median(ours), 2),
        "p99_ms": round(percentile(ours, 0.99), 2),
        "baresip_median_ms": round(statistics.median(theirs), 2),
        "baresip_p99_ms": round(percentile(theirs, 0.99), 2),
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(ours) / statistics.median(theirs), 2)
