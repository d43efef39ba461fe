"""One server for all contract tests that can share it, and data to start others from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.server import RunningServer, init_data, start_server
from tests.support.server_api import Seat

SignIn = Callable[..., Seat]


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the demo in it. Read-only: ``private_data`` is a copy to change."""
    return init_data(tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture
def private_data(demo_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_data, tmp_path / "data"))


@pytest.fixture(scope="session")
def server(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The demo, served. Tests use seats and cases of their own; it says offline sooner than in production."""
    where = shutil.copytree(demo_data, tmp_path_factory.mktemp("served") / "data")
    running = start_server(where, data_dir=where, env={"COLLECTION_OFFLINE_AFTER_SECONDS": "0.6"})
    yield running
    running.stop()


@pytest.fixture
def sign_in(server: RunningServer) -> SignIn:
    """Sign somebody in at a new seat of the shared server."""

    def make(login: str, **kwargs: object) -> Seat:
        return Seat(server.url, login, **kwargs)  # type: ignore[arg-type]

    return make
