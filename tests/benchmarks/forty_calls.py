"""Forty calls recorded at once on one core: real speech at 16 kHz, each frame at its time, none lost.

One process, one recorder, one core. Halfway ten calls end and ten others begin, so that sealing goes on beside. PJSIP
holds four calls a process, so the frames come from a clock of the benchmark's own; ``many_calls`` has whole line
processes side by side.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nacl.public import PrivateKey

    from recorder.evidence import Manifest
    from recorder.session import Recorder, RecordingSession
    from recorder.spool import Spool

AT_ONCE, CHANGED = 40, 10
RATE = 16000
FRAME = RATE // 50
LIMITS = {"lost_frames": 0, "missing_samples": 0, "not_sealed": 0, "cpu_percent_of_a_core": 100.0}
ROOT = Path(__file__).parents[2]


def run(*, quick: bool) -> dict[str, Any]:
    """60 s (quick: 10 s)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.benchmarks.forty_calls", folder, "10" if quick else "60"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**result, "limits": LIMITS}


class _Calls:
    """Every call with the samples that it was given."""

    def __init__(self, recorder: Recorder) -> None:
        from tests.benchmarks.speech import speech

        self._recorder = recorder
        tracks = [speech(who, RATE, 20) for who in ("collector", "debtor")]
        self._agent, self._far = ([t[i : i + 2 * FRAME] for i in range(0, len(t), 2 * FRAME)] for t in tracks)
        self.live: list[tuple[RecordingSession, int]] = []
        """Each with the tick of its beginning."""
        self.fed: dict[str, int] = {}
        self._begun = 0

    def begin(self, tick: int, count: int) -> None:
        from recorder.session import RecordingFacts

        for _ in range(count):
            facts = RecordingFacts(f"call-{self._begun}", "line", "outbound", "2026-03-02T01:02:03.000Z", RATE)
            self.live.append((self._recorder.start(facts), tick))
            self._begun += 1

    def feed(self, tick: int) -> None:
        for number, (session, begun) in enumerate(self.live):
            at = (tick + 7 * number) % len(self._agent)
            session.frames((tick - begun) * FRAME, self._agent[at], self._far[at])

    def end(self, tick: int, count: int) -> None:
        for session, begun in self.live[:count]:
            self.fed[session.recording_id] = (tick - begun) * FRAME
            session.close("hung_up")
        del self.live[:count]


def _record(recorder: Recorder, seconds: float) -> tuple[dict[str, int], dict[str, float]]:
    calls = _Calls(recorder)
    calls.begin(0, AT_ONCE)
    ticks, late = round(seconds * 50), 0.0
    used, began = time.process_time(), time.monotonic()
    for tick in range(ticks):
        if tick == ticks // 2:
            calls.end(tick, CHANGED)
            calls.begin(tick, CHANGED)
        calls.feed(tick)
        left = began + (tick + 1) * 0.02 - time.monotonic()
        late = max(late, -left)
        time.sleep(max(0.0, left))
    percent = 100 * (time.process_time() - used) / (time.monotonic() - began)
    calls.end(ticks, len(calls.live))
    return calls.fed, {"cpu_percent_of_a_core": round(percent, 1), "latest_frame_ms": round(1000 * late, 1)}


def _check(spool: Spool, store: PrivateKey, fed: dict[str, int]) -> dict[str, int]:
    """The sealed files, opened with the store's key, against what was fed."""
    from recorder.container import FINALISED

    ready: list[Manifest] = [m for m in spool.ready() if m.kind == FINALISED]
    lost = missing = 0
    for manifest in ready:
        from tests.support.recording import open_recording

        opened = open_recording(spool.payload(manifest.recording_id, FINALISED), store)
        lost += opened.closing["lost_frames"] + sum(event["kind"] == "gap" for event in opened.events)
        missing += abs(fed[manifest.recording_id] - len(opened.channels()[0]))
    return {"calls": len(fed), "lost_frames": lost, "missing_samples": missing, "not_sealed": len(fed) - len(ready)}


def main() -> None:
    from nacl.public import PrivateKey

    from recorder.codec import warm_up
    from recorder.evidence import SeatIdentity
    from recorder.session import Recorder
    from recorder.spool import Spool

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.setswitchinterval(0.0005)
    warm_up()
    spool, store = Spool(Path(sys.argv[1]) / "spool"), PrivateKey.generate()
    recorder = Recorder(spool, bytes(store.public_key), SeatIdentity.generate("seat"), lambda status: None)
    fed, figures = _record(recorder, float(sys.argv[2]))
    began, used = time.monotonic(), time.process_time()
    recorder.stop(120)
    sealing = {"sealed_after_s": time.monotonic() - began, "sealing_cpu_s": time.process_time() - used}
    rounded = {name: round(value, 1) for name, value in sealing.items()}
    print(json.dumps({"at_once": AT_ONCE, **figures, **_check(spool, store, fed), **rounded}))


if __name__ == "__main__":
    main()
