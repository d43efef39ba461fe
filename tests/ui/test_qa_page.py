"""QA's page on a desk in memory, driven as a person does: search, choose, open, play, keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from agent_desktop.domain.models import Outcome, RecordingRow, Role
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.playback import Player, PlayState
from agent_desktop.services.playback_sinks import ClockSink
from agent_desktop.services.recordings import ReplayAudio
from agent_desktop.ui.qa import words
from agent_desktop.ui.qa.page import QaPage
from agent_desktop.ui.qa.recordings_model import ROW
from tests.ui.qa_lead_desk import RATE, MemoryRecordings, make_desk, recording, speech


def rows() -> list[RecordingRow]:
    """Nine of a minute ago and before, never yesterday's: the clock of the test may stand at any hour."""
    return [recording(i, started_at=datetime.now(UTC) - timedelta(milliseconds=i)) for i in range(9)]


class Stage:
    """The page, shown, and short ways to its parts."""

    def __init__(self, qtbot: QtBot, shown: list[RecordingRow] | None = None) -> None:
        self.qtbot = qtbot
        desk = make_desk(Role.QA, rows() if shown is None else shown)
        assert isinstance(desk.recordings, MemoryRecordings)
        self.service = desk.recordings
        self.service.make_audio = lambda row: ReplayAudio(
            RATE, speech(min(row.seconds, 60), row.number), speech(min(row.seconds, 60), row.number + 1)
        )
        self.player = Player(ClockSink)
        self.page = QaPage(desk, self.player)
        qtbot.addWidget(self.page)
        self.page.resize(1366, 720)
        self.page.show()
        qtbot.waitUntil(lambda: bool(self.service.queries))
        self.page.setFocus()

    def list_shows(self, count: int) -> None:
        self.qtbot.waitUntil(lambda: self.page.recordings.model.rowCount() == count)

    def text(self, name: str) -> str:
        label = self.page.findChild(QLabel, name)
        assert label is not None, name
        return label.text()

    def button(self, name: str) -> QPushButton:
        found = self.page.findChild(QPushButton, name)
        assert found is not None, name
        return found

    def click_row(self, row: int) -> None:
        listed = self.page.recordings.list
        place = listed.visualRect(listed.model().index(row, 0)).center()
        self.qtbot.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def open(self, row: int = 0) -> None:
        self.list_shows(len(self.service.rows))
        self.click_row(row)
        self.qtbot.waitUntil(lambda: self.player.view.state is PlayState.PAUSED)
        self.qtbot.waitUntil(self.page.replay.lanes.isVisible)

    def key(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.page.recordings.list, key)


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    made = Stage(qtbot)
    yield made
    made.player.close()


def test_the_list_shows_todays_recordings_with_all_that_identifies_them(stage: Stage) -> None:
    stage.list_shows(9)
    assert stage.service.queries[0].since is not None
    model = stage.page.recordings.model
    said = model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    for part in ("张建国", "05:12", "李婷", "Promise to pay", "verified", "HX-2026-1182"):
        assert part in said
    assert "recovered" in model.index(3).data(Qt.ItemDataRole.AccessibleTextRole)
    assert stage.text("qa.count") == "9 recordings"


def test_the_first_recording_is_chosen_and_looks_it(stage: Stage) -> None:
    stage.list_shows(9)
    stage.qtbot.waitUntil(lambda: stage.text("qa.name") == "张建国")
    listed = stage.page.recordings.list
    assert [index.row() for index in listed.selectionModel().selectedIndexes()] == [0]
    assert stage.service.fetched == []


def test_chips_and_text_become_conditions_joined_by_and(stage: Stage) -> None:
    stage.list_shows(9)
    stage.qtbot.mouseClick(stage.button("qa.filter.complaint"), Qt.MouseButton.LeftButton)
    stage.list_shows(1)
    stage.qtbot.mouseClick(stage.button("qa.filter.long"), Qt.MouseButton.LeftButton)
    stage.qtbot.mouseClick(stage.button("qa.filter.today"), Qt.MouseButton.LeftButton)
    stage.page.recordings.search.insert("陈志强")
    stage.qtbot.waitUntil(lambda: stage.service.queries[-1].text == "陈志强")
    query = stage.service.queries[-1]
    assert (query.outcome, query.min_seconds, query.since) == (Outcome.COMPLAINT, 300.0, None)
    stage.list_shows(1)


