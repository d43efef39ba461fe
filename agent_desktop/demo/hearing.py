"""Measures sound: how loud a recording's sides are, and whether a lead who listened in heard both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]

FRAME_S = 0.02
SPEAKING_DBFS = -40.0
QUIET_DBFS = -55.0
FLOOR_DBFS = -100.0


@dataclass(frozen=True, slots=True)
class Exported:
    """A recording as a player would open it. Levels are RMS over the whole length, dBFS."""

    seconds: float
    channels: int
    left_dbfs: float
    right_dbfs: float


@dataclass(frozen=True, slots=True)
class Heard:
    """Median level, in dBFS, of what the lead heard while only one side of the call spoke."""

    agent_dbfs: float
    far_dbfs: float
    nobody_dbfs: float

    @property
    def both(self) -> bool:
        """Both sides stand out of the quiet by 15 dB or more."""
        return min(self.agent_dbfs, self.far_dbfs) > max(SPEAKING_DBFS, self.nobody_dbfs + 15)


def measure_export(path: Path) -> Exported:
    """Open a file that soundfile reads and measure its first two channels."""
    import soundfile

    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    right = samples[:, 1] if samples.shape[1] > 1 else samples[:0, 0]
    return Exported(len(samples) / rate, samples.shape[1], _dbfs(samples[:, 0]), _dbfs(right))


def measure_heard(lead_path: Path, recording_path: Path) -> Heard:
    """Line up what the lead's ear got (mono file) with the call's two-channel recording, and compare.

    The place is found by the best correlation of the loudness curves, 20 ms a step.
    """
    import numpy as np
    import soundfile

    lead, lead_rate = soundfile.read(lead_path, dtype="float64", always_2d=True)
    call, call_rate = soundfile.read(recording_path, dtype="float64", always_2d=True)
    ear = _loudness(lead[:, 0], lead_rate)
    agent, far = (_loudness(call[:, side], call_rate) for side in (0, 1))
    ear, agent, far = _lined_up(ear, agent, far)
    only_agent = (agent > SPEAKING_DBFS) & (far < QUIET_DBFS)
    only_far = (far > SPEAKING_DBFS) & (agent < QUIET_DBFS)
    nobody = (agent < QUIET_DBFS) & (far < QUIET_DBFS)

    def median(where: npt.NDArray[np.bool_]) -> float:
        return float(np.median(ear[where])) if where.sum() >= 5 else FLOOR_DBFS

    return Heard(median(only_agent), median(only_far), median(nobody))


def _lined_up(ear: Samples, agent: Samples, far: Samples) -> tuple[Samples, Samples, Samples]:
    import numpy as np

    both = np.maximum(agent, far)
    curve, pattern = both - both.mean(), ear - ear.mean()
    shift = int(np.argmax(np.correlate(curve, pattern, mode="full"))) - (len(pattern) - 1)
    start, end = max(0, shift), min(len(both), shift + len(ear))
    return ear[start - shift : end - shift], agent[start:end], far[start:end]


def _loudness(samples: Samples, rate: int) -> Samples:
    import numpy as np

    size = int(rate * FRAME_S)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.sqrt((frames**2).mean(axis=1))
    loudness: Samples = 20 * np.log10(np.maximum(power, 1e-5))
    return loudness


def _dbfs(samples: Samples) -> float:
    import numpy as np

    if not len(samples):
        return FLOOR_DBFS
    rms = float(np.sqrt((samples**2).mean()))
    return round(20 * float(np.log10(max(rms, 1e-5))), 1)
