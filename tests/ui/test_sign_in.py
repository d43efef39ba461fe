"""The sign-in window: what it asks, what it says, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.problems import problem_text
from agent_desktop.ui.sign_in import PassphraseNeeded, SignInWindow


def _find(window: QWidget, kind: type, name: str) -> QWidget:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def _text(window: QWidget, name: str) -> str:
    found = _find(window, QLabel, name)
    return found.text() if found.isVisible() else ""


@pytest.fixture
def show(qtbot: QtBot) -> Callable[..., SignInWindow]:
    def make(work: Callable[[str, str, str], object], login: str = "") -> SignInWindow:
        window = SignInWindow(work, server="https://collect.example", preferences=Preferences(), login=login)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    return make


def _type(qtbot: QtBot, window: QWidget, name: str, text: str) -> None:
    field = _find(window, QLineEdit, name)
    field.clear()
    qtbot.keyClicks(field, text)


def test_signs_in_and_forgets_the_password(qtbot: QtBot, show: Callable[..., SignInWindow]) -> None:
    desk, seen = object(), []

    def work(login: str, password: str, passphrase: str) -> object:
        seen.append((login, password, passphrase, threading.current_thread() is threading.main_thread()))
        return desk

    window = show(work)
    _type(qtbot, window, "signIn.login", " liting ")
    _type(qtbot, window, "signIn.password", "correct horse")
    with qtbot.waitSignal(window.signed_in) as signal:
        qtbot.keyClick(_find(window, QLineEdit, "signIn.password"), Qt.Key.Key_Return)
        assert not _find(window, QPushButton, "signIn.submit").isEnabled()
    assert signal.args == [desk]
    assert seen == [("liting", "correct horse", "", False)]
    assert _find(window, QLineEdit, "signIn.password").text() == ""


@pytest.mark.parametrize("problem", [Problem.WRONG_PASSWORD, Problem.SERVER_AWAY, Problem.SERVER_UNTRUSTED])
def test_says_what_is_wrong_where_one_looks(qtbot: QtBot, show: Callable[..., SignInWindow], problem: Problem) -> None:
    def work(*_: str) -> object:
        raise DeskError(problem, "detail for the log")

    window = show(work, "liting")
    _type(qtbot, window, "signIn.password", "wrong")
    qtbot.mouseClick(_find(window, QPushButton, "signIn.submit"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _text(window, "signIn.error") == problem_text(problem))
    password = _find(window, QLineEdit, "signIn.password")
    assert password.hasFocus()
    assert password.selectedText() != ""
    assert password.echoMode() is QLineEdit.EchoMode.Password
    qtbot.mouseClick(_find(window, QPushButton, "signIn.language"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not _text(window, "signIn.error").isascii())
    qtbot.keyClicks(password, "x")
    assert _text(window, "signIn.error") == ""


def test_asks_for_what_is_missing_without_the_server(qtbot: QtBot, show: Callable[..., SignInWindow]) -> None:
    window = show(lambda *_: pytest.fail("asked the server"))
    submit = _find(window, QPushButton, "signIn.submit")
    qtbot.mouseClick(submit, Qt.MouseButton.LeftButton)
    assert _text(window, "signIn.error") == "Enter your login."
    _type(qtbot, window, "signIn.login", "liting")
    qtbot.mouseClick(submit, Qt.MouseButton.LeftButton)
    assert _text(window, "signIn.error") == "Enter your password."


def test_without_a_keyring_a_new_passphrase_is_asked_twice(qtbot: QtBot, show: Callable[..., SignInWindow]) -> None:
    def work(_login: str, _password: str, passphrase: str) -> object:
        if not passphrase:
            raise PassphraseNeeded(new=True)
        return passphrase

    window = show(work, "liting")
    _type(qtbot, window, "signIn.password", "pw")
    qtbot.mouseClick(_find(window, QPushButton, "signIn.submit"), Qt.MouseButton.LeftButton)
    unlock = _find(window, QPushButton, "signIn.unlock")
    qtbot.waitUntil(unlock.isVisible)
    _type(qtbot, window, "signIn.passphrase", "short")
    qtbot.mouseClick(unlock, Qt.MouseButton.LeftButton)
    assert _text(window, "signIn.passphraseError") == "Use at least 12 characters."
    _type(qtbot, window, "signIn.passphrase", "a long passphrase")
    _type(qtbot, window, "signIn.passphraseAgain", "a long passphrasE")
    qtbot.mouseClick(unlock, Qt.MouseButton.LeftButton)
    assert _text(window, "signIn.passphraseError") == "The two are not the same."
    _type(qtbot, window, "signIn.passphraseAgain", "a long passphrase")
    with qtbot.waitSignal(window.signed_in) as signal:
        qtbot.mouseClick(unlock, Qt.MouseButton.LeftButton)
    assert signal.args == ["a long passphrase"]


def test_a_wrong_passphrase_stays_on_its_page_and_a_wrong_password_goes_back(
    qtbot: QtBot, show: Callable[..., SignInWindow]
) -> None:
    answers = iter([PassphraseNeeded(new=False), DeskError(Problem.STORE_LOCKED), DeskError(Problem.WRONG_PASSWORD)])

    def work(*_: str) -> object:
        raise next(answers)

    window = show(work, "liting")
    _type(qtbot, window, "signIn.password", "pw")
    qtbot.mouseClick(_find(window, QPushButton, "signIn.submit"), Qt.MouseButton.LeftButton)
    unlock = _find(window, QPushButton, "signIn.unlock")
    qtbot.waitUntil(unlock.isVisible)
    assert not _find(window, QLineEdit, "signIn.passphraseAgain").isVisible()
    _type(qtbot, window, "signIn.passphrase", "guess")
    qtbot.mouseClick(unlock, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _text(window, "signIn.passphraseError") == problem_text(Problem.STORE_LOCKED))
    qtbot.mouseClick(unlock, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _text(window, "signIn.error") == problem_text(Problem.WRONG_PASSWORD))


def test_nothing_heavy_is_loaded_before_the_window_shows() -> None:
    code = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication\n"
        "from agent_desktop.ui.preferences import Preferences\n"
        "from agent_desktop.ui.sign_in import SignInWindow\n"
        "app = QApplication([])\n"
        "preferences = Preferences(); preferences.apply(app)\n"
        "window = SignInWindow(lambda *a: None, server='x', preferences=preferences)\n"
        "window.show(); app.processEvents()\n"
        "heavy = 'sqlalchemy requests numpy pyqtgraph phonenumbers sounddevice soundfile websockets nacl keyring'\n"
        "print([name for name in heavy.split() if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
