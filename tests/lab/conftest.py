"""Fixtures: one Asterisk for all tests of this folder that want one, and lines that are ended with their test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.asterisk import Asterisk, Seat
from tests.lab.asterisk_root import LabUnavailable, asterisk_root
from tests.lab.certificates import Authority
from tests.line.conftest import baresip as baresip
from tests.line.conftest import line_process as line_process
from tests.line.conftest import sipp as sipp

SEATS = (
    Seat("1001", "one's long password", numbers="02161234567 02161234568"),
    Seat("1002", "two's long password", numbers="02161234569"),
    Seat("1003", "three's long password"),
    Seat("1101", "first secure password", secure=True, numbers="02161234571"),
    Seat("1102", "second secure password", secure=True, numbers="02161234572"),
    Seat("1900", "the lead's long password", lead=True),
)


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