def test_nothing_found_differs_from_nothing_there(qtbot: QtBot) -> None:
    stage = Stage(qtbot, [])
    try:
        qtbot.waitUntil(lambda: stage.text("qa.list.notice") == "No recordings today")
        qtbot.keyClicks(stage.page.recordings.search, "nobody")
        qtbot.waitUntil(lambda: stage.text("qa.list.notice") == "Nothing found")
    finally:
        stage.player.close()


def test_an_error_is_a_sentence_and_can_be_tried_again(stage: Stage) -> None:
    stage.list_shows(9)
    stage.service.failure = DeskError(Problem.SERVER_AWAY, "connection refused by 10.0.0.1")
    stage.key(Qt.Key.Key_F5)
    stage.qtbot.waitUntil(lambda: "server" in stage.text("qa.list.notice"))
    assert "10.0.0.1" not in stage.text("qa.list.notice")
    stage.service.failure = None
    stage.qtbot.mouseClick(stage.button("qa.list.retry"), Qt.MouseButton.LeftButton)
    stage.list_shows(9)


def test_browsing_fetches_nothing_and_opening_is_logged(stage: Stage) -> None:
    stage.list_shows(9)
    for _ in range(3):
        stage.key(Qt.Key.Key_Down)
    assert stage.text("qa.name") == "刘芳"
    assert "recovered" in stage.text("qa.state")
    assert "no. 20,415" in stage.text("qa.state")
    assert stage.text("qa.position") == "00:00 / 02:09"
    assert stage.service.fetched == []
    stage.key(Qt.Key.Key_Return)
    stage.qtbot.waitUntil(lambda: stage.service.fetched == ["rec-3"])
    accesses = stage.page.replay.accesses
    stage.qtbot.waitUntil(lambda: accesses.model.rowCount() == 1)
    assert "陈宇 Replayed" in accesses.model.index(0).data()


def test_space_fetches_then_plays_then_pauses(stage: Stage) -> None:
    stage.list_shows(9)
    stage.service.gate.clear()
    stage.key(Qt.Key.Key_Space)
    stage.qtbot.waitUntil(lambda: stage.text("qa.replay.notice") == "Fetching the recording…")
    assert not stage.button("qa.play").isEnabled()
    stage.service.gate.set()
    stage.qtbot.waitUntil(lambda: stage.player.view.state is PlayState.PLAYING)
    stage.qtbot.waitUntil(lambda: stage.button("qa.play").text() == "Pause")
    stage.qtbot.waitUntil(lambda: stage.page.replay.lanes.waveform.position > 0.1)
    stage.key(Qt.Key.Key_Space)
    stage.qtbot.waitUntil(lambda: stage.player.view.state is PlayState.PAUSED)
    stage.qtbot.waitUntil(lambda: stage.button("qa.play").text() == "Play")


def test_a_recording_chosen_while_another_is_fetched_is_not_overtaken_by_it(stage: Stage) -> None:
    stage.list_shows(9)
    stage.service.gate.clear()
    stage.click_row(0)
    stage.click_row(4)
    stage.service.gate.set()
    stage.qtbot.waitUntil(lambda: len(stage.service.fetched) == 2)
    stage.qtbot.waitUntil(lambda: stage.player.view.length == 47)
    assert stage.text("qa.name") == "赵海洋"
    stage.qtbot.wait(100)
    assert stage.player.view.length == 47


