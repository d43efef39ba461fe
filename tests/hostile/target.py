"""The line process under attack, an agent who works there, and the question whether it is ready."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
import uuid
from pathlib import Path

from telephony.errors import LineError
from telephony.messages import Answer, CallIncoming, CallState, Event, GetSnapshot, HangUp, Reject
from tests.hostile.sip import Endpoint, invite, method, request, response, status, tag_of, value
from tests.line.parts import LineProcess
from tests.line.sound import Samples, tone_power

READY_S = 35.0
"""After whatever was sent, the line takes calls again within this."""


def udp_ports(pid: int) -> list[int]:
    """Every UDP port that a process has open."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if found := re.match(r"socket:\[(\d+)\]", str(entry.readlink())):
                inodes.add(found[1])
    rows = [line.split() for line in Path("/proc/net/udp").read_text("ascii").splitlines()[1:]]
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes]


def media_ports(line: LineProcess) -> list[int]:
    """RTP and RTCP ports of the calls that are up: the engine takes them from 16384 on."""
    return sorted(port for port in udp_ports(line.process.pid) if 16384 <= port < 32768 and port != line.port)


def settle(far: Endpoint) -> list[bytes]:
    """Do what a far end owes: ACK to final answers, 200 to requests. What was heard."""
    heard = far.heard()
    for message in heard:
        asked = method(message)
        if asked and asked != "ACK":
            far.send(response(message, 200, far))
        elif status(message) >= 200 and value(message, "CSeq").endswith("INVITE"):
            far.acknowledge(message)
    return heard


def is_ready(far: Endpoint, timeout: float = READY_S) -> float:
    """Seconds until a call from the configured host rings, as it should; that call is cancelled."""
    begin = time.monotonic()
    while time.monotonic() - begin < timeout:
        call_id, branch = uuid.uuid4().hex, f"z9hG4bK{uuid.uuid4().hex}"
        settle(far)
        far.send(invite(far, call_id=call_id, branch=branch))
        with contextlib.suppress(AssertionError):
            answer = far.wait(lambda m, c=call_id: status(m) >= 180 and value(m, "Call-ID") == c, 2.0)  # type: ignore[misc]
            took = time.monotonic() - begin
            if status(answer) < 200:
                _cancel(far, call_id, branch)
                return took
            far.acknowledge(answer)
        time.sleep(0.3)
    raise AssertionError(f"the line was not ready {timeout:.0f} s later")


def _cancel(far: Endpoint, call_id: str, branch: str) -> None:
    far.send(request("CANCEL", far, call_id=call_id, branch=branch))
    far.acknowledge(far.wait(lambda m: status(m) == 487 and value(m, "Call-ID") == call_id))


class Agent:
    """Somebody at the seat: rejects what rings, or answers every other call and hangs up a moment later."""

    def __init__(self, line: LineProcess, answers: bool = False, keep: frozenset[str] = frozenset()) -> None:
        self.rung = 0
        self.ended = 0
        self._line, self._answers, self._keep = line, answers, keep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go, with nothing ringing here any more."""
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(LineError):
            for call in self._line.client.request(GetSnapshot(""))["calls"]:
                if call["call_id"] not in self._keep:
                    self._try(HangUp("", call["call_id"]))

    def _work(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                self._see(self._line.events.get(timeout=0.1))

    def _see(self, event: Event) -> None:
        self._line.seen.append(event)
        if isinstance(event, CallIncoming):
            self.rung += 1
            self._try(Answer("", event.call_id) if self._answers and self.rung % 2 else Reject("", event.call_id))
        elif isinstance(event, CallState):
            self.ended += event.state == "ended"
            if event.state == "active" and event.call_id not in self._keep:
                self._try(HangUp("", event.call_id))

    def _try(self, command: Answer | Reject | HangUp) -> None:
        with contextlib.suppress(LineError):  # the caller may be gone already
            self._line.client.request(command)


def wanted(message: bytes, call_id: str) -> bool:
    """Whether it belongs to this call and is an answer with a tag of ours."""
    return value(message, "Call-ID") == call_id and bool(tag_of(message))


def heard_share(signal: Samples, frequency: float, rate: int) -> float:
    """Share of the tenths of a second in which a tone is most of what is heard.

    So short because a frame that came late moves the tone's phase, after which the halves of a longer piece cancel out.
    """
    size = rate // 10
    pieces = [signal[at : at + size] for at in range(0, len(signal) - size, size)]
    return sum(tone_power(piece, frequency, rate) > 0.5 for piece in pieces) / len(pieces)
