"""Widget tests: offscreen, in English and light unless said, and no tolerance for what Qt warns of."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from agent_desktop.ui.language import apply_language
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.theme import apply_theme
from agent_desktop.ui.window import MainWindow, WindowHooks
from tests.support.qt import collected_on_the_main_thread as collected_on_the_main_thread
from tests.support.qt import no_qt_warnings as no_qt_warnings
from tests.ui.desk import MemoryDesk


@pytest.fixture(autouse=True)
def plain_look(qapp: QApplication) -> Iterator[None]:
    """Each test starts in English and light, whatever the one before has chosen."""
    apply_language(qapp, "en")
    apply_theme(qapp, "light")
    yield
    apply_language(qapp, "en")
    apply_theme(qapp, "light")


@pytest.fixture
def memory() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
def open_window(qtbot: QtBot, memory: MemoryDesk) -> Iterator[Callable[..., MainWindow]]:
    """Makes the main window over the memory desk; the queue has been read when it returns."""
    windows: list[QWidget] = []

    def make(hooks: WindowHooks | None = None, width: int = 1440, height: int = 900) -> MainWindow:
        window = MainWindow(memory.desk, preferences=Preferences(), hooks=hooks)
        windows.append(window)
        window.resize(width, height)
        window.show()
        qtbot.waitExposed(window)
        qtbot.waitUntil(lambda: window.page.queue.model.rowCount() > 0)
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
