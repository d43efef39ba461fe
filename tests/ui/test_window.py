"""The main window's frame: what is above the work, where the focus begins, and signing in again at a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import requests
from PySide6.QtCore import QDate, QSize, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from agent_desktop.domain.models import Role
from agent_desktop.services.desk import Desk
from agent_desktop.services.sign_in import SeatSettings, SignIn, ThrowAwayKeys
from agent_desktop.services.status import StatusService
from agent_desktop.ui.language import apply_language
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.widgets.hint_card import HintCard
from agent_desktop.ui.widgets.optional_date import OptionalDateEdit
from agent_desktop.ui.window import LEAST, SIZE, MainWindow, WindowHooks, open_fitting
from tests.support.server import DEMO_PASSWORD, RunningServer, start_server
from tests.ui.desk import MemoryDesk
from tests.ui.qa_lead_desk import make_desk

Open = Callable[..., MainWindow]
W = TypeVar("W", bound=QWidget)


def find(window: QWidget, kind: type[W], name: str) -> W:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def desk_of(role: Role, team: str = "一组") -> Desk:
    desk = make_desk(role)
    return replace(desk, user=replace(desk.user, team=team), status=StatusService())


def show(qtbot: QtBot, desk: Desk) -> MainWindow:
    window = MainWindow(desk, preferences=Preferences())
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


@pytest.mark.parametrize("role", [Role.QA, Role.LEAD])
def test_the_work_begins_right_below_the_top_bar(qtbot: QtBot, role: Role) -> None:
    window = show(qtbot, desk_of(role))
    assert window.page.geometry().top() == window.top.geometry().bottom() + 1
    assert not window.top.isAncestorOf(window.focusWidget())


def test_the_collectors_work_begins_there_too_and_has_the_focus(open_window: Open) -> None:
    window = open_window()
    assert window.page.geometry().top() == window.top.geometry().bottom() + 1
    focus = window.focusWidget()
    assert focus is not None
    assert not window.top.isAncestorOf(focus)
    assert not isinstance(focus, QLineEdit)  # where 1 to 8 would be text


def test_a_seat_without_a_line_has_no_line_indicator(qtbot: QtBot) -> None:
    desk = desk_of(Role.QA)
    window = show(qtbot, desk)
    assert find(window, QWidget, "top.line").isVisible()
    desk.status.on_lines(())
    qtbot.waitUntil(lambda: not find(window, QWidget, "top.line").isVisible())


@pytest.mark.parametrize(
    ("language", "team", "said"),
    [("zh_CN", "质检", "陈宇 · 质检 ▾"), ("zh_CN", "一组", "陈宇 · 一组 质检 ▾"), ("en", "", "陈宇 · QA ▾")],
)
def test_team_and_role_are_said_once(qtbot: QtBot, qapp: QApplication, language: str, team: str, said: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    window = show(qtbot, desk_of(Role.QA, team))
    assert find(window, QToolButton, "top.user").text() == said


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_demos_hint_takes_one_line(qapp: QApplication, open_window: Open, language: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    window = open_window(WindowHooks(demo=True))
    text = find(window, QLabel, "hint.text")
    assert find(window, HintCard, "hint").isVisible()
    assert text.height() < 2 * text.fontMetrics().height()


def test_weekdays_follow_the_language(qapp: QApplication) -> None:
    apply_language(qapp, "zh_CN")
    field = OptionalDateEdit("due", with_time=False)
    field.set_words("无", "承诺日期")
    field.setDate(QDate(2026, 11, 24))
    assert field.text() == "11-24 周二"
    apply_language(qapp, "en")
    field.set_words("None", "Promised date")
    assert field.text() == "11-24 Tue"


class _Screen:
    def __init__(self, width: int, height: int) -> None:
        self._size = QSize(width, height)

    def availableSize(self) -> QSize:
        return self._size


@pytest.mark.parametrize(
    ("width", "height", "maximised"),
    [(1920, 1080, False), (1440, 900, True), (1366, 728, True), (1024, 768, False)],
)
def test_a_window_that_does_not_fit_is_maximised(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, width: int, height: int, maximised: bool
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setMinimumSize(LEAST)
    window.resize(SIZE)
    monkeypatch.setattr(window, "screen", lambda: _Screen(width, height))
    open_fitting(window)
    assert window.isMaximized() == maximised


# --- signed out, against a real server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = start_server(tmp_path_factory.mktemp("window"))
    yield running
    running.stop()


@pytest.fixture
def real_desk(server: RunningServer, tmp_path: Path) -> Iterator[Desk]:
    desk = SignIn(SeatSettings(server.url, tmp_path / "seat"), ThrowAwayKeys()).sign_in("chenyu", DEMO_PASSWORD)
    yield desk
    desk.close()


def test_signing_in_again_where_the_server_has_dropped_the_session(
    qtbot: QtBot, server: RunningServer, real_desk: Desk
) -> None:
    window = show(qtbot, real_desk)
    bar = find(window, QWidget, "window.signedOut")
    qtbot.waitUntil(lambda: real_desk.status.now.online, timeout=10_000)
    assert not bar.isVisible()
    token = real_desk.recordings._desk.api.token()
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.delete(f"{server.url}/v1/session", headers=headers, timeout=5).status_code == 204
    qtbot.waitUntil(bar.isVisible, timeout=10_000)
    password, button = find(window, QLineEdit, "window.password"), find(window, QPushButton, "window.signInAgain")
    said = find(window, QLabel, "window.signedOut.text")
    qtbot.keyClicks(password, "not the password")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: said.text() == "Login or password is wrong.", timeout=10_000)
    assert password.selectedText() == password.text()
    qtbot.keyClicks(password, DEMO_PASSWORD)
    qtbot.keyClick(password, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=10_000)
    assert password.text() == ""
    assert real_desk.recordings._desk.api.token() not in ("", token)
    qtbot.waitUntil(lambda: real_desk.status.now.online and not real_desk.status.now.signed_out, timeout=10_000)


def test_an_empty_password_is_not_sent(qtbot: QtBot, open_window: Open, memory: MemoryDesk) -> None:
    asked: list[str] = []
    memory.sign_in_again = asked.append  # type: ignore[method-assign]
    window = open_window()
    memory.status.show(replace(memory.status.now, signed_out=True))
    qtbot.waitUntil(find(window, QWidget, "window.signedOut").isVisible)
    qtbot.mouseClick(find(window, QPushButton, "window.signInAgain"), Qt.MouseButton.LeftButton)
    qtbot.wait(30)
    assert asked == []
    assert find(window, QLineEdit, "window.password").hasFocus()
