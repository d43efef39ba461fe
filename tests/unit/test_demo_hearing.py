from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent_desktop.demo.hearing import measure_export, measure_heard

RATE = 16000


def _turns(seed: int, seconds: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Two voices of noise that take turns of uneven length, with pauses."""
    rng = np.random.default_rng(seed)
    length = int(seconds * RATE)
    sides = np.zeros((2, length))
    at, turn = 0, 0
    while at < length:
        size = int(rng.uniform(0.4, 1.6) * RATE)
        voice = rng.normal(0, 0.1, size)[: length - at]
        sides[turn % 2, at : at + len(voice)] = voice
        at += size + int(rng.uniform(0.1, 0.4) * RATE)
        turn += 1
    return sides[0], sides[1]


@pytest.mark.parametrize(
    ("agent_gain", "far_gain", "both"), [(1, 1, True), (1, 0, False), (0, 1, False), (0, 0, False)]
)
def test_tells_which_sides_the_lead_heard(tmp_path: Path, agent_gain: int, far_gain: int, both: bool) -> None:
    agent, far = _turns(1)
    soundfile.write(tmp_path / "call.wav", np.stack([agent, far], axis=1), RATE)
    start, end = 7 * RATE + 100, 13 * RATE
    soundfile.write(tmp_path / "lead.wav", (agent * agent_gain + far * far_gain)[start:end], RATE)
    heard = measure_heard(tmp_path / "lead.wav", tmp_path / "call.wav")
    assert heard.both is both


def test_another_call_is_not_taken_for_this_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "call.wav", np.stack(_turns(1), axis=1), RATE)
    soundfile.write(tmp_path / "lead.wav", np.zeros(5 * RATE), RATE)
    assert not measure_heard(tmp_path / "lead.wav", tmp_path / "call.wav").both


def test_levels_of_each_channel(tmp_path: Path) -> None:
    t = np.arange(2 * RATE) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 440 * t)
    soundfile.write(tmp_path / "x.wav", np.stack([tone, tone / 10], axis=1), RATE)
    exported = measure_export(tmp_path / "x.wav")
    assert (exported.channels, exported.seconds) == (2, 2.0)
    assert exported.left_dbfs == pytest.approx(-9.0, abs=0.1)
    assert exported.right_dbfs == pytest.approx(-29.0, abs=0.1)
    soundfile.write(tmp_path / "mono.wav", tone, RATE)
    assert measure_export(tmp_path / "mono.wav").channels == 1
