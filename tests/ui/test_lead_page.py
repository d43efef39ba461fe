"""The lead's page on a desk in memory: live seats, selection, filters, listening and its unhappy ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QLabel, QListView, QPushButton
from pytestqt.qtbot import QtBot

from agent_desktop.domain.models import Role, SeatState
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.status import StatusService
from agent_desktop.services.wallboard import MonitorView
from agent_desktop.ui.lead.page import LeadPage
from agent_desktop.ui.lead.seats_model import SEAT
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.widgets.meters import LevelMeter
from agent_desktop.ui.window import MainWindow
from tests.ui.qa_lead_desk import MemoryWallboard, make_desk, seat

GRANTED = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


class Stage:
    """The page, shown, and short ways to its parts."""

    def __init__(self, qtbot: QtBot, seats: list[SeatState] | None = None, failure: DeskError | None = None) -> None:
        self.qtbot = qtbot
        desk = make_desk(Role.LEAD, seats=seats)
        assert isinstance(desk.wallboard, MemoryWallboard)
        self.board = desk.wallboard
        self.board.failure = failure
        self.page = LeadPage(desk)
        qtbot.addWidget(self.page)
        self.page.resize(1366, 720)
        self.page.show()
        if failure is None and seats != []:
            qtbot.waitUntil(lambda: self.page.seats.model.rowCount() > 0)

    def text(self, name: str) -> str:
        label = self.page.findChild(QLabel, name)
        assert label is not None, name
        return label.text()

    def button(self, name: str) -> QPushButton:
        found = self.page.findChild(QPushButton, name)
        assert found is not None, name
        return found

    def column(self, column: int) -> list[str]:
        shown = self.page.seats.filter
        return [str(shown.index(row, column).data()) for row in range(shown.rowCount())]

    def selected(self) -> str:
        return str(self.page.seats.table.currentIndex().data(SEAT).seat_id)

    def key(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.page.seats.table, key)

    def monitor(self, seat_id: str, state: str, **more: object) -> None:
        view = MonitorView(seat_id, "listen", state, **more)  # type: ignore[arg-type]
        self.board.monitor_changed.emit(view)

    def heard(self) -> LevelMeter:
        meter = self.page.findChild(LevelMeter, "lead.heard")
        assert meter is not None
        return meter

    def listen_to(self, seat_id: str) -> None:
        self.page.seats.select(seat_id)
        self.key(Qt.Key.Key_1)
        self.qtbot.waitUntil(lambda: self.board.asked[-1:] == [f"listen {seat_id}"])
        self.monitor(seat_id, "connecting", granted_at=GRANTED)
        self.monitor(seat_id, "on", granted_at=GRANTED, heard_dbfs=-20.0)
        self.qtbot.waitUntil(lambda: self.heard().isVisible())


@pytest.fixture
def stage(qtbot: QtBot) -> Stage:
    return Stage(qtbot)


def test_figures_are_sums_of_the_seats(qtbot: QtBot) -> None:
    now = datetime.now(UTC)
    seats = [
        seat(0, state="on_call", recording=True, since=now - timedelta(minutes=20, seconds=30), recording_problem=""),
        seat(1, state="on_call", recording=False, since=now - timedelta(seconds=5), recording_problem=""),
        seat(2, state="ready"),
        seat(3, state="offline"),
    ]
    seats = [SeatState(**{**_fields(s), "cases_handled": 10, "talk_seconds": 630, "promises": 3}) for s in seats]
    stage = Stage(qtbot, seats)
    assert stage.text("lead.figure.online") == "3 / 4"
    assert stage.text("lead.figure.on_call") == "2"
    assert stage.text("lead.figure.handled") == "40"
    assert stage.text("lead.figure.talk") == "42"
    assert stage.text("lead.figure.promises") == "12"
    assert stage.text("lead.figure.recording") == "50%"
    said = stage.page.findChild(QLabel, "lead.figure.on_call")
    assert said is not None
    assert "longest 20:3" in said.accessibleName()


def _fields(state: SeatState) -> dict[str, object]:
    return {name: getattr(state, name) for name in SeatState.__slots__}


def test_a_change_reaches_its_row_and_leaves_the_selection(stage: Stage) -> None:
    stage.page.seats.select("seat-2")
    assert stage.selected() == "seat-2"
    stage.board.put(seat(2, state="on_call", debtor_name="周新", client="安易", stage="M6", recording=True))
    stage.qtbot.waitUntil(lambda: "周新 · 安易" in stage.column(3))
    assert stage.selected() == "seat-2"
    row = stage.column(0).index("何敏")
    assert [stage.column(c)[row] for c in (1, 4, 6)] == ["On a call", "M6", "Two channels"]
    assert stage.text("lead.name") == "何敏"
    assert stage.page.seats.model.fresh


def test_the_first_seat_is_chosen_and_looks_it(stage: Stage) -> None:
    first = stage.column(0)[0]
    stage.qtbot.waitUntil(lambda: stage.text("lead.name") == first)
    rows = stage.page.seats.table.selectionModel().selectedRows()
    assert [row.data() for row in rows] == [first]


def test_counters_alone_do_not_light_a_row_up(stage: Stage) -> None:
    stage.board.put(seat(2, cases_handled=99))
    stage.qtbot.waitUntil(lambda: "99" in stage.column(7))
    assert not stage.page.seats.model.fresh


def test_seats_come_and_go_without_losing_the_selection(stage: Stage) -> None:
    stage.page.seats.select("seat-7")
    stage.board.rows = [s for s in stage.board.rows if s.seat_id not in ("seat-1", "seat-5")]
    stage.board.put(seat(40, agent_name="阿新", state="on_call"))
    stage.qtbot.waitUntil(lambda: "阿新" in stage.column(0))
    assert len(stage.column(0)) == 19
    assert stage.selected() == "seat-7"


def test_changes_from_another_thread_are_safe_and_all_arrive(stage: Stage) -> None:
    import threading

    def push() -> None:
        for i in range(200):
            stage.board.put(seat(3, cases_handled=i))

    thread = threading.Thread(target=push)
    thread.start()
    thread.join()
    stage.qtbot.waitUntil(lambda: "199" in stage.column(7))


def test_time_in_state_ticks(qtbot: QtBot) -> None:
    since = datetime.now(UTC) - timedelta(seconds=61)
    stage = Stage(qtbot, [seat(0, since=since)])
    first = stage.column(2)[0]
    assert first.startswith("01:0")
    stage.page.seats.select("seat-0")
    qtbot.waitUntil(lambda: stage.column(2)[0] > first, timeout=3000)
    qtbot.waitUntil(lambda: stage.text("lead.time") > first, timeout=3000)


def test_chips_and_search_narrow_and_say_when_nothing_is_left(stage: Stage) -> None:
    stage.qtbot.mouseClick(stage.button("lead.filter.on_call"), Qt.MouseButton.LeftButton)
    assert set(stage.column(1)) == {"On a call", "Ringing"}
    stage.qtbot.mouseClick(stage.button("lead.filter.problem"), Qt.MouseButton.LeftButton)
    assert stage.column(10) == ["Other side silent"]
    stage.qtbot.mouseClick(stage.button("lead.filter.all"), Qt.MouseButton.LeftButton)
    stage.page.seats.search.setText("hx-2026-1183")
    assert stage.column(0) == ["郭伟"]
    stage.page.seats.search.setText("郭伟 nobody")
    assert stage.column(0) == []
    assert stage.text("lead.table.notice") == "No seat meets these conditions."
    stage.page.seats.select("seat-4")
    assert stage.selected() == "seat-4"


def test_a_heading_sorts_numbers_as_numbers(stage: Stage) -> None:
    stage.page.seats.table.sortByColumn(9, Qt.SortOrder.DescendingOrder)
    promises = [int(text) for text in stage.column(9)]
    assert promises == sorted(promises, reverse=True)
    assert max(promises) > 9


def test_problems_are_listed_worst_first_and_lead_to_their_seat(stage: Stage) -> None:
    stage.board.put(seat(1, state="on_call", recording=False), seat(6, recording_problem="disk_full"))
    attention = stage.page.findChild(QListView, "lead.attention")
    assert attention is not None
    stage.qtbot.waitUntil(lambda: attention.model().rowCount() == 3)
    said = [str(attention.model().index(row, 0).data()) for row in range(3)]
    assert said[:2] == ["郭伟 Not recorded", "高峰 Disk full"]
    assert said[2] == "徐静怡 Other side silent"
    place = attention.visualRect(attention.model().index(1, 0)).center()
    stage.qtbot.mouseClick(attention.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert stage.selected() == "seat-6"


@pytest.mark.parametrize(
    ("code", "recording", "said"),
    [
        ("paused", True, "Recording paused"),
        ("on_demand", False, "On demand, not recorded"),
        ("upload_problem", True, "Recordings not uploaded"),
        ("disk_low", True, "Disk nearly full"),
    ],
)
def test_what_a_seat_says_of_its_recording_is_on_the_wallboard(
    stage: Stage, code: str, recording: bool, said: str
) -> None:
    stage.board.put(seat(1, state="on_call", recording=recording, recording_problem=code))
    attention = stage.page.findChild(QListView, "lead.attention")
    assert attention is not None

    def rows() -> list[str]:
        return [str(attention.model().index(row, 0).data()) for row in range(attention.model().rowCount())]

    stage.qtbot.waitUntil(lambda: f"郭伟 {said}" in rows())


def test_listening_asks_connects_is_heard_and_stops(stage: Stage) -> None:
    stage.page.seats.select("seat-1")
    assert not stage.button("lead.stop").isVisible()
    stage.key(Qt.Key.Key_1)
    assert stage.text("lead.status") == "Asking for permission…"
    stage.qtbot.waitUntil(lambda: stage.board.asked == ["listen seat-1"])
    stage.monitor("seat-1", "connecting", granted_at=GRANTED)
    stage.qtbot.waitUntil(lambda: stage.text("lead.status") == "Connecting…")
    assert stage.text("lead.grant") == f"Authorised and logged · since {GRANTED.astimezone():%H:%M:%S}"
    stage.monitor("seat-1", "on", granted_at=GRANTED, heard_dbfs=-12.0)
    stage.qtbot.waitUntil(lambda: "Listening" in stage.text("lead.status"))
    assert stage.heard().ratio == pytest.approx(0.8)
    assert not stage.button("lead.listen").isVisible()
    stage.key(Qt.Key.Key_Escape)
    stage.qtbot.waitUntil(lambda: stage.board.asked == ["listen seat-1", "stop"])
    assert not stage.heard().isVisible()
    assert stage.button("lead.listen").isVisible()
    stage.monitor("seat-1", "ended")
    stage.monitor("seat-1", "failed", problem="hung_up")
    stage.qtbot.wait(50)
    assert stage.text("lead.error") == ""


def test_pressing_again_does_not_ask_twice(stage: Stage) -> None:
    stage.listen_to("seat-1")
    stage.key(Qt.Key.Key_1)
    stage.qtbot.wait(50)
    assert stage.board.asked == ["listen seat-1"]


def test_another_seat_can_be_looked_at_while_one_is_listened_to(stage: Stage) -> None:
    stage.listen_to("seat-1")
    stage.page.seats.select("seat-0")
    assert stage.text("lead.name") == "李婷"
    assert "Listening to 郭伟" in stage.text("lead.status")
    assert stage.button("lead.stop").isVisible()
    stage.key(Qt.Key.Key_1)
    stage.qtbot.waitUntil(lambda: stage.board.asked == ["listen seat-1", "stop", "listen seat-0"])
    stage.monitor("seat-1", "on", heard_dbfs=-3.0)
    stage.monitor("seat-1", "ended")
    stage.qtbot.wait(50)
    assert stage.page.monitor.heard_id == "seat-0"
    assert not stage.heard().isVisible()


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem.FORBIDDEN, "may not"),
        (Problem.SERVER_AWAY, "server cannot be reached"),
        (Problem.GRANT_REFUSED, "refused the permission"),
        (Problem.LINE_AWAY, "line program"),
    ],
)
def test_a_refusal_is_said_where_the_lead_looks(stage: Stage, problem: Problem, said: str) -> None:
    stage.board.refusal = DeskError(problem, "detail for the log")
    stage.page.seats.select("seat-1")
    stage.qtbot.mouseClick(stage.button("lead.listen"), Qt.MouseButton.LeftButton)
    stage.qtbot.waitUntil(lambda: said in stage.text("lead.error"))
    assert "detail" not in stage.text("lead.error")
    assert stage.button("lead.listen").isVisible()
    assert not stage.button("lead.stop").isVisible()
    stage.page.seats.select("seat-0")
    assert stage.text("lead.error") == ""


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("busy", "took no listening leg"),
        ("unreachable", "could not be reached"),
        ("far_hung_up", "ended the listening"),
        ("something_new", "unexpected"),
    ],
)
def test_a_leg_that_does_not_connect_says_why(stage: Stage, cause: str, said: str) -> None:
    stage.page.seats.select("seat-1")
    stage.key(Qt.Key.Key_1)
    stage.monitor("seat-1", "connecting")
    stage.monitor("seat-1", "failed", problem=cause)
    stage.qtbot.waitUntil(lambda: said in stage.text("lead.error"))
    assert stage.page.monitor.heard_id == ""


def test_an_offline_seat_cannot_be_listened_to(stage: Stage) -> None:
    stage.page.seats.select("seat-9")
    assert not stage.button("lead.listen").isEnabled()
    assert "offline" in stage.text("lead.status")
    stage.key(Qt.Key.Key_1)
    stage.qtbot.wait(50)
    assert stage.board.asked == []


def test_digits_in_the_search_box_do_not_listen(stage: Stage) -> None:
    stage.page.seats.select("seat-1")
    stage.qtbot.keyClick(stage.page.seats.table, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    stage.qtbot.waitUntil(stage.page.seats.search.hasFocus)
    stage.qtbot.keyClicks(stage.page.seats.search, "1")
    stage.qtbot.wait(30)
    assert stage.board.asked == []
    stage.qtbot.keyClick(stage.page.seats.search, Qt.Key.Key_Escape)
    stage.qtbot.waitUntil(stage.page.seats.table.hasFocus)
    assert len(stage.column(0)) == 20


def test_no_seats_yet_and_a_server_that_is_away(qtbot: QtBot) -> None:
    empty = Stage(qtbot, [])
    qtbot.waitUntil(lambda: empty.text("lead.table.notice") == "No seats yet")
    away = Stage(qtbot, failure=DeskError(Problem.SERVER_AWAY))
    qtbot.waitUntil(lambda: "server" in away.text("lead.table.notice"))
    away.board.failure = None
    qtbot.mouseClick(away.button("lead.table.retry"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: away.page.seats.model.rowCount() == 20)


def test_seats_that_are_shown_stay_when_the_server_goes_away(stage: Stage) -> None:
    stage.board.failure = DeskError(Problem.SERVER_AWAY)
    stage.key(Qt.Key.Key_F5)
    stage.qtbot.waitUntil(lambda: "out of date" in stage.text("lead.problem"))
    assert len(stage.column(0)) == 20
    stage.board.failure = None
    stage.key(Qt.Key.Key_F5)
    label = stage.page.findChild(QLabel, "lead.problem")
    assert label is not None
    stage.qtbot.waitUntil(lambda: not label.isVisible())


def test_the_model_keeps_qts_rules(stage: Stage) -> None:
    from PySide6.QtTest import QAbstractItemModelTester

    model = stage.page.seats.model
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    for states in (["ready", "on_call"], ["on_call", "ready"], ["break", "offline"]):
        stage.board.put(*(seat(i, state=states[i % 2]) for i in range(25)))
        stage.qtbot.waitUntil(lambda: model.rowCount() == 25)
    stage.board.rows = stage.board.rows[10:]
    stage.board.changed.emit(stage.board.seats())
    stage.qtbot.waitUntil(lambda: model.rowCount() == 15)
    assert [s.seat_id for s in model.seats] == [s.seat_id for s in stage.board.seats()]
    assert model.rowCount(model.index(0, 0)) == 0
    assert model.data(QModelIndex()) is None
    del tester


def test_a_collector_who_is_not_signed_in_is_shown_and_cannot_be_listened_to(qtbot: QtBot) -> None:
    away = seat(2, agent_id="agent-1", agent_name="郭伟", seat_id="user:agent-1", state="offline")
    stage = Stage(qtbot, [seat(0), away])
    model = stage.page.seats.model
    row = model.row_of("user:agent-1")
    assert [model.index(row, column).data() for column in range(6)] == ["郭伟", "Not signed in", "", "", "", ""]
    stage.page.seats.select("user:agent-1")
    assert stage.text("lead.status").startswith("Not signed in")
    assert not stage.button("lead.listen").isEnabled()
    stage.key(Qt.Key.Key_1)
    qtbot.wait(30)
    assert stage.board.asked == []


def test_the_selection_follows_a_collector_who_signs_in(qtbot: QtBot) -> None:
    away = seat(1, seat_id="user:agent-1", state="offline")
    stage = Stage(qtbot, [seat(0), away])
    stage.page.seats.select("user:agent-1")
    stage.board.rows = [seat(0), seat(1, state="ready")]
    stage.board.changed.emit(stage.board.seats())
    qtbot.waitUntil(lambda: stage.selected() == "seat-1")
    assert stage.button("lead.listen").isEnabled()


def test_the_focus_stays_in_the_panel_when_a_button_goes(stage: Stage) -> None:
    stage.page.seats.select("seat-1")
    listen, stop = stage.button("lead.listen"), stage.button("lead.stop")
    listen.setFocus()
    listen.click()
    assert stop.hasFocus()
    stop.click()
    assert listen.hasFocus()


def test_esc_closes_the_sound_devices_before_it_stops_listening(qtbot: QtBot) -> None:
    desk = replace(make_desk(Role.LEAD), status=StatusService())
    board = desk.wallboard
    assert isinstance(board, MemoryWallboard)
    window = MainWindow(desk, preferences=Preferences())
    assert isinstance(window.page, LeadPage)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.page.seats.model.rowCount() > 0)
    qtbot.keyClick(window.page, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: len(board.asked) == 1)
    window.sound.open_bar()
    focus = window.focusWidget()
    assert focus is not None
    qtbot.keyClick(focus, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.sound.isVisible())
    assert "stop" not in board.asked
    qtbot.keyClick(window.page, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: board.asked[-1] == "stop")
