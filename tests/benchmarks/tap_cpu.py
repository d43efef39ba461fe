"""CPU of tap and journal beside PJSIP's own two mono recorders, on the same call, in the same process and run.

A process of its own has one call of G.722 up with a baresip. Native recorders are switched on and off by turns, ten
pairs at once, since one costs less than the measurement varies by; then a tap and a recording take their place. All of
ours is in it: two bridge ports, levels, sealing, writing, syncing, and what it costs to wake threads of their own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recorder.session import RecordingSession
    from telephony.bridge import Bridge
    from telephony.endpoint import Library

LIMITS = {"ratio": 5.0, "lost_frames": 0}
SLICE_S = 1.0
PAIRS = 10
RATE = 16000
ROOT = Path(__file__).parents[2]


def run(*, quick: bool) -> dict[str, Any]:
    """Three processes (quick: one) of 48 s each (quick: 24 s); µs of CPU a tick of 20 ms."""
    rounds = [_measured(8 if quick else 16) for _ in range(1 if quick else 3)]
    alone, native, ours = (statistics.median(r[name] for r in rounds) for name in ("alone", "native", "ours"))
    return {
        "call_us_a_tick": round(alone, 1),
        "native_us_a_tick": round(native, 1),
        "tap_and_journal_us_a_tick": round(ours, 1),
        "of_it_recorder_threads_us_a_tick": round(statistics.median(r["threads"] for r in rounds), 1),
        "ratio": round(ours / native, 2),
        "ratios": [round(r["ours"] / r["native"], 2) for r in rounds],
        "lost_frames": sum(round(r["lost_frames"]) for r in rounds),
        "limits": LIMITS,
    }


def _measured(slices: int) -> dict[str, float]:
    from tests.benchmarks.baresip_seat import BaresipSeat
    from tests.benchmarks.speech import speech, write_wav

    with tempfile.TemporaryDirectory() as folder:
        voice = Path(folder) / "far.wav"
        write_wav(voice, speech("debtor", RATE, 120), RATE)
        far = BaresipSeat(Path(folder) / "far", play=voice, codec="G722/16000/1", auto=True)
        try:
            command = [sys.executable, "-m", "tests.benchmarks.tap_cpu", folder, str(far.port), str(slices)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        finally:
            far.stop()
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _a_tick(library: Library) -> float:
    """µs of the process's CPU time in 20 ms, over a second after a tenth of one."""
    _turn(library, 0.1)
    used, began = time.process_time_ns(), time.monotonic_ns()
    _turn(library, SLICE_S)
    return (time.process_time_ns() - used) / (time.monotonic_ns() - began) * 20_000


def _threads_ns() -> int:
    """CPU time of the recorder's threads."""
    found = [t.ident for t in threading.enumerate() if t.name.startswith("recorder-") and t.ident is not None]
    return sum(time.clock_gettime_ns(time.pthread_getcpuclockid(ident)) for ident in found)


def _turn(library: Library, seconds: float) -> None:
    """As the engine's thread does when nothing happens."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        library.handle_events(min(100, int(left * 1000) + 1))


def _switch(bridge: Bridge, sources: list[tuple[Any, Any]], on: bool) -> None:
    for source, recorder in sources:
        bridge.route(source, recorder, on)


def _record(folder: Path) -> tuple[RecordingSession, Any]:
    from nacl.public import PrivateKey

    from recorder.evidence import SeatIdentity
    from recorder.session import Recorder, RecordingFacts
    from recorder.spool import Spool

    store, identity = PrivateKey.generate(), SeatIdentity.generate("seat")
    recorder = Recorder(Spool(folder / "spool"), bytes(store.public_key), identity, lambda status: None)
    return recorder.start(RecordingFacts("call", "line", "outbound", "2026-03-02T01:02:03.000Z", RATE)), recorder


def main() -> None:
    from pjsua2 import pjsua2 as pj

    from telephony.audio.files import FileHeadset
    from telephony.bridge import Bridge
    from telephony.endpoint import Library
    from telephony.live_call import LiveCall
    from telephony.settings import EngineSettings
    from telephony.wiring import unwire, wire
    from tests.support.lines import COLLECTOR

    class Call(pj.Call):  # type: ignore[misc]
        media: Any = None

        def onCallMediaState(self, prm: Any) -> None:
            self.media = self.getAudioMedia(0)

    folder, port, slices = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    sys.setswitchinterval(0.0005)
    library = Library(EngineSettings(codecs=("G722",)))
    library.start()
    bridge = Bridge(FileHeadset(COLLECTOR, None), library.drive)
    bridge.open_headset()
    config = pj.AccountConfig()
    config.idUri = "sip:agent@127.0.0.1"
    account = pj.Account()
    account.create(config)
    call = Call(account)
    call.makeCall(f"sip:far@127.0.0.1:{port}", pj.CallOpParam(True))
    while call.media is None:
        _turn(library, 0.05)
    live = LiveCall("call", "line", True, "far", state="active", media=call.media)
    wire(bridge, [live])
    sources = [(source, pj.AudioMediaRecorder()) for source in (bridge.headset, call.media) for _ in range(PAIRS)]
    for number, (_, recorder) in enumerate(sources):
        recorder.createRecorder(str(folder / f"{number}.wav"))
    off, on = [], []
    for _ in range(slices):
        off.append(_a_tick(library))
        _switch(bridge, sources, True)
        on.append(_a_tick(library))
        _switch(bridge, sources, False)
    native = statistics.median(b - a for a, b in zip(off, on, strict=True)) / PAIRS
    alone = statistics.median(off)

    live.tap = tap = bridge.take_tap(RATE)
    session, recorder = _record(folder)
    tap.stream.attach(session, lambda agent, far, agent_clips, far_clips: None)
    wire(bridge, [live])
    _turn(library, 0.5)
    used = _threads_ns()
    ours = statistics.median([_a_tick(library) for _ in range(slices)]) - alone
    threads = (_threads_ns() - used) / 1000 / (slices * 55)
    tap.stream.detach()
    unwire(bridge, live, [])
    session.close("hung_up")
    recorder.stop(10)
    lost = session.status(0).lost_frames
    call.hangup(pj.CallOpParam(True))  # raises when the far end had left the call before
    _turn(library, 0.3)
    library.drive.clock.stop()
    del call, live, sources
    account.shutdown()
    del account
    bridge.close()
    library.stop()
    figures = {"alone": alone, "native": native, "ours": ours, "threads": threads, "lost_frames": lost}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
