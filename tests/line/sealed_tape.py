"""Recordings of real line processes, opened with the store's key: what is on which channel, and when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recorder.container import FINALISED
from recorder.evidence import Manifest, verify_manifest
from recorder.spool import Spool
from telephony.messages import AudioConfig, RecordingState
from tests.line.sound import Samples, tone_power, write_tone
from tests.support.lines import Seat
from tests.support.recording import Opened, open_recording


@dataclass(frozen=True)
class SealedTape:
    """One finalised recording; ``agent`` and ``far`` are its channels, decoded, in samples of ``rate``."""

    manifest: Manifest
    opened: Opened
    agent: Samples
    far: Samples

    @property
    def rate(self) -> int:
        return self.manifest.rate

    @property
    def seconds(self) -> float:
        return len(self.far) / self.rate

    def marks(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.opened.events if event["kind"] == kind]

    def at(self, kind: str) -> float:
        """Seconds from the beginning to the one mark of this kind."""
        (mark,) = self.marks(kind)
        return float(mark["start"]) / self.rate

    def tones(self, side: str, first: float, last: float, among: tuple[float, ...]) -> set[float]:
        """Which of these tones a side has between two instants (s): a tenth of the power in most tenths of a second."""
        track = self.far if side == "far" else self.agent
        track = track[int(first * self.rate) : int(last * self.rate)]
        size = self.rate // 10
        parts = [track[i : i + size] for i in range(0, len(track) - size + 1, size)]
        assert parts, f"nothing between {first} and {last} of {self.seconds} s"
        return {t for t in among if np.median([tone_power(p, t, self.rate) for p in parts]) > 0.1 and _loud(parts)}


def _loud(parts: list[Samples]) -> bool:
    """Over −54 dBFS: what is under it is the codec's, not a voice's."""
    return bool(np.median([np.sqrt(np.mean(p**2)) for p in parts]) > 64)


def sealed_tape(seat: Seat, call_id: str) -> SealedTape:
    """Wait for the call's recording and open it; its manifest's signature is checked. No frame may be lost."""
    sealed = seat.wait(RecordingState, lambda e: e.call_id == call_id and e.state == "sealed", timeout=30)
    spool = Spool(seat.setup.spool)
    manifest = spool.manifest(sealed.recording_id)
    assert manifest is not None
    verify_manifest(manifest, bytes(seat.seat_key.verify_key))
    assert (manifest.kind, manifest.call_id, manifest.lost_frames) == (FINALISED, call_id, 0)
    opened = open_recording(spool.payload(manifest.recording_id, FINALISED), seat.store_key)
    agent, far = (np.frombuffer(track, dtype=np.int16).astype(np.float64) for track in opened.channels())
    assert len(agent) == len(far) == manifest.samples == manifest.call_samples
    return SealedTape(manifest, opened, agent, far)


def tone_voice(folder: Path, frequency: float) -> AudioConfig:
    """A headset whose microphone hears one tone for ever."""
    path = folder / f"voice-{frequency:g}.wav"
    write_tone(path, frequency, 16000, 5)
    return AudioConfig("files", str(path))
