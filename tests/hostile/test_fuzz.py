"""A share of the fuzzing that ``python -m tests.hostile.fuzz`` does at length, always the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.fuzz import run
from tests.hostile.mutate import stream
from tests.hostile.sip import STRANGER, Endpoint
from tests.hostile.target import READY_S

SEED, COUNT = 4475, 1000


@pytest.mark.parametrize("in_call", [False, True])
def test_broken_messages(tmp_path: Path, in_call: bool) -> None:
    outcome = run(SEED, COUNT, in_call, tmp_path / "crashes")
    assert outcome.crashes == []
    assert outcome.sent == COUNT
    assert outcome.ready_after_s < READY_S
    assert outcome.rung > 0
    assert outcome.call_went_on in (None, True)


def test_a_message_can_be_made_again_alone() -> None:
    with Endpoint(9) as known, Endpoint(9, STRANGER) as stranger:
        first = list(stream(SEED, 200, known, stranger))
        again = list(stream(SEED, 200, known, stranger))
    assert [m.data for m in first if b"branch=z9hG4bKsame" in m.data] == [
        m.data for m in again if b"branch=z9hG4bKsame" in m.data
    ]
    assert [m.kind for m in first] == [m.kind for m in again]
    assert {m.kind for m in first} == {"sip", "rtp"}
