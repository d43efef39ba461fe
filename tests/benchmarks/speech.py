"""Real speech for benchmarks: what the product's sounds say, of any length, at both rates of a call."""

from __future__ import annotations

import wave
from itertools import cycle
from pathlib import Path

SOUNDS = Path(__file__).parents[2] / "resources" / "sounds"
_RATE = 16000


def speech(who: str, rate: int, seconds: float) -> bytes:
    """``collector``'s or ``debtor``'s sentences one after the other, s16le mono at 8,000 or 16,000 samples a second."""
    wanted = round(seconds * rate) * 2
    found = bytearray()
    for path in cycle(sorted(SOUNDS.glob(f"{who}_*.wav"))):
        found += _read(path, rate)
        if len(found) >= wanted:
            return bytes(found[:wanted])
    raise FileNotFoundError(who)


def write_wav(path: Path, pcm: bytes, rate: int) -> None:
    """A mono 16-bit WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)


def _read(path: Path, rate: int) -> bytes:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (_RATE, 1, 2), path
        pcm = file.readframes(file.getnframes())
    if rate == _RATE:
        return pcm
    import av

    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.sample_rate = _RATE
    frame.planes[0].update(pcm)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    made = [*resampler.resample(frame), *resampler.resample(None)]
    return b"".join(bytes(part.planes[0])[: 2 * part.samples] for part in made)
