"""A program: one noise into both sides of a tap on the real bridge; says how well the sides agree, as JSON.

PJSIP can be started once a process, so each look at the bridge has one of its own. Arguments: the tap's rate in Hz, for
how many seconds to keep the interpreter from the media clock halfway, and whose clock it is: ``own`` or ``device``. Or
``change``, how often what feeds the tap changes, and whose clock it is.
"""

from __future__ import annotations

import ctypes
import json
import random
import sys
import time
from collections.abc import Mapping
from itertools import pairwise

from telephony.bridge import Bridge
from telephony.endpoint import Library
from telephony.interfaces import Json
from telephony.settings import EngineSettings


class NoiseHeadset:
    rate = 16000

    def __init__(self) -> None:
        chance = random.Random(1)
        self.frames = [chance.randbytes(640) for _ in range(101)]
        self._next = 0

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def read(self) -> bytes:
        self._next = (self._next + 1) % len(self.frames)
        return self.frames[self._next]

    rings_apart = False

    def write(self, pcm: bytes) -> None: ...

    def ring(self, pcm: bytes) -> None: ...

    def use(self, *, listening: bool, ringing: bool) -> None: ...

    def describe(self) -> str:
        return "noise"


class Keep:
    def __init__(self) -> None:
        self.kept: list[tuple[int, bytes | None, bytes | None, int]] = []

    def frames(self, start: int, agent: bytes | None, far: bytes | None) -> None:
        self.kept.append((start, agent, far, time.monotonic_ns()))

    def event(self, kind: str, detail: Mapping[str, Json]) -> None: ...

    def close(self, cause: str) -> None: ...


def look(library: Library, bridge: Bridge, rate: int, stall_s: float) -> dict[str, object]:
    ports = bridge.take_tap(rate)
    bridge.route(bridge.headset, ports.agent, True)
    turn(library, 0.1)
    bridge.route(bridge.headset, ports.far, True)
    turn(library, 0.2)
    keep = Keep()
    ports.stream.microphone_on = ports.stream.far_on = True
    ports.stream.attach(keep, lambda agent, far, agent_clips, far_clips: None)
    turn(library, 1.0)
    if stall_s:
        ctypes.PyDLL(None).usleep(int(stall_s * 1e6))
        turn(library, 1.0)
    ports.stream.detach()
    delivered = len(keep.kept)
    turn(library, 0.1)
    starts = [entry[0] for entry in keep.kept]
    samples = rate // 50
    after_join = keep.kept[20:]  # the two resamplers began a tenth of a second apart
    return {
        "clock": type(library.drive.clock).__name__,
        "frames": delivered,
        "late_frames": len(keep.kept) - delivered,
        "sizes": sorted({len(side or b"") for entry in keep.kept for side in entry[1:3]}),  # type: ignore[arg-type]
        "equal": sum(agent == far for _, agent, far, _ in after_join) / len(after_join),
        "silent": sum(not any(far or b"") for _, _, far, _ in keep.kept),
        "gaps": [(b - a) / samples - 1 for a, b in pairwise(starts) if b - a != samples],
        "counted_s": starts[-1] / rate,
        "elapsed_s": (keep.kept[-1][3] - keep.kept[0][3]) / 1e9,
    }


def change(library: Library, bridge: Bridge, times: int) -> dict[str, object]:
    """The tap is fed by the headset's port and by its own in turns, as calls come and go beside it."""
    ports, keep, noise = bridge.take_tap(16000), Keep(), NoiseHeadset()
    bridge.route(bridge.headset, bridge.headset, True)
    bridge.sound.in_use = True
    ports.stream.microphone_on = ports.stream.far_on = True
    turn(library, 0.1)
    bridge.sound.tap = ports.stream
    ports.stream.attach(keep, lambda agent, far, agent_clips, far_clips: None)
    for number in range(times):
        turn(library, 0.033 + 0.001 * (number % 20))
        for port in (ports.agent, ports.far):
            bridge.route(bridge.headset, port, True)
        bridge.sound.tap = None
        turn(library, 0.033 + 0.001 * (number % 20))
        bridge.sound.tap = ports.stream
        for port in (ports.agent, ports.far):
            bridge.route(bridge.headset, port, False)
    ports.stream.detach()
    order = {frame: number for number, frame in enumerate(noise.frames)}
    heard = [[order.get(side or b"", -1) for side in entry[1:3]] for entry in keep.kept]  # type: ignore[arg-type]
    return {
        "frames": len(keep.kept),
        "unequal": sum(agent != far for agent, far in heard),
        "out_of_order": sum((b - a) % len(order) != 1 for (a, _), (b, _) in pairwise(heard)),
        "gaps": [b[0] - a[0] for a, b in pairwise(keep.kept) if b[0] - a[0] != 320],
    }


def turn(library: Library, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        library.handle_events(10)


def main() -> None:
    library = Library(EngineSettings(own_clock=sys.argv[3] == "own"))
    library.start()
    bridge = Bridge(NoiseHeadset(), library.drive)
    if sys.argv[1] == "change":
        told = change(library, bridge, int(sys.argv[2]))
    else:
        told = look(library, bridge, int(sys.argv[1]), float(sys.argv[2]))
    print(json.dumps(told))
    library.drive.clock.stop()
    bridge.close()
    library.stop()


if __name__ == "__main__":
    main()
