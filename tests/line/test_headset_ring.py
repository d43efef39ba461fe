"""The ring between two clocks, simulated sample by sample, and the rate converter."""

from __future__ import annotations

import array
import itertools
import math
import threading
from collections.abc import Iterator

import pytest

from telephony.audio.resample import Resampler
from telephony.audio.ring import MAX_DELAY_MS, ClockRing, stretch

RATE = 16000
FRAME = 320


def tone(hertz: float, samples: int, rate: int = RATE, level: int = 10000) -> bytes:
    return array.array("h", (round(level * math.sin(2 * math.pi * hertz * i / rate)) for i in range(samples))).tobytes()


def amplitude(pcm: bytes, hertz: float, rate: int = RATE) -> float:
    """Amplitude of one frequency (a single bin of a Fourier transform)."""
    samples = array.array("h", pcm)
    turn = 2 * math.pi * hertz / rate
    real = sum(s * math.cos(turn * i) for i, s in enumerate(samples))
    imaginary = sum(s * math.sin(turn * i) for i, s in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


def run(ring: ClockRing, ppm: float, seconds: float, burst: int = 1) -> Iterator[bytes | None]:
    """Reads every 20 ms from a ring whose writer's clock is off by ``ppm`` and writes ``burst`` frames at a time."""
    written, reads = 0, 0
    frame = tone(440, FRAME)
    while reads * 0.02 < seconds:
        due = (written // burst + 1) * burst * 0.02 / (1 + ppm * 1e-6)
        if due <= reads * 0.02 + 0.013:
            ring.write(frame)
            written += 1
        else:
            yield ring.read(FRAME)
            reads += 1


@pytest.mark.parametrize(("ppm", "burst"), [(0, 1), (100, 1), (-100, 1), (200, 2), (-200, 2)])
def test_drift_is_absorbed_without_gap_or_growing_delay(ppm: float, burst: int) -> None:
    ring = ClockRing(RATE)
    gaps = 0
    worst = 0.0
    for reads, pcm in enumerate(run(ring, ppm, seconds=600, burst=burst)):
        if reads > 100:
            gaps += pcm is None
            worst = max(worst, ring.fill_ms)
    assert gaps == 0
    assert ring.dropped == 0 if burst == 1 else ring.dropped < RATE // 20, (
        "bursts of 40 ms slip over the limit at times"
    )
    assert worst <= MAX_DELAY_MS


def test_drift_over_ten_minutes_is_really_corrected() -> None:
    """200 ppm for 600 s are 1,920 samples: a plain queue would be 120 ms late."""
    ring = ClockRing(RATE)
    for _ in run(ring, 200, seconds=600):
        pass
    assert ring.stretched > 1900
    assert ring.fill_ms < MAX_DELAY_MS


def test_a_stall_of_the_reader_costs_no_lasting_delay() -> None:
    ring = ClockRing(RATE)
    for number in range(40):
        ring.write(bytes([number, 0]) * FRAME)
    pcm = ring.read(FRAME)
    assert pcm is not None
    assert ring.fill_ms <= MAX_DELAY_MS
    assert pcm[0] >= 36, "the newest sound is kept, the old one is dropped"


def test_what_nobody_reads_is_forgotten() -> None:
    ring = ClockRing(RATE)
    for _ in range(10_000):
        ring.write(bytes(2 * FRAME))
    ring.read(FRAME)
    assert ring.dropped < RATE * 1.1


def test_an_empty_ring_gives_none_and_primes_before_it_gives_again() -> None:
    ring = ClockRing(RATE)
    for _ in range(3):
        assert ring.read(FRAME) is None
        ring.write(bytes(2 * FRAME))
    assert ring.read(FRAME) == bytes(2 * FRAME)


def test_bursts_longer_than_the_ring_may_cost_samples_but_never_delay() -> None:
    ring = ClockRing(RATE)
    gaps = 0
    for pcm in run(ring, 0, seconds=60, burst=4):
        gaps += pcm is None
        assert ring.fill_ms <= MAX_DELAY_MS
    assert gaps < 60 * 50 // 3, "most of the sound still passes"


def test_a_pause_of_the_writer_is_silence_and_then_whole_sound_again() -> None:
    ring = ClockRing(RATE)
    for _ in range(2):
        for _ in range(5):
            ring.write(tone(440, FRAME))
        assert [ring.read(FRAME) is not None for _ in range(8)].count(True) >= 3
        assert ring.read(FRAME) is None
    assert ring.underruns == 2


def test_stretching_keeps_pitch_level_and_continuity() -> None:
    source = array.array("h", tone(440, RATE))
    out = array.array("h")
    at = 0
    while at + 322 < len(source):
        length = 321 if len(out) // FRAME % 2 else 319
        piece, after = source[at : at + length], source[at + length : at + length + 1]
        out.frombytes(stretch(piece.tobytes(), after.tobytes(), FRAME))
        at += length
    steepest = max(abs(b - a) for a, b in itertools.pairwise(source))
    assert max(abs(b - a) for a, b in itertools.pairwise(out)) <= steepest * 1.02
    assert amplitude(out.tobytes(), 440) == pytest.approx(10000, rel=0.02)


def test_two_threads_lose_and_invent_nothing() -> None:
    ring = ClockRing(RATE)
    total = 5000
    ready = threading.Semaphore(40)
    written = threading.Semaphore(0)

    def write() -> None:
        for number in range(total):
            ready.acquire()
            ring.write(array.array("H", [number]).tobytes())
            written.release()

    writer = threading.Thread(target=write)
    writer.start()
    got: list[int] = []
    for _ in range(total):
        written.acquire()
        ring._gather()
        ready.release()
        got = list(array.array("H", bytes(ring._ready)))
    writer.join()
    assert got == list(range(total))


@pytest.mark.parametrize("source", [8000, 44100, 48000, 96000])
@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_resampling_to_16_khz_keeps_speech(source: int, hertz: int) -> None:
    resampler = Resampler(source, RATE)
    heard = stream(resampler, tone(hertz, source // 2, source), source)
    assert len(heard) // 2 == pytest.approx(RATE // 2, abs=FRAME)
    assert amplitude(heard[1280 : 1280 + 2 * 6400], hertz) == pytest.approx(10000, rel=0.02)


@pytest.mark.parametrize("target", [44100, 48000])
def test_resampling_to_the_card_keeps_speech(target: int) -> None:
    heard = stream(Resampler(RATE, target), tone(1000, RATE // 2), RATE)
    assert len(heard) // 2 == pytest.approx(target // 2, abs=target // 50)
    assert amplitude(heard[2 * target // 10 : 2 * target // 2 - 2], 1000, target) == pytest.approx(10000, rel=0.02)


def test_what_16_khz_cannot_hold_is_filtered_and_not_folded_back() -> None:
    heard = stream(Resampler(48000, RATE), tone(10_000, 24_000, 48000), 48000)
    samples = array.array("h", heard[1280:])
    assert max(abs(s) for s in samples) < 100, "10 kHz must not come back as 6 kHz"


def stream(resampler: Resampler, pcm: bytes, rate: int) -> bytes:
    step = 2 * (rate // 50)
    return b"".join(resampler.convert(pcm[i : i + step]) for i in range(0, len(pcm), step))


def test_a_frame_in_is_a_frame_out_at_44100() -> None:
    """The card's blocks are 20 ms, and the ring is read 320 samples at a time."""
    resampler = Resampler(44100, RATE)
    sizes = [len(resampler.convert(bytes(2 * 882))) // 2 for _ in range(100)]
    assert sum(sizes) == pytest.approx(100 * FRAME, abs=1)
    assert set(sizes) <= {319, 320, 321}
