"""Ten minutes of a tone through the ring between two clocks that are 100 ppm apart, simulated, sample for sample.

What a person would hear as a cut is looked for in the tone itself: its phase may move, slowly, but never jump; its
level may not change; no frame may be missing, no step steeper than the tone's own.
"""

from __future__ import annotations

import array
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest

from telephony.audio.ring import MAX_DELAY_MS, ClockRing

RATE = 16000
FRAME = 320
HERTZ = 440
AMPLITUDE = 10000
SECONDS = 600

Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=1)
def source() -> bytes:
    """Ten minutes and a bit of tone, as the writer's clock counts it."""
    turn = 2 * np.pi * HERTZ / RATE
    tone = np.round(AMPLITUDE * np.sin(turn * np.arange((SECONDS + 2) * RATE)))
    return bytes(tone.astype("<i2").tobytes())


def through(ppm: float, jitter_ms: float) -> tuple[Floats, Floats, ClockRing, list[int]]:
    """What the reader gets, and how much the ring held after each read in ms; the writer's clock is off by ``ppm``.

    Both ends are late by up to ``jitter_ms``, as threads are, and make up for it at the next turn.
    """
    chance = np.random.default_rng(7)
    count = SECONDS * 50
    writes = (np.arange(count + 60) + 1) * 0.02 / (1 + ppm * 1e-6) + chance.random(count + 60) * jitter_ms / 1000
    reads = np.arange(count) * 0.02 + 0.013 + chance.random(count) * jitter_ms / 1000
    ring, written, pcm = ClockRing(RATE), 0, source()
    out, fills, gaps = array.array("h"), [], []
    for number, at in enumerate(reads):
        while writes[written] <= at:
            ring.write(pcm[written * 2 * FRAME : (written + 1) * 2 * FRAME])
            written += 1
        frame = ring.read(FRAME)
        if frame is None:
            gaps.append(number)
        out.frombytes(frame or bytes(2 * FRAME))
        fills.append(ring.fill_ms)
    return np.frombuffer(out.tobytes(), "<i2").astype(np.float64), np.array(fills), ring, gaps


def phases(signal: Floats) -> tuple[Floats, Floats]:
    """Phase in samples of lateness against a clock of our own, and amplitude, of each 20 ms."""
    frames = signal[: len(signal) // FRAME * FRAME].reshape(-1, FRAME)
    turn = 2 * np.pi * HERTZ / RATE
    reference = np.exp(-1j * turn * np.arange(len(signal) // FRAME * FRAME)).reshape(-1, FRAME)
    product = (frames * reference * np.hanning(FRAME)).sum(axis=1) * 2 / np.hanning(FRAME).sum()
    return np.unwrap(np.angle(product)) / turn, np.abs(product)


@pytest.mark.parametrize("jitter_ms", [0.0, 8.0])
@pytest.mark.parametrize("ppm", [100, -100])
def test_ten_minutes_at_100_ppm_have_no_audible_cut_and_no_more_than_60_ms_of_delay(
    ppm: float, jitter_ms: float
) -> None:
    signal, fills, ring, gaps = through(ppm, jitter_ms)
    settled = 50  # a second: the ring fills first
    assert [gap for gap in gaps if gap >= settled] == []
    assert fills[settled:].max() <= MAX_DELAY_MS
    assert ring.dropped == 0
    moved, level = phases(signal[settled * FRAME :])
    steps = np.diff(moved)
    assert np.abs(steps).max() < 1.2, "one sample in 20 ms at most: the pitch moves by a three-hundredth"
    assert np.abs(level / AMPLITUDE - 1).max() < 0.02, "0.2 dB"
    edges = np.abs(np.diff(signal[settled * FRAME :]))
    assert edges.max() <= AMPLITUDE * 2 * np.pi * HERTZ / RATE * 1.02, "no step that the tone has not itself"
    # Over ten minutes the tone comes back at the writer's pitch; the whole drift of 960 samples went through.
    assert abs(moved[-1] - moved[0]) == pytest.approx(SECONDS * RATE * abs(ppm) * 1e-6, abs=0.03 * RATE)


def test_the_measure_would_notice_a_plain_queue_s_cut() -> None:
    """The same tone with one sample in each 10,000 dropped, as a queue does when it runs over."""
    whole = np.frombuffer(source(), "<i2").astype(np.float64)[: 60 * RATE]
    cut = np.delete(whole, np.arange(5000, len(whole), 10_000))
    edges = np.abs(np.diff(cut))
    assert edges.max() > AMPLITUDE * 2 * np.pi * HERTZ / RATE * 1.5
    moved, _ = phases(np.delete(whole, np.arange(32_000, 32_320)))
    assert np.abs(np.diff(moved)).max() > 5, "a lost frame is a jump of the phase"
