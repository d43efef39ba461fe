"""Synthesises the sentences of sentences.toml with espeak-ng, and the collector's take for the demo.

Run by hand when a sentence changes: ``python resources/sounds/make_sounds.py``. Needs ``espeak-ng`` and
``sox``; the product only reads the WAV files: 16 kHz, mono, signed 16-bit.
"""

from __future__ import annotations

import array
import math
import random
import subprocess
import sys
import tempfile
import tomllib
import wave
from pathlib import Path
from typing import Any

RATE = 16000
SPEECH_DBFS = -20.0
"""Level of the speech, RMS over the 20 ms frames that are not pauses (ITU-T P.56's idea of an active level).
"""
PEAK_DBFS = -3.0
PAUSE_DBFS = -45.0
FRAME = RATE // 50
ROOM_RMS = 26
"""Noise of the collector's room in the take, −62 dBFS: a live microphone is never digitally silent."""
EDGE_MS = 40
"""Silence kept before and after each sentence."""


def synthesise(text: str, voice: dict[str, Any], folder: Path) -> array.array[int]:
    """Samples of one sentence at 16 kHz as espeak-ng says it."""
    raw, ready = folder / "raw.wav", folder / "ready.wav"
    options = ["-v", voice["voice"], "-p", str(voice["pitch"]), "-s", str(voice["speed"])]
    subprocess.run(["espeak-ng", *options, "-z", "-w", str(raw), text], check=True)
    shape = ["-b", "16", "-c", "1", "-r", str(RATE)]
    subprocess.run(["sox", "-R", "-D", "-v", "0.8", str(raw), *shape, str(ready), "highpass", "80"], check=True)
    with wave.open(str(ready), "rb") as file:
        return array.array("h", file.readframes(file.getnframes()))


def dbfs(samples: array.array[int]) -> float:
    """RMS level relative to full scale, −100 for digital silence."""
    power = sum(s * s for s in samples) / max(1, len(samples))
    return 10 * math.log10(power / 32768**2) if power >= 1 else -100.0


def trim(samples: array.array[int]) -> array.array[int]:
    """The sentence without the silence around it, plus a short edge."""
    loud = [i for i in range(0, len(samples), FRAME) if dbfs(samples[i : i + FRAME]) > PAUSE_DBFS - 10]
    edge = array.array("h", bytes(2 * RATE * EDGE_MS // 1000))
    return edge + samples[loud[0] : loud[-1] + FRAME] + edge


def active_dbfs(samples: array.array[int]) -> float:
    """Level of the frames in which somebody speaks."""
    spoken = array.array("h")
    for i in range(0, len(samples), FRAME):
        frame = samples[i : i + FRAME]
        if dbfs(frame) > PAUSE_DBFS:
            spoken.extend(frame)
    return dbfs(spoken)


def normalise(samples: array.array[int]) -> array.array[int]:
    """Speech at ``SPEECH_DBFS``; peaks above the ceiling are bent by tanh, not cut."""
    gain = 10 ** ((SPEECH_DBFS - active_dbfs(samples)) / 20)
    ceiling = 32768 * 10 ** (PEAK_DBFS / 20) - 1
    knee = 0.7 * ceiling
    room = ceiling - knee
    out = array.array("h")
    for sample in samples:
        value = abs(sample * gain)
        if value > knee:
            value = knee + room * math.tanh((value - knee) / room)
        out.append(round(math.copysign(value, sample)))
    return out


def write(path: Path, samples: array.array[int]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def make_take(take: dict[str, Any], said: dict[str, array.array[int]]) -> array.array[int]:
    track = array.array("h", bytes(2 * int(RATE * take["lead_in_s"])))
    for name, pause in zip(take["sentences"], take["pauses_s"], strict=True):
        track.extend(said[name])
        track.extend(array.array("h", bytes(2 * int(RATE * pause))))
    room = random.Random(1)  # noqa: S311 - noise, not a secret
    return array.array("h", (max(-32768, min(32767, s + round(room.gauss(0, ROOM_RMS)))) for s in track))


def main() -> int:
    folder = Path(__file__).parent
    plan = tomllib.loads((folder / "sentences.toml").read_text("utf-8"))
    said: dict[str, array.array[int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for sentence in plan["sentences"]:
            spoken = synthesise(sentence["text"], plan["voices"][sentence["speaker"]], Path(scratch))
            said[sentence["id"]] = normalise(trim(spoken))
            write(folder / f"{sentence['id']}.wav", said[sentence["id"]])
    write(folder / plan["take"]["file"], make_take(plan["take"], said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
