"""CPU of the line process for one recorded call of G.722, beside baresip with its sndfile recorder at the same time.

Both call a far end of their own (another baresip) and play it the same tone; both record both directions. The window
of time is the same for both and begins when the calls are up; finalising the recording is counted apart. baresip's
recorder writes two plain WAV files, ours encrypts, syncs, encodes and signs.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from telephony.messages import AudioConfig, Dial, RecordingState
from tests.benchmarks.baresip_seat import BaresipSeat
from tests.benchmarks.figures import cpu_seconds
from tests.line.sound import write_tone
from tests.support.lines import Seat, hang_up, start_seat

LIMIT_PERCENT = 4.0
RATIO = 2.0
CODEC = "G722/16000/1"
CALL_ID = "0b9f1f0e-6c56-4b53-9b5c-4c60b4a1d0aa"


def run(*, quick: bool) -> dict[str, Any]:
    """A call of 32 s (quick: 10 s), and 10 s before it without one."""
    seconds = 10 if quick else 32
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        tone = folder / "tone.wav"
        write_tone(tone, 440, 16000, 60)
        far = [BaresipSeat(folder / f"far{n}", play=tone, codec=CODEC, auto=True) for n in (0, 1)]
        theirs = BaresipSeat(folder / "baresip", play=tone, codec=CODEC, record=True)
        for process in (*far, theirs):
            stack.callback(process.stop)
        ours = start_seat(folder, "seat", peer_port=far[0].port, audio=AudioConfig("files", str(tone)))
        stack.callback(ours.port.stop)
        pid = ours.pid
        idle = _used(seconds=min(10, seconds), pids=(pid, theirs.pid))
        _connect(ours, theirs, far[1].port, folder / "baresip")
        busy = _used(seconds, (pid, theirs.pid))
        before = cpu_seconds(pid)
        sealed = hang_up(ours, CALL_ID)
        time.sleep(0.5)
        finalise = cpu_seconds(pid) - before
    return {
        "line_process_cpu_s": round(busy[0], 2),
        "with_finalising_cpu_s": round(busy[0] + finalise, 2),
        "baresip_cpu_s": round(busy[1], 2),
        "ratio": round(busy[0] / busy[1], 2),
        "ratio_with_finalising": round((busy[0] + finalise) / busy[1], 2),
        "line_process_percent": round(100 * busy[0] / seconds, 2),
        "idle_percent": round(100 * idle[0] / min(10, seconds), 2),
        "baresip_idle_percent": round(100 * idle[1] / min(10, seconds), 2),
        "finalise_cpu_s_per_minute": round(finalise * 60_000 / sealed.sealed_ms, 2),
        "call_s": seconds,
        "lost_frames": sealed.lost_frames,
        "limits": {
            "line_process_percent": LIMIT_PERCENT,
            "ratio": RATIO,
            "ratio_with_finalising": RATIO,
            "lost_frames": 0,
        },
    }


def _connect(ours: Seat, theirs: BaresipSeat, far_port: int, folder: Path) -> None:
    ours.port.request(lambda i: Dial(i, CALL_ID, "line", "far"))
    theirs.send("dial", f"sip:far@127.0.0.1:{far_port}")
    ours.wait(RecordingState, lambda e: e.call_id == CALL_ID and e.sealed_ms > 0)
    deadline = time.monotonic() + 5
    while len(list(folder.glob("dump-*.wav"))) < 2:
        assert time.monotonic() < deadline, "baresip does not record"
        time.sleep(0.05)


def _used(seconds: float, pids: tuple[int, int]) -> tuple[float, float]:
    """CPU seconds of both over the same time."""
    before = [cpu_seconds(pid) for pid in pids]
    time.sleep(seconds)
    first, second = (cpu_seconds(pid) - used for pid, used in zip(pids, before, strict=True))
    return first, second
