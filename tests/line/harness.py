"""A line process for tests: engine, server and two small parts of its own, a tone for a headset and a tap into files.

Run as a program with one JSON object as its argument. It says where it is on standard output and ends when its standard
input does, so that no test leaves one behind. No numpy: its CPU time is measured.
"""

from __future__ import annotations

import json
import math
import os
import resource
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telephony.engine import Engine
from telephony.hub import Hub
from telephony.interfaces import CallFacts, Grant, GrantRefused, HeadsetError, Json
from telephony.messages import RecordingState, SetAudio
from telephony.records import CallJournal, MemoryLog
from telephony.server import LineServer
from telephony.settings import EngineSettings

RATE = 16000


class ToneHeadset:
    """A microphone that hears one tone (frequency in Hz, 0 for nothing at all) and a speaker that remembers."""

    rate = RATE
    rings_apart = True

    def __init__(self, frequency: float, heard: Path, amplitude: float = 8000.0, broken: bool = False) -> None:
        self._heard = heard
        self._broken = broken
        period = [amplitude * math.sin(2 * math.pi * frequency * i / RATE) for i in range(RATE)]
        whole = struct.pack(f"<{RATE}h", *(round(v) for v in period))
        self._frames = [whole[i : i + 640] for i in range(0, len(whole), 640)] if frequency else []
        self._next = 0
        self._written = bytearray()
        self._rung = bytearray()
        self._rung_ns = 0

    def start(self) -> None:
        if self._broken:
            raise HeadsetError("no_such_device", "not plugged in")

    def stop(self) -> None:
        self._heard.write_bytes(bytes(self._written))
        self._heard.with_suffix(".ring").write_bytes(bytes(self._rung))
        self._heard.with_suffix(".ring_ns").write_text(str(self._rung_ns))

    def read(self) -> bytes | None:
        if not self._frames:
            return None
        self._next = (self._next + 1) % len(self._frames)
        return self._frames[self._next]

    def write(self, pcm: bytes) -> None:
        self._written += pcm

    def ring(self, pcm: bytes) -> None:
        self._rung_ns = self._rung_ns or time.monotonic_ns()
        self._rung += pcm

    def use(self, *, listening: bool, ringing: bool) -> None: ...

    def describe(self) -> str:
        return "tone"


class FileTap:
    """Keeps every frame with its start and writes all of it when it is closed."""

    def __init__(self, folder: Path, call: CallFacts) -> None:
        self.recording_id = f"rec-{call.call_id}"
        self._path = folder / call.call_id
        self._facts = call
        self._frames: list[tuple[int, bytes | None, bytes | None, int]] = []
        self._events: list[tuple[int, str, dict[str, Json]]] = []

    def frames(self, start: int, agent: bytes | None, far: bytes | None) -> None:
        self._frames.append((start, agent, far, time.monotonic_ns()))

    def event(self, kind: str, detail: Mapping[str, Json]) -> None:
        self._events.append((self._frames[-1][0] if self._frames else 0, kind, dict(detail)))

    def close(self, cause: str) -> None:
        empty = bytes(self._facts.rate // 50 * 2)
        self._path.with_suffix(".agent").write_bytes(b"".join(f[1] or empty for f in self._frames))
        self._path.with_suffix(".far").write_bytes(b"".join(f[2] or empty for f in self._frames))
        meta = {
            "rate": self._facts.rate,
            "direction": self._facts.direction,
            "cause": cause,
            "starts": [f[0] for f in self._frames],
            "at_ns": [f[3] for f in self._frames],
            "agent_missing": [i for i, f in enumerate(self._frames) if f[1] is None],
            "far_missing": [i for i, f in enumerate(self._frames) if f[2] is None],
            "events": self._events,
        }
        self._path.with_suffix(".json").write_text(json.dumps(meta))


class OneGrantEach:
    """Grants that start with ``good-`` are good, once; the mode follows after a second dash."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def __call__(self, token: str) -> Grant:
        if not token.startswith("good-"):
            raise GrantRefused("forged")
        if token in self._used:
            raise GrantRefused("used")
        self._used.add(token)
        return Grant(token, "Lead", token.split("-")[2] if token.count("-") > 1 else "listen")


def main() -> None:
    options: dict[str, Any] = json.loads(sys.argv[1])
    folder = Path(options["folder"])
    headset = ToneHeadset(
        options.get("tone", 1000.0),
        folder / "heard.raw",
        options.get("amplitude", 8000.0),
        broken=options.get("broken", False),
    )

    def set_audio(command: SetAudio) -> dict[str, Any]:
        if command.audio.kind == "device":
            other = ToneHeadset(float(command.audio.microphone or 0), folder / command.audio.speaker)
        else:
            other = ToneHeadset(0, folder / "none.raw", broken=True)
        return engine.swap_headset(other).result(5)

    sys.setswitchinterval(0.0005)
    hub = Hub(CallJournal(MemoryLog()), {SetAudio: set_audio})
    server = LineServer(options["socket"], bytes.fromhex(options["key"]), hub)
    settings = EngineSettings(
        local_host=options.get("local_host", "127.0.0.1"),
        local_port=options.get("local_port", 0),
        log_path=options.get("log", ""),
        monitor_wait_s=options.get("monitor_wait_s", 30.0),
        codecs=tuple(options.get("codecs", ("G722", "PCMA", "PCMU"))),
        own_clock=options.get("own_clock", True),
    )
    taps = (lambda call: None) if options.get("no_tap") else (lambda call: FileTap(folder, call))
    engine = Engine(settings, headset, taps, OneGrantEach(), hub.publish)
    host, port = engine.start()
    hub.journal.start()
    hub.use(engine)
    server.start()
    print(json.dumps({"host": host, "port": port, "pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        _obey(line.strip(), hub)
    engine.stop()
    hub.journal.stop()
    server.stop()


def _obey(order: str, hub: Hub) -> None:
    """Orders of a test that the line protocol has no command for."""
    if order == "cpu":
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "at": time.monotonic()}), flush=True)
    elif order.startswith("stall "):
        _hold_interpreter(float(order.split()[1]))
        print(json.dumps({"stalled": True}), flush=True)
    elif order.startswith("record "):
        for number in range(int(order.split()[1])):
            hub.publish(RecordingState(f"r{number}", "c", "recording", 1000, 0, 10**9))
        print(json.dumps({"published": True}), flush=True)


def _hold_interpreter(seconds: float) -> None:
    """Sleep in C without letting go of the interpreter, as a bad extension would."""
    import ctypes

    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


if __name__ == "__main__":
    main()
