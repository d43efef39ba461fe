"""No tolerance for what Qt warns of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from agent_desktop.ui.garbage import MainThreadCollector

_EXPECTED = "This plugin does not support"
"""What the offscreen platform says of itself."""


@pytest.fixture(autouse=True)
def no_qt_warnings() -> Iterator[None]:
    """Fail a test in which Qt warned of something."""
    said: list[str] = []

    def listen(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not text.startswith(_EXPECTED):
            said.append(text)

    before = qInstallMessageHandler(listen)
    yield
    qInstallMessageHandler(before)
    assert not said, said


@pytest.fixture(autouse=True, scope="session")
def collected_on_the_main_thread(qapp: QApplication) -> None:
    """As in the product: a window that a test has left behind is not destroyed by another thread."""
    MainThreadCollector(qapp)
