"""Tones: made, measured and found in time."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]


def samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64)


def tone_power(signal: Samples, frequency: float, rate: int) -> float:
    """Share of the signal's power (0 to 1) that is at this frequency; the Goertzel filter's bin, in closed form."""
    energy = float(np.sum(signal**2))
    if energy == 0:
        return 0.0
    turn = np.exp(-2j * np.pi * frequency / rate * np.arange(len(signal)))
    return float(2 * np.abs(np.dot(signal, turn)) ** 2 / len(signal) / energy)


def write_tone(path: Path, frequency: float, rate: int, seconds: float, amplitude: float = 8000.0) -> None:
    """A mono 16-bit WAV file with one tone."""
    write_wav(path, tone(frequency, rate, seconds, amplitude), rate)


def tone(frequency: float, rate: int, seconds: float, amplitude: float = 8000.0) -> Samples:
    return amplitude * np.sin(2 * np.pi * frequency / rate * np.arange(int(rate * seconds)))


def write_wav(path: Path, signal: Samples, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(signal).astype("<i2").tobytes())


def read_wav(path: Path) -> tuple[Samples, int]:
    """Samples and rate; a file whose writer never finished its header is read as far as it goes."""
    data = path.read_bytes()
    return samples(data[44 : len(data) - len(data) % 2]), int.from_bytes(data[24:28], "little")
