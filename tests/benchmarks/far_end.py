"""A far end in a process of its own: answers one call, speaks, and times what it hears by the kernel's clock.

Run as a program: says its SIP port as JSON on standard output; at the end of its standard input it says how punctual
the packets were. One call a run.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.hostile.sip import method, response, sdp

ROOT = Path(__file__).parents[2]
FRAME_NS = 20_000_000
LATE_NS = 30_000_000
SILENCE = b"\xd5" * 160
"""20 ms of A-law."""
_SO_TIMESTAMPNS = 35


class FarEnd:
    """The program, started; ``stop`` returns what it heard."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.far_end"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._line()["port"])

    def stop(self) -> dict[str, Any]:
        """``packets``, ``lost``, ``late`` (more than 30 ms behind the 20 ms grid) and ``worst_ms``."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        heard = self._line()
        self._process.wait(10)
        return heard

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class _Call:
    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.sip = _socket()
        self.rtp = _socket()
        self.rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.port = int(self.sip.getsockname()[1])
        self.heard: list[tuple[int, int]] = []
        """Sequence number and arrival, ns, of each packet."""
        self._answered: set[bytes] = set()
        self._stop = threading.Event()

    def listen(self) -> None:
        while not self._stop.is_set():
            for ready in select.select([self.sip, self.rtp], [], [], 0.2)[0]:
                if ready is self.rtp:
                    self._hear()
                else:
                    self._obey(*self.sip.recvfrom(65536))

    def speak(self, to: tuple[str, int]) -> None:
        begin, number = time.monotonic(), 0
        while not self._stop.is_set():
            head = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 160 & 0xFFFFFFFF, 7)
            self.rtp.sendto(head + SILENCE, to)
            number += 1
            time.sleep(max(0.0, begin + number * 0.02 - time.monotonic()))

    def stop(self) -> None:
        self._stop.set()

    def _hear(self) -> None:
        data, notes, _, _ = self.rtp.recvmsg(2048, 64)
        stamp = next((n[2] for n in notes if n[1] == _SO_TIMESTAMPNS), b"")
        if len(data) >= 12 + 160 and data[1] & 0x7F == 8 and stamp:
            seconds, nanoseconds = struct.unpack("qq", stamp[:16])
            self.heard.append((struct.unpack("!H", data[2:4])[0], seconds * 10**9 + nanoseconds))

    def _obey(self, message: bytes, sender: tuple[str, int]) -> None:
        what = method(message)
        if what == "INVITE":
            offer = message.partition(b"\r\n\r\n")[2].decode("latin-1")
            self.sip.sendto(response(message, 200, self, body=sdp(port=self.rtp.getsockname()[1])), sender)  # type: ignore[arg-type]
            if message not in self._answered:
                self._answered.add(message)
                port = int(offer.partition("m=audio ")[2].split()[0])
                threading.Thread(target=self.speak, args=((self.host, port),), daemon=True).start()
        elif what and what != "ACK":
            self.sip.sendto(response(message, 200, self), sender)  # type: ignore[arg-type]


def punctuality(heard: list[tuple[int, int]]) -> dict[str, Any]:
    """How far behind the grid of 20 ms each packet came; the grid is laid through the most punctual of the last 10 s,
    as the two ends' clocks may drift apart.
    """
    late, worst, lost, position = 0, 0, 0, 0
    recent: list[int] = []
    for index, (number, at) in enumerate(heard):
        if index:
            step = (number - heard[index - 1][0]) & 0xFFFF
            position += step
            lost += step - 1
        offset = at - position * FRAME_NS
        recent = [*recent[-499:], offset]
        behind = offset - min(recent)
        worst = max(worst, behind)
        late += behind > LATE_NS
    return {"packets": len(heard), "lost": lost, "late": late, "worst_ms": round(worst / 1e6, 1)}


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind(("127.0.0.1", 0))
    return made


def main() -> None:
    call = _Call()
    print(json.dumps({"port": call.port}), flush=True)
    thread = threading.Thread(target=call.listen)
    thread.start()
    sys.stdin.read()
    call.stop()
    thread.join()
    print(json.dumps(punctuality(call.heard)), flush=True)


if __name__ == "__main__":
    main()
