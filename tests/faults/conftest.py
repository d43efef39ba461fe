"""Sizes of the fault runs: small with all tests, whole by ``make faults``."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def kills() -> int:
    return int(os.environ.get("KILLS", "20"))


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("SEED", "20261124"))
