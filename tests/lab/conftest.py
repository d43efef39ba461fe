"""Fixtures: one Asterisk for all tests of this folder that want one, and lines that are ended with their test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.lab.asterisk import Asterisk
from tests.lab.asterisk_root import LabUnavailable, asterisk_root
from tests.lab.certificates import Authority
from tests.lab.kamailio import Kamailio
from tests.lab.phones import LongCall
from tests.lab.seats import SEATS
from tests.line.parts import LineProcess


@pytest.fixture
def line_process(tmp_path: Path) -> Iterator[Callable[..., LineProcess]]:
    """Starts line processes; each must end in order, all at once since each takes half a second to sign out."""
    started: list[LineProcess] = []

    def start(name: str = "line", **options: Any) -> LineProcess:
        started.append(LineProcess(tmp_path / name, **options))
        return started[-1]

    yield start
    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(LineProcess.stop, started))
    assert codes == [0] * len(codes), "a line process did not end in order"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The private authority behind the PBX's certificate."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def lab_root() -> Path:
    try:
        return asterisk_root()
    except LabUnavailable as reason:
        pytest.skip(f"no Asterisk: {reason}")


@pytest.fixture(scope="session")
def asterisk(lab_root: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """Asterisk with every seat of ``SEATS``."""
    server = authority.server("127.0.0.1", "pbx.example")
    running = Asterisk(lab_root, tmp_path_factory.mktemp("asterisk"), SEATS, server.certificate, server.key)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def long_call(asterisk: Asterisk, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongCall]:
    """A call that is up while the other tests run, so that its upkeep can be looked at without waiting for it."""
    call = LongCall(asterisk, authority, tmp_path_factory.mktemp("long"))
    yield call
    call.stop()


@pytest.fixture(scope="session")
def kamailio(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kamailio]:
    """Kamailio with every seat of ``SEATS``."""
    assert shutil.which("kamailio"), "kamailio is in installer/debian-packages.txt"
    server = authority.server("127.0.0.1", "pbx.example")
    running = Kamailio(tmp_path_factory.mktemp("kamailio"), SEATS, server.certificate, server.key)
    yield running
    complaints = running.complaints()
    running.stop()
    assert not complaints