def test_a_damaged_recording_says_so_and_offers_to_try_again(stage: Stage) -> None:
    stage.list_shows(9)

    def damaged(row: RecordingRow) -> ReplayAudio:
        raise DeskError(Problem.RECORDING_DAMAGED)

    good, stage.service.make_audio = stage.service.make_audio, damaged
    stage.click_row(1)
    stage.qtbot.waitUntil(lambda: "damaged" in stage.text("qa.replay.notice"))
    stage.service.make_audio = good
    stage.qtbot.mouseClick(stage.button("qa.replay.retry"), Qt.MouseButton.LeftButton)
    stage.qtbot.waitUntil(stage.page.replay.lanes.isVisible)


def test_every_transport_key_does_what_its_button_does(stage: Stage) -> None:
    stage.open()
    view = lambda: stage.player.view  # noqa: E731
    stage.key(Qt.Key.Key_Right)
    stage.key(Qt.Key.Key_Right)
    stage.key(Qt.Key.Key_Left)
    assert view().position == 5.0
    stage.qtbot.mouseClick(stage.button("qa.forward"), Qt.MouseButton.LeftButton)
    stage.qtbot.mouseClick(stage.button("qa.back"), Qt.MouseButton.LeftButton)
    assert view().position == 5.0
    stage.key(Qt.Key.Key_BracketRight)
    assert view().speed == 1.25
    stage.key(Qt.Key.Key_BracketLeft)
    stage.key(Qt.Key.Key_BracketLeft)
    assert view().speed == 0.75
    stage.key(Qt.Key.Key_K)
    assert view().skip_silence
    stage.key(Qt.Key.Key_1)
    stage.key(Qt.Key.Key_4)
    assert view().mix.agent.muted
    assert view().mix.far.solo
    stage.qtbot.waitUntil(lambda: stage.button("qa.agent.mute").isChecked())
    stage.qtbot.waitUntil(lambda: stage.button("qa.far.solo").isChecked())
    stage.qtbot.mouseClick(stage.button("qa.agent.mute"), Qt.MouseButton.LeftButton)
    assert not view().mix.agent.muted
    stage.key(Qt.Key.Key_Home)
    assert view().position == 0.0


