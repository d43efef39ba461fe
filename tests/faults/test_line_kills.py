"""kill -9 of the real line process loses 0.25 s at most, at whatever moment, and no file is left unaccounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.line_kills import run

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def test_a_kill_at_any_moment_loses_a_quarter_of_a_second_at_most(tmp_path: Path, kills: int, seed: int) -> None:
    outcome = run(tmp_path, kills, seed)
    print(f"seed {seed}: {outcome.summary()}")
    assert outcome.problems == []
    assert outcome.kills >= kills
    assert len(outcome.losses) >= kills // 4, "hardly a kill met a recording under way"
    assert max(outcome.losses) <= 0.25, [f"{loss:.3f}" for loss in sorted(outcome.losses)[-5:]]
    assert min(outcome.losses) > -0.03  # no more than was said
