"""Fixtures: line processes, SIPp, baresip and Kamailio, all ended when the test is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.line.parts import Baresip, FarPhone, LineProcess, Sipp, end_process
from tests.line.sound import write_tone


@pytest.fixture
def line_process(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., LineProcess]]:
    """Starts line processes; each must end in order, or the test fails. See ``BOTH_CLOCKS``."""
    own_clock = getattr(request, "param", True)
    started: list[LineProcess] = []

    def start(name: str = "line", **options: Any) -> LineProcess:
        started.append(LineProcess(tmp_path / name, **{"own_clock": own_clock, **options}))
        return started[-1]

    yield start
    codes = [process.stop() for process in started if process.process.poll() is None]
    assert codes == [0] * len(codes), "a line process did not end in order"


@pytest.fixture
def line(line_process: Callable[..., LineProcess]) -> LineProcess:
    return line_process()


@pytest.fixture
def sipp(tmp_path: Path) -> Iterator[Callable[..., Sipp]]:
    """Starts SIPp scenarios."""
    started: list[Sipp] = []

    def start(scenario: str, target: int = 0, **options: Any) -> Sipp:
        folder = tmp_path / f"sipp{len(started)}"
        folder.mkdir()
        started.append(Sipp(folder, scenario, target, **options))
        return started[-1]

    yield start
    for process in started:
        end_process(process.process)


@pytest.fixture
def baresip(tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Starts baresips that play a tone; the codec is as baresip writes it, such as ``PCMU/8000/1``."""
    started: list[Baresip] = []

    def start(codec: str, frequency: float = 440.0, **options: Any) -> Baresip:
        folder = tmp_path / f"baresip{len(started)}"
        folder.mkdir()
        tone = folder / "tone.wav"
        write_tone(tone, frequency, 16000 if codec.startswith("G722") else 8000, 30)
        started.append(Baresip(folder, tone, codec, **options))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def far_phone(tmp_path: Path) -> Iterator[Callable[..., FarPhone]]:
    """Starts PJSIP phones that answer, play a tone of this frequency and follow transfers."""
    started: list[FarPhone] = []

    def start(frequency: float | str, **options: str) -> FarPhone:
        folder = tmp_path / f"phone{len(started)}"
        folder.mkdir()
        started.append(FarPhone(folder, frequency, **options))
        return started[-1]

    yield start
    for phone in started:
        phone.stop()
