"""What every test shares: an offscreen screen, private folders, and no tolerance for logged errors."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.fonts.warning=false")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def no_logged_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs an error it did not announce with ``@pytest.mark.logs_errors``."""
    handler = _Errors()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    if handler.records and not request.node.get_closest_marker("logs_errors"):
        pytest.fail("logged: " + "; ".join(r.getMessage() for r in handler.records), pytrace=False)


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder of the test's own for line sockets; short, since the path of a Unix socket has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="seat") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder
