"""A window over the real services and a scripted line, and what a person sees and presses there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.window import MainWindow, WindowHooks
from telephony import messages
from tests.ui.phone_desk import PhoneDesk

W = TypeVar("W", bound=QWidget)
Key, Modifier = Qt.Key, Qt.KeyboardModifier


class Seat:
    """The desk, its window, and short words for looking and pressing."""

    def __init__(self, qtbot: QtBot, desk: PhoneDesk, hooks: WindowHooks | None = None) -> None:
        self.qtbot = qtbot
        self.desk = desk
        self.line = desk.line
        self.window = MainWindow(desk.desk, preferences=Preferences(), hooks=hooks)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.until(lambda: self.window.page.queue.model.rowCount() == 3)
        self.numbers = [contact.number for contact in desk.contacts]

    def until(self, look: Callable[[], object], timeout: int = 10_000) -> None:
        self.qtbot.waitUntil(lambda: bool(look()), timeout=timeout)

    def find(self, name: str, kind: type[W] = QWidget) -> W:  # type: ignore[assignment]
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def sees(self, name: str) -> bool:
        return self.find(name).isVisible()

    def text(self, name: str) -> str:
        """What a label, button or mark says; empty while it is hidden."""
        widget = self.find(name)
        if not widget.isVisible():
            return ""
        if isinstance(widget, QLabel | QAbstractButton):
            return widget.text()
        return widget.accessibleName()

    def shows(self, name: str, said: str) -> None:
        self.until(lambda: self.text(name) == said)

    def click(self, name: str) -> None:
        self.until(lambda: self.find(name).isVisible() and self.find(name).isEnabled())
        self.qtbot.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def press(self, key: Key, modifier: Modifier = Modifier.NoModifier, on: str = "") -> None:
        self.qtbot.keyClick(self.find(on) if on else self.window, key, modifier)

    def type(self, name: str, text: str) -> None:
        self.find(name).setFocus()
        self.qtbot.keyClicks(self.find(name), text)

    def sent(self, kind: type[messages.Command], count: int = 1) -> messages.Command:
        """The last command of a kind, once there are ``count``."""
        self.until(lambda: len(self.line.sent(kind)) >= count)
        commands = self.line.sent(kind)
        assert len(commands) == count, commands
        return commands[-1]  # type: ignore[no-any-return]

    def open_case(self) -> str:
        """Open the first case of the queue; returns its debtor's number."""
        self.press(Key.Key_F6)
        self.until(lambda: self.sees("case.name"))
        name = self.text("case.name")
        return next(c.number for c in self.desk.contacts if c.name == name)

    def talk(self) -> tuple[str, str]:
        """Open the first case and talk with its debtor; returns the call's id and the number."""
        number = self.open_case()
        self.press(Key.Key_F2)
        call_id = self.sent(messages.Dial).call_id  # type: ignore[attr-defined]
        self.desk.state(call_id, "active", number, talk_s=207)
        self.until(lambda: self.find("call.mute").isEnabled())
        return call_id, number


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[PhoneDesk]:
    desk = PhoneDesk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def open_seat(qtbot: QtBot, phone: PhoneDesk) -> Iterator[Callable[..., Seat]]:
    seats: list[Seat] = []

    def make(hooks: WindowHooks | None = None) -> Seat:
        seats.append(Seat(qtbot, phone, hooks))
        return seats[-1]

    yield make
    for seat in seats:
        seat.window._may_leave = True
        seat.window.close()
        seat.window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def seat(open_seat: Callable[..., Seat]) -> Seat:
    return open_seat()
