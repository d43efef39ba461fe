"""Clicks, types and waits: a person's hands and eyes on one window."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QItemSelectionModel, QPoint, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

T = TypeVar("T")
W = TypeVar("W", bound=QWidget)

POLL_MS = 5


class NotSeenError(Exception):
    """Something that a person would have seen by now did not appear."""


class Robot:
    """Works one window by the object names of its controls. Qt main thread only."""

    def __init__(self, window: QWidget) -> None:
        self.window = window

    def find(self, name: str, kind: type[W]) -> W:
        """The visible control called ``name``. Raises ``NotSeenError``."""
        for widget in self.window.findChildren(kind, name):
            if widget.isVisible():
                return widget
        raise NotSeenError(f"no visible {kind.__name__} “{name}”")

    def await_control(self, name: str, kind: type[W], timeout: float = 5.0) -> W:
        """Wait until the control is there, visible and enabled."""

        def ready() -> W | None:
            try:
                widget = self.find(name, kind)
            except NotSeenError:
                return None
            return widget if widget.isEnabled() else None

        return wait_for(ready, f"“{name}” usable", timeout)

    def click(self, name: str, timeout: float = 5.0) -> None:
        """Press the left button in the middle of a control."""
        QTest.mouseClick(self.await_control(name, QWidget, timeout), Qt.MouseButton.LeftButton)

    def type(self, name: str, text: str) -> None:
        """Put the focus on a field, replace what it holds; Chinese as an input method would commit it."""
        field = self.await_control(name, QWidget)
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        if text.isascii():
            QTest.keyClicks(field, text)
        else:
            typed = QInputMethodEvent()
            typed.setCommitString(text)
            QApplication.sendEvent(field, typed)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key in whatever has the focus."""
        self.window.raise_()
        self.window.activateWindow()
        wait_for(self.window.isActiveWindow, "the window in front")
        QTest.keyClick(self.window.focusWidget() or self.window, key, modifier)

    def press_in(self, name: str, key: Qt.Key) -> None:
        """Put the focus on a control and press a key there."""
        control = self.await_control(name, QWidget)
        control.setFocus()
        QTest.keyClick(control, key)

    def click_row(self, name: str, row: int, column: int = 0) -> None:
        """Click a cell of a list or table."""
        view = self.await_control(name, QAbstractItemView)
        index = view.model().index(row, column)
        view.scrollTo(index)
        centre: QPoint = view.visualRect(index).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, centre)
        selection = view.selectionModel()
        if not selection.isRowSelected(row, index.parent()):
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.SelectCurrent)

    def screenshot(self, path: Path) -> None:
        """Save what the window shows as PNG."""
        let_run(50)
        if not self.window.grab().save(str(path), "PNG"):
            raise NotSeenError(f"cannot write {path.name}")


def wait_for(look: Callable[[], T | None], what: str, timeout: float = 5.0) -> T:
    """Let Qt run until ``look`` finds something true. Raises ``NotSeenError`` naming ``what``."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise NotSeenError(f"not seen within {timeout:g} s: {what}")
        let_run(POLL_MS)


def let_run(ms: int) -> None:
    """Let Qt work for so long. ``QTest.qWait`` would keep Python's other threads from running meanwhile."""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()