def test_keys_typed_into_the_search_box_stay_there(stage: Stage) -> None:
    stage.open()
    stage.qtbot.keyClick(stage.page.recordings.list, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    search = stage.page.recordings.search
    stage.qtbot.waitUntil(search.hasFocus)
    stage.qtbot.keyClicks(search, "k 1")
    assert search.text() == "k 1"
    assert not stage.player.view.skip_silence
    assert stage.player.view.state is PlayState.PAUSED
    stage.qtbot.keyClick(search, Qt.Key.Key_Escape)
    stage.qtbot.waitUntil(stage.page.recordings.list.hasFocus)
    assert search.text() == ""
    stage.list_shows(9)


def test_the_gain_menu_sets_one_side(stage: Stage) -> None:
    stage.open()
    menu = stage.button("qa.far.gain").menu()
    next(a for a in menu.actions() if a.text() == "+6 dB").trigger()
    assert stage.player.view.mix.far.gain_db == 6.0
    assert stage.player.view.mix.agent.gain_db == 0.0
    assert stage.button("qa.far.gain").text() == "+6 dB"


def test_dragging_loops_a_passage_and_escape_ends_it(stage: Stage) -> None:
    stage.open()
    waveform = stage.page.replay.lanes.waveform
    y = waveform.height() // 2
    left, right = round(waveform.width() * 0.25), round(waveform.width() * 0.5)
    stage.qtbot.mousePress(waveform, Qt.MouseButton.LeftButton, pos=QPoint(right, y))
    stage.qtbot.mouseMove(waveform, QPoint((left + right) // 2, y))
    stage.qtbot.mouseMove(waveform, QPoint(left, y))
    stage.qtbot.mouseRelease(waveform, Qt.MouseButton.LeftButton, pos=QPoint(left, y))
    loop = stage.player.view.loop
    assert loop is not None
    assert loop == (pytest.approx(15, abs=0.1), pytest.approx(30, abs=0.1))
    assert stage.player.view.position == pytest.approx(loop[0], abs=0.001)
    stage.qtbot.waitUntil(lambda: "00:15–00:30" in stage.button("qa.loop").text())
    stage.key(Qt.Key.Key_Escape)
    assert stage.player.view.loop is None
    stage.qtbot.waitUntil(lambda: not stage.button("qa.loop").isVisible())


def test_a_click_seeks_and_leaves_a_loop_it_lies_outside_of(stage: Stage) -> None:
    stage.open()
    waveform = stage.page.replay.lanes.waveform
    stage.player.set_loop((10.0, 20.0))
    at = QPoint(round(waveform.width() * 0.25), 60)
    stage.qtbot.mouseClick(waveform, Qt.MouseButton.LeftButton, pos=at)
    assert stage.player.view.position == pytest.approx(15, abs=0.1)
    assert stage.player.view.loop == (10.0, 20.0)
    stage.qtbot.mouseClick(waveform, Qt.MouseButton.LeftButton, pos=QPoint(round(waveform.width() * 0.75), 60))
    assert stage.player.view.position == pytest.approx(45, abs=0.1)
    assert stage.player.view.loop is None


def test_a_missing_sound_device_is_said(qtbot: QtBot, stage: Stage) -> None:
    from agent_desktop.services.playback_sinks import SinkError

    def nothing(rate: int) -> ClockSink:
        raise SinkError("none")

    stage.player._open_sink = nothing
    stage.open()
    stage.key(Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "no sound device" in stage.text("qa.problem"))
    label = stage.page.findChild(QLabel, "qa.problem")
    assert label is not None
    assert label.isVisible()


def test_choosing_another_recording_forgets_the_audio(stage: Stage) -> None:
    stage.open()
    stage.key(Qt.Key.Key_Space)
    stage.qtbot.waitUntil(lambda: stage.player.view.state is PlayState.PLAYING)
    stage.key(Qt.Key.Key_Down)
    assert stage.player.view.state is PlayState.EMPTY
    assert not stage.page.replay.lanes.isVisible()


def test_a_reload_keeps_the_recording_that_is_looked_at(stage: Stage) -> None:
    stage.open(2)
    newer = recording(20, started_at=datetime.now(UTC), debtor_name="新来")
    stage.service.rows = [newer, *stage.service.rows]
    stage.key(Qt.Key.Key_F5)
    stage.list_shows(10)
    current = stage.page.recordings.list.currentIndex()
    assert current.row() == 3
    assert current.data(ROW).id == "rec-2"
    assert stage.player.view.state is PlayState.PAUSED


def test_a_recording_without_a_case_shows_its_number() -> None:
    row = recording(0, debtor_name="", case_number="", outcome=None, promised=None)
    assert words.name_of(row) == "138****6021"
    assert words.outcome_short(row) == ""


def test_an_hour_is_drawn_within_a_frame_or_two(qtbot: QtBot) -> None:
    import time

    from agent_desktop.ui.qa.peaks import Peaks
    from agent_desktop.ui.qa.waveform import Waveform

    pcm = (np.random.default_rng(3).standard_normal(3600 * RATE) * 3000).astype(np.int16)
    waveform = Waveform()
    qtbot.addWidget(waveform)
    waveform.resize(1050, 220)
    began = time.perf_counter()
    peaks = Peaks(pcm)
    built = time.perf_counter() - began
    waveform.set_recording(RATE, peaks, peaks)
    times = []
    for zoom in range(12):
        waveform.zoom(0.5 if zoom else 1.0, 1800.0)
        began = time.perf_counter()
        waveform.grab()
        times.append(time.perf_counter() - began)
    # Generous: another process may have the core. Without the pyramid a frame takes about a second.
    assert built < 1.0
    assert sorted(times)[6] < 0.1
    assert waveform.shown[1] - waveform.shown[0] == pytest.approx(2.0)


def test_the_page_closes_its_player_when_it_is_destroyed(qtbot: QtBot) -> None:
    import shiboken6

    player = Player(ClockSink)
    page = QaPage(make_desk(Role.QA, rows()), player)
    thread = player._thread
    shiboken6.delete(page)
    qtbot.waitUntil(lambda: not thread.is_alive())
