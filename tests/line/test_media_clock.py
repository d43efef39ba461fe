"""The media clock: ours where this build of PJSIP can be called past pjsua2, else PJMEDIA's."""

from __future__ import annotations

import json
import subprocess
import sys
import types

import pytest

from telephony import pjmedia
from tests.line.parts import ROOT


@pytest.mark.parametrize(("clock", "threads"), [("own", 2), ("device", 1)])
def test_no_tick_comes_after_a_stop(clock: str, threads: int) -> None:
    """However often it is started and stopped; and our clock needs one thread for all of it."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.line.clock_probe", clock, "20"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    assert json.loads(run.stdout) == {"late": 0, "dead": 0, "threads": threads, "runs": False}


def test_a_build_that_hides_pjmedia_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pjmedia.ctypes, "CDLL", lambda path: types.SimpleNamespace())
    assert pjmedia.find_pjmedia() is None


def test_structures_of_another_version_are_not_trusted() -> None:
    found = pjmedia.find_pjmedia()
    assert found is not None
    found._version = lambda: b"2.16"
    assert not found.is_known(16000)
