"""The collector's day at the screen: queue, case, call, screen pop."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QListView, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from agent_desktop.domain.models import ContactState, Outcome
from agent_desktop.services.calls import LevelsView
from agent_desktop.services.errors import Problem
from agent_desktop.services.status import StatusView
from agent_desktop.ui.collector.contacts_model import Column
from agent_desktop.ui.problems import problem_text
from agent_desktop.ui.window import MainWindow
from telephony.messages import AudioState
from tests.ui.desk import MemoryDesk, inbound

Open = Callable[..., MainWindow]


def find(window: QWidget, kind: type, name: str) -> QWidget:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def text(window: QWidget, name: str) -> str:
    label = find(window, QLabel, name)
    return label.text() if label.isVisible() else ""


def click(qtbot: QtBot, window: QWidget, name: str) -> None:
    button = find(window, QAbstractButton, name)
    assert button.isVisible(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def press(qtbot: QtBot, window: QWidget, key: Qt.Key) -> None:
    qtbot.keyClick(window, key)


@pytest.fixture
def window(open_window: Open) -> MainWindow:
    return open_window()


@pytest.fixture
def at_first_case(qtbot: QtBot, window: MainWindow) -> MainWindow:
    press(qtbot, window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: text(window, "case.name") == "张建国")
    return window


def active(memory: MemoryDesk, **fields: object) -> None:
    view = memory.calls.current
    assert view is not None
    answered = datetime.now(UTC) - timedelta(seconds=207)
    memory.calls.show(replace(view, state="active", answered_at=answered, codec="G722/8000", **fields))


def test_services_are_never_called_on_the_main_thread(at_first_case: MainWindow, memory: MemoryDesk) -> None:
    assert memory.cases.asked_on
    assert threading.main_thread().name not in memory.cases.asked_on


def test_queue_filters_and_searches(qtbot: QtBot, window: MainWindow) -> None:
    model = window.page.queue.model
    assert find(window, QPushButton, "queue.filter.today").text() == "Today 8"
    click(qtbot, window, "queue.filter.call_back")
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    click(qtbot, window, "queue.filter.today")
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    search = find(window, QLineEdit, "queue.search")
    assert search.hasFocus()
    qtbot.keyClicks(search, "1189")
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    qtbot.keyClick(search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: text(window, "case.name") == "王秀兰")
    qtbot.keyClicks(search, "zzz")
    qtbot.waitUntil(lambda: text(window, "queue.notice") == "No case found")
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: model.rowCount() == 8)


def test_next_case_goes_down_the_list_and_round(qtbot: QtBot, at_first_case: MainWindow) -> None:
    queue = find(at_first_case, QListView, "queue.list")
    press(qtbot, at_first_case, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: text(at_first_case, "case.name") == "王秀兰")
    assert queue.currentIndex().row() == 1
    queue.setFocus()
    qtbot.keyClick(queue, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: text(at_first_case, "case.name") == "吴晓东")
    press(qtbot, at_first_case, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: text(at_first_case, "case.name") == "张建国")


def test_the_case_shows_facts_and_no_number_in_full(at_first_case: MainWindow, memory: MemoryDesk) -> None:
    window = at_first_case
    assert text(window, "case.total") == "¥18,462.37"
    assert text(window, "case.promise") == "¥3,000 · today"
    assert text(window, "case.dueBack") == "back in 22 days"
    numbers = {row.contact.number.removeprefix("+86") for row in memory.cases.details["case-4"].contacts}
    shown = [w.text() for w in window.findChildren(QLabel)]
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
    for view in (QTableView, QListView):
        for model in (each.model() for each in window.findChildren(view)):
            columns = len(Column) if view is QTableView else 1
            cells = [model.index(row, column) for row in range(model.rowCount()) for column in range(columns)]
            shown += [str(cell.data(role)) for cell in cells for role in roles]
    assert any("138****6021" in s for s in shown)
    assert not [s for s in shown if any(number in s for number in numbers)]


def test_a_case_that_has_gone_says_so_and_can_be_tried_again(
    qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk
) -> None:
    detail = memory.cases.details.pop("case-5")
    press(qtbot, at_first_case, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: text(at_first_case, "case.notice") == problem_text(Problem.NOT_FOUND))
    assert not at_first_case.page.wrap_up.isEnabled()
    memory.cases.details["case-5"] = detail
    click(qtbot, at_first_case, "case.retry")
    qtbot.waitUntil(lambda: text(at_first_case, "case.name") == "王秀兰")
    assert at_first_case.page.wrap_up.isEnabled()


def test_contacts_are_marked_one_or_many(qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk) -> None:
    contacts = at_first_case.page.case_view.contacts
    contacts.table.selectAll()
    contacts._menu(QPoint(5, 5))
    action = contacts.findChild(QAction, "contacts.mark.invalid")
    assert action is not None
    action.trigger()
    rows = lambda: {r.contact.state for r in memory.cases.details["case-4"].contacts}  # noqa: E731
    qtbot.waitUntil(lambda: rows() == {ContactState.INVALID})
    qtbot.waitUntil(lambda: contacts.model.index(0, Column.STATE).data() == "Invalid")


def test_click_to_dial_and_the_call_to_its_end(qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk) -> None:
    window, contacts = at_first_case, at_first_case.page.case_view.contacts
    rect = contacts.table.visualRect(contacts.model.index(0, Column.ACTION))
    at = QPoint(rect.left() + 20, rect.center().y())
    qtbot.mouseClick(contacts.table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: text(window, "call.title") == "张建国 Debtor")
    assert text(window, "call.state") == "Dialling…"
    assert not find(window, QPushButton, "call.mute").isEnabled()
    active(memory, recording_state="recording", sealed_ms=207_000)
    qtbot.waitUntil(lambda: text(window, "call.timer") == "03:27")
    assert text(window, "call.recording") == "Recording · two channels · sealed to 03:27"
    assert text(window, "call.quality") == "G.722"
    memory.calls.levels.emit(LevelsView(memory.calls.current.id, -30.0, -6.0))
    qtbot.waitUntil(lambda: window.page.call_panel.sound.far_meter.ratio > 0.85)
    assert 0.45 < window.page.call_panel.sound.agent_meter.ratio < 0.55
    press(qtbot, window, Qt.Key.Key_F9)
    qtbot.waitUntil(lambda: find(window, QPushButton, "call.mute").isChecked())
    press(qtbot, window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: text(window, "call.state") == "You put it on hold · Muted")
    assert "On a call" in find(window, QWidget, "top.state").text()
    press(qtbot, window, Qt.Key.Key_F4)
    qtbot.waitUntil(lambda: text(window, "call.state") == "Ended: hung up")
    assert text(window, "call.recording") == "Recording sealed · 03:27"
    assert find(window, QLineEdit, "call.number").isVisible()
    qtbot.waitUntil(lambda: memory.status.states == ["wrap_up"])


def test_keys_dial_and_what_cannot_be_dialled_is_not(
    qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk
) -> None:
    window, table = at_first_case, at_first_case.page.case_view.contacts.table
    table.selectRow(3)
    press(qtbot, window, Qt.Key.Key_F2)
    qtbot.wait(50)
    assert memory.calls.current is None
    table.selectRow(2)
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: memory.calls.current is not None)
    assert memory.calls.current.contact.name == "林慧"


def test_a_typed_number_and_its_errors(qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk) -> None:
    window, field = at_first_case, find(at_first_case, QLineEdit, "call.number")
    qtbot.keyClicks(field, "abc")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: text(window, "call.problem") == problem_text(Problem.BAD_NUMBER))
    field.clear()
    qtbot.keyClicks(field, "13700001234")
    assert text(window, "call.problem") == ""
    memory.calls.problem = Problem.LINE_AWAY
    click(qtbot, window, "call.dial")
    qtbot.waitUntil(lambda: text(window, "call.problem") == problem_text(Problem.LINE_AWAY))
    click(qtbot, window, "call.dial")
    qtbot.waitUntil(lambda: text(window, "call.title") == "Unknown number")
    assert memory.calls.current.case_id == "case-4"
    assert field.text() == ""


def test_tones_are_sent_as_typed_and_clicked(qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk) -> None:
    press(qtbot, at_first_case, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: memory.calls.current is not None)
    active(memory)
    qtbot.waitUntil(find(at_first_case, QPushButton, "call.keypad").isEnabled)
    click(qtbot, at_first_case, "call.keypad")
    field = find(at_first_case, QLineEdit, "call.dtmf")
    assert field.hasFocus()
    qtbot.keyClicks(field, "1x2#")
    click(qtbot, at_first_case, "call.dtmf.9")
    qtbot.waitUntil(lambda: memory.calls.digits == "12#9")
    assert field.text() == "12#9"
    assert at_first_case.page.wrap_up.draft().outcome is None


def test_recording_problems_are_said_at_once(qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk) -> None:
    press(qtbot, at_first_case, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: memory.calls.current is not None)
    active(memory, recording_state="recording", recording_problem="far_silent")
    qtbot.waitUntil(lambda: text(at_first_case, "call.problem") == "Nothing is heard from the other side.")
    memory.calls.show(replace(memory.calls.current, recording_state="failed", recording_problem="disk_full"))
    qtbot.waitUntil(lambda: text(at_first_case, "call.recording") == "This call is not being recorded")
    assert find(at_first_case, QAbstractButton, "top.recording").text() == "Not recorded"


def test_inbound_pops_its_case_and_says_when_it_is_painted(
    qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk
) -> None:
    window, began = at_first_case, time.monotonic_ns()
    call = inbound(memory, 1)
    with qtbot.waitSignal(window.page.case_view.painted, timeout=3000) as painted:
        memory.calls.show(call)
    assert painted.args[0] == call.id
    assert began < painted.args[1] < time.monotonic_ns()
    assert text(window, "case.name") == "王秀兰"
    assert text(window, "call.state") == "Incoming call"
    assert find(window, QPushButton, "call.answer").isVisible()
    memory.calls.show(replace(call, state="ringing"))
    with qtbot.assertNotEmitted(window.page.case_view.painted, wait=80):
        pass
    press(qtbot, window, Qt.Key.Key_F3)
    qtbot.waitUntil(lambda: memory.calls.current.state == "active")
    qtbot.waitUntil(find(window, QPushButton, "call.hangUp").isVisible)
    assert window.page.wrap_up.draft().call_id == call.id


def test_what_was_being_typed_is_kept_when_a_case_pops(
    qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk
) -> None:
    window, wrap_up = at_first_case, at_first_case.page.wrap_up
    wrap_up.text.setFocus()
    qtbot.keyClicks(wrap_up.text, "half a sen")
    memory.calls.show(inbound(memory, 1))
    qtbot.waitUntil(lambda: text(window, "case.name") == "王秀兰")
    assert not wrap_up.text.hasFocus()
    qtbot.keyClicks(window.focusWidget(), "tence")
    assert wrap_up.text.toPlainText() == ""
    qtbot.waitUntil(lambda: memory.wrap_up.drafts["case-4"].text == "half a sen")
    memory.calls.reject(memory.calls.current.id)
    window.page.flow.open("case-4")
    qtbot.waitUntil(lambda: wrap_up.text.toPlainText() == "half a sen")
    assert text(window, "wrapUp.draft") == "Draft kept"


def test_several_cases_give_a_choice(qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk) -> None:
    memory.calls.show(inbound(memory, 1, 2))
    second = lambda: at_first_case.findChild(QPushButton, "match.1")  # noqa: E731
    qtbot.waitUntil(lambda: second() is not None and second().isVisible())
    assert text(at_first_case, "case.name") == "张建国"
    qtbot.mouseClick(second(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: text(at_first_case, "case.name") == "陈志强")
    assert memory.calls.current.case_id == "case-6"
    qtbot.waitUntil(lambda: not at_first_case.page.call_panel.match.isVisible())


def test_an_unknown_number_is_searched_and_attached(
    qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk
) -> None:
    window = at_first_case
    memory.calls.show(inbound(memory))
    search = find(window, QLineEdit, "match.search")
    qtbot.waitUntil(search.isVisible)
    qtbot.keyClicks(search, "zzz")
    qtbot.waitUntil(lambda: text(window, "match.hint") == "No case found")
    search.clear()
    qtbot.keyClicks(search, "118209")
    found = lambda: window.findChild(QPushButton, "match.0")  # noqa: E731
    qtbot.waitUntil(lambda: found() is not None and found().isVisible())
    qtbot.mouseClick(found(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: text(window, "case.name") == "周美玲")
    assert memory.calls.current.case_id == "case-9"


def test_a_missed_call_leaves_the_agent_ready(qtbot: QtBot, window: MainWindow, memory: MemoryDesk) -> None:
    memory.calls.show(inbound(memory, 1))
    state = find(window, QWidget, "top.state")
    qtbot.waitUntil(lambda: "Ringing" in state.text())
    memory.calls.show(replace(memory.calls.current, state="ended", cause="missed", ended_at=datetime.now(UTC)))
    qtbot.waitUntil(lambda: "Ready" in state.text())
    assert memory.status.states == []


def test_a_call_made_and_given_up_still_wants_a_note(
    qtbot: QtBot, at_first_case: MainWindow, memory: MemoryDesk
) -> None:
    press(qtbot, at_first_case, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: memory.calls.current is not None)
    call = memory.calls.current
    memory.calls.show(replace(call, state="ended", cause="cancelled", ended_at=datetime.now(UTC)))
    qtbot.waitUntil(lambda: memory.status.states == ["wrap_up"])
    press(qtbot, at_first_case, Qt.Key.Key_6)
    assert at_first_case.page.wrap_up.draft().call_id == call.id
    qtbot.keyClick(at_first_case, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: memory.status.states == ["wrap_up", "ready"])


def test_a_restarted_window_takes_the_call_over(qtbot: QtBot, open_window: Open, memory: MemoryDesk) -> None:
    memory.calls.show(inbound(memory, 2))
    memory.calls.answer(memory.calls.current.id)
    window = open_window()
    qtbot.waitUntil(lambda: text(window, "case.name") == "陈志强")
    assert find(window, QPushButton, "call.hangUp").isVisible()


@pytest.mark.parametrize(
    ("status", "name", "shown"),
    [
        (StatusView(line_state="registered", line_name="1001", online=True), "top.line", "Line 1001"),
        (StatusView(line_state="away"), "top.line", "Line restarting"),
        (StatusView(line_state="none"), "top.line", ""),
        (StatusView(line_state="failed", line_name="1001", line_problem="locked"), "top.line", "Line 1001: Locked"),
        (StatusView(online=True), "top.sync", "Synced"),
        (StatusView(online=True, outbox=3), "top.sync", "Behind by 3"),
        (StatusView(online=False, outbox=2), "top.sync", "Offline · waiting 2"),
        (StatusView(online=True, refused=1), "top.sync", "Refused by the server 1"),
        (StatusView(online=True, uploads_waiting=4), "top.upload", "Upload 4"),
        (StatusView(online=True), "top.upload", ""),
    ],
)
def test_indicators(
    qtbot: QtBot, window: MainWindow, memory: MemoryDesk, status: StatusView, name: str, shown: str
) -> None:
    memory.status.show(status)
    dot = find(window, QWidget, name)
    qtbot.waitUntil(lambda: dot.accessibleName() == shown)
    assert dot.isVisible() == bool(shown)


def test_signed_out_and_headset_are_said_in_the_window(qtbot: QtBot, window: MainWindow, memory: MemoryDesk) -> None:
    memory.status.show(StatusView(online=True, signed_out=True))
    qtbot.waitUntil(find(window, QWidget, "window.signedOut").isVisible)
    memory.phone.on_event(AudioState("device", "Jabra", "device_lost"))
    said = "The headset was unplugged. Plug it in again; a call goes on meanwhile."
    qtbot.waitUntil(lambda: text(window, "call.problem") == said)
    assert find(window, QWidget, "top.sound").text() == "Headset problem"


def test_agent_state_is_chosen_and_told(qtbot: QtBot, window: MainWindow, memory: MemoryDesk) -> None:
    window.top.findChild(QAction, "top.state.break").trigger()
    qtbot.waitUntil(lambda: memory.status.states == ["break"])
    assert "Break" in find(window, QWidget, "top.state").text()


def test_figures_of_the_day(qtbot: QtBot, window: MainWindow) -> None:
    cases = find(window, QWidget, "top.figure.cases")
    qtbot.waitUntil(lambda: cases.text == "Handled today 46 / 90 cases")
    assert find(window, QWidget, "top.figure.talk").text == "Talk time 118 / 200 min"
    assert find(window, QWidget, "top.figure.promises").text == "Promises 7 · ¥23,400"


def test_nothing_is_cut_at_1366(qtbot: QtBot, open_window: Open, memory: MemoryDesk) -> None:
    window = open_window(width=1366, height=768)
    press(qtbot, window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: text(window, "case.name") == "张建国")
    press(qtbot, window, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: memory.calls.current is not None)
    active(memory, recording_state="recording")
    window.page.wrap_up.choose(Outcome.PROMISE)
    qtbot.wait(300)
    assert (window.width(), window.height()) == (1366, 768)
    elided = ("case.person", "case.relief", "call.title", "call.subtitle")
    for label in window.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap() and label.objectName() not in elided:
            assert label.width() >= label.sizeHint().width() - 1, (label.objectName(), label.text())
    for button in window.findChildren(QPushButton):
        if button.isVisible():
            assert button.width() >= button.sizeHint().width() - 1, (button.objectName(), button.text())
    save = find(window, QPushButton, "wrapUp.saveNext")
    assert window.rect().contains(save.mapTo(window, save.rect().bottomRight()))


def test_the_names_in_the_guide_are_those_of_the_window(window: MainWindow) -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "guides" / "interface.md"
    table = guide.read_text(encoding="utf-8").split("## Keys")[0]
    areas = "top menu queue case contacts timeline call other wrapUp window hint sound leave"
    prefixes = areas.split()
    names = [name for name in re.findall(r"`([\w.]+)`", table) if name.split(".")[0] in prefixes]
    not_at_start = {"menu.open.qa", "contacts.mark.valid", "call.line.auto"}
    missing = [n for n in names if n not in not_at_start and window.findChild(QObject, n) is None]
    assert len(names) > 110
    assert missing == []
