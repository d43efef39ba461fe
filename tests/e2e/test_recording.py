"""Pausing at a real window on a real server, line process and practice line, and what a lead's wallboard says of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLabel

from agent_desktop.domain.models import SeatState
from agent_desktop.store.keys import SeatKeys
from agent_desktop.sync.http import CollectionApi
from agent_desktop.ui.demo.robot import NotSeenError, Robot, wait_for
from tests.support.desk_window import LOGIN, DeskWindow
from tests.support.seat import sign_in

CONTROL = Qt.KeyboardModifier.ControlModifier
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The seat's spool on a disk of its own, 545 MB, of which only what is written takes memory."""
    spool = tmp_path_factory.mktemp("desk") / "seat" / "spool"
    spool.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=520m,mode=700", "tmpfs", str(spool)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield spool
    subprocess.run(["umount", str(spool)], check=True)


@pytest.fixture(scope="module")
def desk(spool: Path) -> Iterator[DeskWindow]:
    desk = DeskWindow(spool.parents[1])
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def lead(desk: DeskWindow) -> Iterator[CollectionApi]:
    api = CollectionApi(desk.server.url)
    sign_in(api, "xujing", SeatKeys.fresh())
    yield api
    api.sign_out()
    api.close()


@pytest.fixture()
def robot(desk: DeskWindow) -> Iterator[Robot]:
    robot = Robot(desk.window)
    queue = robot.await_control("queue.list", QAbstractItemView, 20)
    wait_for(lambda: queue.model().rowCount() > 0, "the queue", 20)
    yield robot
    if desk.desk.calls.current is not None:
        robot.press(Qt.Key.Key_F4)
    wait_for(lambda: desk.desk.calls.current is None, "no call up", 10)


def _says(robot: Robot, name: str) -> str:
    for kind in (QLabel, QAbstractButton):
        try:
            return robot.find(name, kind).text()
        except NotSeenError:
            continue
    return ""


def _row(lead: CollectionApi) -> SeatState:
    """The collector's row on the wallboard, as the server gives it."""
    [row] = [seat for seat in lead.wallboard() if seat.agent_name and seat.line_state]
    return row


def _talk(desk: DeskWindow, robot: Robot) -> None:
    robot.click_row("queue.list", 0)
    contacts = robot.await_control("contacts.table", QAbstractItemView, 10)
    wait_for(lambda: contacts.model().rowCount() > 0, "the contacts", 10)
    robot.click_row("contacts.table", 0)
    robot.press(Qt.Key.Key_F2)
    wait_for(lambda: bool(desk.desk.calls.current and desk.desk.calls.current.answered_at), "the answer", 20)


def test_a_pause_is_seen_by_the_collector_and_by_the_lead(desk: DeskWindow, robot: Robot, lead: CollectionApi) -> None:
    assert desk.desk.user.login == LOGIN
    wait_for(lambda: _says(robot, "top.recording") == "录音就绪", "the light before any call", 10)
    _talk(desk, robot)
    wait_for(lambda: "录音中" in _says(robot, "call.recording"), "the recording", 10)
    robot.press(Qt.Key.Key_P, CONTROL)
    wait_for(lambda: _says(robot, "call.pausedReason").startswith("银行卡号"), "the pause", 5)
    wait_for(lambda: _says(robot, "call.pauseLeft") < "01:00", "the countdown", 5)
    wait_for(lambda: _row(lead).recording_problem == "paused", "the pause on the wallboard", 5)
    assert _row(lead).recording
    robot.click("call.resume")
    wait_for(lambda: "录音中" in _says(robot, "call.recording"), "the recording again", 5)
    wait_for(lambda: _row(lead).recording_problem == "", "the wallboard again", 5)


def test_a_disk_that_fills_is_said_without_a_call_and_in_one(
    desk: DeskWindow, robot: Robot, lead: CollectionApi, spool: Path
) -> None:
    filler = spool / "filler"
    try:
        filler.write_bytes(bytes(100 * MEGABYTE))
        wait_for(lambda: _says(robot, "top.recording") == "磁盘将满", "the light", 5)
        wait_for(lambda: "磁盘将满" in _says(robot, "call.problem"), "the sentence", 5)
        wait_for(lambda: _row(lead).recording_problem == "disk_low", "the wallboard", 5)
        with pytest.raises(OSError, match="No space"), filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(MEGABYTE))
        wait_for(lambda: _says(robot, "top.recording") == "磁盘已满", "the light", 5)
        _talk(desk, robot)
        wait_for(lambda: _says(robot, "top.recording") == "未录音", "the light in a call", 10)
        wait_for(lambda: _row(lead).recording_problem == "disk_full", "the wallboard in a call", 5)
    finally:
        filler.unlink()
    wait_for(lambda: "录音中" in _says(robot, "call.recording"), "it is recorded after all", 10)
    wait_for(lambda: _row(lead).recording_problem == "", "the wallboard at the end", 5)
