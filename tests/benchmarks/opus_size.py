"""Size of sealed recordings beside plain WAV files of the same speech, two channels, at both rates of a call.

Both sides speak all the time: a real call, in which one listens, makes smaller files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

RATES = (8000, 16000)
LIMITS = {f"share_of_wav_{rate}": round(1 / 6, 6) for rate in RATES}
_WAV_HEADER = 44


def run(*, quick: bool) -> dict[str, Any]:
    """10 min of talk (quick: 1 min), by the rules a seat has when nobody set any."""
    seconds = 60 if quick else 600
    found: dict[str, Any] = {"audio_s": seconds}
    for rate in RATES:
        share = _share(rate, seconds)
        found[f"share_of_wav_{rate}"] = round(share, 5)
        found[f"times_smaller_{rate}"] = round(1 / share, 1)
    return {**found, "limits": LIMITS}


def _share(rate: int, seconds: float) -> float:
    from recorder.container import FINALISED
    from tests.benchmarks.speech import speech
    from tests.support.recording import Seat

    agent, far = (speech(who, rate, seconds) for who in ("collector", "debtor"))
    with tempfile.TemporaryDirectory() as folder:
        seat = Seat(Path(folder) / "spool")
        recording_id = seat.record(agent, far, rate)
        sealed = seat.spool.payload(recording_id, FINALISED).stat().st_size
        seat.recorder.stop(10)
    return sealed / (_WAV_HEADER + len(agent) + len(far))
