"""Wrap-up: keys, fields, drafts, saving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from agent_desktop.domain.models import Outcome
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.wrap_up import WrapUpInvalid
from agent_desktop.ui.collector.wrap_up import WrapUpPanel
from agent_desktop.ui.problems import problem_text
from agent_desktop.ui.window import MainWindow
from tests.ui.desk import MemoryDesk

CTRL = Qt.KeyboardModifier.ControlModifier


def text(window: QWidget, name: str) -> str:
    label = window.findChild(QLabel, name)
    assert label is not None, name
    return label.text() if label.isVisible() else ""


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow]) -> MainWindow:
    window = open_window()
    qtbot.keyClick(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: text(window, "case.name") == "张建国")
    return window


@pytest.fixture
def form(window: MainWindow) -> WrapUpPanel:
    return window.page.wrap_up


def button(window: QWidget, name: str) -> QAbstractButton:
    found = window.findChild(QAbstractButton, name)
    assert found is not None, name
    return found


def test_two_key_presses_save_and_open_the_next_case(
    qtbot: QtBot, window: MainWindow, form: WrapUpPanel, memory: MemoryDesk
) -> None:
    window.page.case_view.contacts.table.setFocus()
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_6)
    assert button(window, "wrapUp.outcome.no_answer").isChecked()
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: text(window, "case.name") == "王秀兰")
    assert [(d.case_id, d.outcome) for d in memory.wrap_up.saved] == [("case-4", Outcome.NO_ANSWER)]
    assert form.draft().outcome is None
    assert form.case_id == "case-5"


def test_every_outcome_has_its_number(qtbot: QtBot, window: MainWindow, form: WrapUpPanel) -> None:
    for place, outcome in enumerate(Outcome, 1):
        window.page.case_view.contacts.table.setFocus()
        qtbot.keyClick(window.focusWidget(), Qt.Key(Qt.Key.Key_0 + place))
        assert form.draft().outcome is outcome


@pytest.mark.parametrize("name", ["wrapUp.text", "queue.search", "call.number"])
def test_number_keys_do_not_steal_typing(qtbot: QtBot, window: MainWindow, form: WrapUpPanel, name: str) -> None:
    field = window.findChild(QWidget, name)
    assert field is not None
    field.setFocus()
    qtbot.keyClicks(field, "13")
    held = field.toPlainText() if name == "wrapUp.text" else field.text()
    assert held == "13"
    assert form.draft().outcome is None


def test_save_and_next_works_from_inside_the_text(
    qtbot: QtBot, window: MainWindow, form: WrapUpPanel, memory: MemoryDesk
) -> None:
    form.choose(Outcome.WILLING)
    form.text.setFocus()
    qtbot.keyClicks(form.text, "will pay")
    qtbot.keyClick(form.text, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: len(memory.wrap_up.saved) == 1)
    assert memory.wrap_up.saved[0].text == "will pay"


def test_a_promise_needs_amount_and_date(
    qtbot: QtBot, window: MainWindow, form: WrapUpPanel, memory: MemoryDesk
) -> None:
    assert not form.amount.isVisible()
    form.choose(Outcome.PROMISE)
    assert form.amount.hasFocus()
    button(window, "wrapUp.save").click()
    qtbot.waitUntil(lambda: text(window, "wrapUp.error.amount") == "This is needed for a promise.")
    assert form.amount.property("invalid") == "true"
    qtbot.keyClicks(form.amount, "3,000")
    assert text(window, "wrapUp.error.amount") == ""
    button(window, "wrapUp.save").click()
    qtbot.waitUntil(lambda: text(window, "wrapUp.error.due") == "This is needed for a promise.")
    assert form.due.hasFocus()
    tomorrow = date.today() + timedelta(days=1)
    qtbot.keyClick(form.due, Qt.Key.Key_Up)
    assert form.due.value_date() == tomorrow
    form.due.setDate(QDate(2020, 5, 1))
    button(window, "wrapUp.save").click()
    qtbot.waitUntil(lambda: text(window, "wrapUp.error.due") == "This lies in the past.")
    form.due.set_date(tomorrow)
    button(window, "wrapUp.save").click()
    qtbot.waitUntil(lambda: len(memory.wrap_up.saved) == 1)
    saved = memory.wrap_up.saved[0]
    assert (saved.amount_text, saved.due, saved.case_id) == ("3,000", tomorrow, "case-4")
    assert text(window, "case.name") == "张建国"


def test_a_date_can_be_emptied_again(qtbot: QtBot, form: WrapUpPanel) -> None:
    assert form.draft().next_follow_up_at is None
    qtbot.keyClick(form.follow_up, Qt.Key.Key_Down)
    chosen = form.draft().next_follow_up_at
    assert chosen is not None
    assert (chosen.tzinfo is not None, chosen.hour) == (True, 10)
    qtbot.keyClick(form.follow_up, Qt.Key.Key_Delete)
    assert form.draft().next_follow_up_at is None
    assert form.follow_up.text() == "None"


def test_amount_and_date_go_only_with_a_promise(form: WrapUpPanel) -> None:
    form.choose(Outcome.PROMISE)
    form.amount.setText("500")
    form.due.set_date(date.today())
    form.choose(Outcome.REFUSED)
    draft = form.draft()
    assert (draft.amount_text, draft.due) == ("", None)


def test_a_draft_is_kept_by_itself_and_comes_back(
    qtbot: QtBot, window: MainWindow, form: WrapUpPanel, memory: MemoryDesk
) -> None:
    form.choose(Outcome.UNABLE)
    qtbot.keyClicks(form.text, "lost his job")
    assert text(window, "wrapUp.draft") == ""
    qtbot.waitUntil(lambda: text(window, "wrapUp.draft") == "Draft kept")
    assert memory.wrap_up.drafts["case-4"].text == "lost his job"
    qtbot.keyClick(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: form.case_id == "case-5")
    assert form.text.toPlainText() == ""
    window.page.flow.open("case-4")
    qtbot.waitUntil(lambda: form.text.toPlainText() == "lost his job")
    assert form.draft().outcome is Outcome.UNABLE


def test_leaving_at_once_keeps_the_draft_too(
    qtbot: QtBot, window: MainWindow, form: WrapUpPanel, memory: MemoryDesk
) -> None:
    qtbot.keyClicks(form.text, "x")
    assert "case-4" not in memory.wrap_up.drafts
    window.close()
    assert memory.wrap_up.drafts["case-4"].text == "x"


def test_an_error_is_said_and_nothing_is_lost(
    qtbot: QtBot, window: MainWindow, form: WrapUpPanel, memory: MemoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_draft: object) -> None:
        raise DeskError(Problem.DISK_FULL)

    monkeypatch.setattr(memory.wrap_up, "save", full)
    form.choose(Outcome.REFUSED)
    qtbot.keyClicks(form.text, "said no")
    button(window, "wrapUp.saveNext").click()
    qtbot.waitUntil(lambda: text(window, "wrapUp.error") == problem_text(Problem.DISK_FULL))
    assert form.text.toPlainText() == "said no"
    assert text(window, "case.name") == "张建国"
    assert button(window, "wrapUp.saveNext").isEnabled()


def test_saving_twice_in_a_hurry_saves_once(
    qtbot: QtBot, window: MainWindow, form: WrapUpPanel, memory: MemoryDesk
) -> None:
    form.choose(Outcome.NO_ANSWER)
    form.ask_save(go_on=False)
    form.ask_save(go_on=False)
    qtbot.waitUntil(lambda: button(window, "wrapUp.save").isEnabled())
    qtbot.wait(50)
    assert len(memory.wrap_up.saved) == 1


@pytest.mark.parametrize(
    "code", ["not_a_number", "not_positive", "more_than_owed", "in_the_past", "too_far", "too_long"]
)
@pytest.mark.parametrize("field", ["outcome", "amount", "due", "next_follow_up_at", "text"])
def test_each_wrong_field_has_a_line_of_its_own(qtbot: QtBot, field: str, code: str) -> None:
    form = WrapUpPanel()
    qtbot.addWidget(form)
    form.bind("case", None)
    form.show_error(WrapUpInvalid(field, code))
    lines = [w for w in form.findChildren(QLabel) if w.objectName().startswith("wrapUp.error") and w.text()]
    assert [w.objectName() for w in lines] == [f"wrapUp.error.{field}"]
    assert lines[0].text().endswith(".")
    form.show_error(None)
    assert lines[0].text() == ""
