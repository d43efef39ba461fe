"""Cycles with Qt objects in them are destroyed on the main thread, whichever thread allocates."""

from __future__ import annotations

import gc
import threading

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from agent_desktop.ui.garbage import MainThreadCollector


class Knot(QObject):
    """A Qt object that only the collector can find."""

    def __init__(self, ends: list[int]) -> None:
        super().__init__()
        self.itself = self
        self.ends = ends

    def __del__(self) -> None:
        self.ends.append(threading.get_ident())


def test_cycles_are_collected_on_the_main_thread_alone(qapp: QApplication, qtbot: QtBot) -> None:
    collector = MainThreadCollector(qapp)
    ends: list[int] = []
    for _ in range(50):
        Knot(ends)

    kept: list[list[int]] = []

    def allocate() -> None:
        kept.extend([number] for number in range(200_000))

    other = threading.Thread(target=allocate)
    other.start()
    other.join()
    assert ends == []
    assert not gc.isenabled()
    qtbot.waitUntil(lambda: len(ends) == 50, timeout=5000)
    assert set(ends) == {threading.get_ident()}
    collector.deleteLater()
