"""Background work: threads, order, errors, and receivers that have gone."""

from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal
from pytestqt.qtbot import QtBot

from agent_desktop.services.listeners import Listeners
from agent_desktop.ui.background import Latest, Relay, Serial, run


def _destroy(thing: QObject) -> None:
    thing.deleteLater()
    QCoreApplication.sendPostedEvents(thing, QEvent.Type.DeferredDelete)


class Receiver(QObject):
    got = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.values: list[object] = []
        self.threads: set[int] = set()

    def take(self, value: object) -> None:
        self.threads.add(threading.get_ident())
        self.values.append(value)


def test_work_is_elsewhere_and_the_answer_here(qtbot: QtBot) -> None:
    receiver = Receiver()
    run(threading.get_ident, receiver.take)
    qtbot.waitUntil(lambda: receiver.values != [])
    assert receiver.values[0] != threading.get_ident()
    assert receiver.threads == {threading.get_ident()}


def test_an_error_comes_back_too(qtbot: QtBot) -> None:
    receiver = Receiver()

    def fail() -> None:
        raise OSError("no")

    run(fail, lambda _r: pytest.fail("not done"), receiver.take)
    qtbot.waitUntil(lambda: receiver.values != [])
    assert isinstance(receiver.values[0], OSError)
    assert receiver.threads == {threading.get_ident()}


@pytest.mark.logs_errors
def test_an_error_that_nobody_handles_is_logged(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("no")

    run(fail)
    qtbot.waitUntil(lambda: "background work failed: OSError" in caplog.text)


def test_a_destroyed_receiver_is_left_in_peace(qtbot: QtBot) -> None:
    gone, stays = Receiver(), Receiver()
    hold = threading.Event()
    values = gone.values
    run(lambda: hold.wait(5), gone.take)
    run(lambda: hold.wait(5), lambda _r: values.append("by owner"), owner=gone)
    _destroy(gone)
    hold.set()
    run(lambda: "later", stays.take)
    qtbot.waitUntil(lambda: stays.values == ["later"])
    qtbot.wait(30)
    assert values == []


def test_only_the_newest_answer_counts(qtbot: QtBot) -> None:
    receiver = Receiver()
    latest = Latest(receiver)
    slow = threading.Event()
    latest.run(lambda: slow.wait(5) and "old", receiver.take)
    latest.run(lambda: "new", receiver.take)
    qtbot.waitUntil(lambda: receiver.values == ["new"])
    slow.set()
    qtbot.wait(50)
    assert receiver.values == ["new"]


def test_writes_keep_their_order_even_when_one_is_slow_and_one_fails(qtbot: QtBot) -> None:
    receiver = Receiver()
    serial = Serial(receiver)
    written: list[int] = []

    def write(n: int) -> int:
        time.sleep(0.05 if n == 0 else 0)
        written.append(n)
        if n == 1:
            raise OSError("no")
        return n

    for n in range(4):
        serial.run(lambda n=n: write(n), receiver.take, lambda error: receiver.take(type(error)))
    qtbot.waitUntil(lambda: serial.idle and len(receiver.values) == 4)
    assert written == [0, 1, 2, 3]
    assert receiver.values == [0, OSError, 2, 3]


def test_relay_brings_news_to_the_main_thread_in_order(qtbot: QtBot) -> None:
    receiver, listeners = Receiver(), Listeners[int]()
    Relay(listeners, receiver.take, receiver)
    thread = threading.Thread(target=lambda: [listeners.emit(n) for n in range(200)])
    thread.start()
    thread.join()
    assert receiver.values == []  # nothing is called on the emitting thread
    qtbot.waitUntil(lambda: len(receiver.values) == 200)
    assert receiver.values == list(range(200))
    assert receiver.threads == {threading.get_ident()}


def test_relay_leaves_when_its_owner_goes(qtbot: QtBot) -> None:
    receiver, listeners = Receiver(), Listeners[int]()
    values = receiver.values
    Relay(listeners, receiver.take, receiver)
    _destroy(receiver)
    assert listeners._callbacks == ()
    listeners.emit(1)
    qtbot.wait(20)
    assert values == []
