"""What the collector sees when a call or the server fails: one clear sentence, nothing lost. Real window, real line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QLabel, QLineEdit

from agent_desktop.ui.collector.case_view import CaseView
from agent_desktop.ui.demo.robot import NotSeenError, Robot, wait_for
from tests.support.desk_window import DeskWindow
from tests.support.server import DEMO_PASSWORD, start_server


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskWindow]:
    desk = DeskWindow(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


@pytest.fixture()
def robot(desk: DeskWindow) -> Robot:
    robot = Robot(desk.window)
    queue = robot.await_control("queue.list", QAbstractItemView, 20)
    wait_for(lambda: queue.model().rowCount() == 100, "the queue", 20)
    wait_for(lambda: desk.desk.calls.current is None, "no call up", 10)
    return robot


def _label(robot: Robot, name: str) -> str:
    try:
        return robot.find(name, QLabel).text()
    except NotSeenError:
        return ""


def _dial(robot: Robot, number: str) -> None:
    robot.type("call.number", number)
    robot.press_in("call.number", Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("13900000404", "空号"),
        ("13900000486", "忙"),
        ("13900000603", "拒"),
        ("13900000480", "无法接通"),
    ],
)
def test_why_a_call_failed_is_said_in_the_call_panel(
    desk: DeskWindow, robot: Robot, number: str, sentence: str
) -> None:
    _dial(robot, number)
    wait_for(lambda: sentence in _label(robot, "call.state"), f"“{sentence}” in the call panel", 10)
    wait_for(lambda: desk.desk.status.now.outbox == 0, "the record at the server", 10)
    assert desk.desk.status.now.refused == 0


def test_a_call_nobody_answers_can_be_given_up(desk: DeskWindow, robot: Robot) -> None:
    _dial(robot, "13900000408")
    wait_for(lambda: "振铃" in _label(robot, "call.state"), "ringing", 10)
    robot.press(Qt.Key.Key_F4)
    wait_for(lambda: desk.desk.calls.current is None, "the call given up", 10)
    assert _label(robot, "call.state")


def test_a_number_that_is_none_is_said(robot: Robot) -> None:
    _dial(robot, "hello")
    wait_for(lambda: "号码" in _label(robot, "call.problem"), "the sentence")
    robot.find("call.number", QLineEdit).clear()


def test_the_server_away_loses_nothing(desk: DeskWindow, robot: Robot) -> None:
    before = robot.find("case", CaseView).case_id
    robot.click_row("queue.list", 4)
    case_id = wait_for(lambda: (now := robot.find("case", CaseView).case_id) != before and now, "another case open")
    port, data_dir = desk.server.port, desk.server.data_dir
    desk.server.stop()
    robot.click("wrapUp.outcome.willing")
    robot.type("wrapUp.text", "服务器断开时写的催记")
    robot.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    status = desk.desk.status
    wait_for(lambda: not status.now.online and status.now.outbox == 1, "offline with one note waiting", 30)
    wait_for(lambda: "离线" in _any_text(robot), "the indicator says so", 5)
    assert any(entry.note and "断开" in entry.note.text for entry in desk.desk.cases.detail(case_id).timeline)

    desk.server = start_server(data_dir.parent, data_dir=data_dir, port=port)
    wait_for(lambda: status.now.online and status.now.outbox == 0, "back in step", 60)
    assert status.now.refused == 0


def _any_text(robot: Robot) -> str:
    return " ".join(found.text() for found in robot.window.findChildren(QLabel) if found.isVisible())


def test_sign_in_says_what_is_wrong(tmp_path: Path, desk: DeskWindow) -> None:
    from agent_desktop.seat import sign_in_work
    from agent_desktop.services.sign_in import SeatSettings, SignIn, ThrowAwayKeys
    from agent_desktop.ui.preferences import Preferences
    from agent_desktop.ui.shell import Shell

    def shell_for(url: str) -> Shell:
        work = sign_in_work(SignIn(SeatSettings(url, tmp_path / "seat"), ThrowAwayKeys()))
        shell = Shell(work, server=url, preferences=Preferences(None))
        shell.show()
        return shell

    for url, password, sentence in (
        (desk.server.url, "wrong password 1", "密码不正确"),
        ("http://127.0.0.1:9", DEMO_PASSWORD, "服务器"),
    ):
        shell = shell_for(url)
        person = Robot(shell.window)
        person.type("signIn.login", "liting")
        person.type("signIn.password", password)
        person.click("signIn.submit")
        wait_for(lambda p=person, s=sentence: s in _label(p, "signIn.error"), sentence, 20)  # type: ignore[misc]
        assert shell.desk is None
        shell.window.close()
