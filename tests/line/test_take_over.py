"""A window that is killed, one that comes back, and windows of two people at one seat, over real line processes."""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent_desktop.services.line_port import LineSetup
from agent_desktop.services.line_supervisor import LineSupervisor
from telephony.messages import (
    AddLine,
    Answer,
    AudioConfig,
    CallEnded,
    CallIncoming,
    CallState,
    Dial,
    GetSnapshot,
    HangUp,
    Hello,
    LineConfig,
    LinePolicy,
    Shutdown,
    Snapshot,
)
from tests.line.parts import end_process
from tests.support.lines import DEBTOR, Seat, make_setup, start_seat
from tests.support.processes import wait_gone

ROOT = Path(__file__).parents[2]
WANG, LI = str(uuid.UUID(int=17)), str(uuid.UUID(int=18))
NUMBER = "13800006021"


class Window:
    """The stand-in of ``tests.line.window`` and what it has said."""

    def __init__(self, setup: LineSetup, store: Path, key: bytes, agent_id: str = WANG, acks: bool = True) -> None:
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.line.window"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        options = {"store": str(store), "key": key.hex(), "agent_id": agent_id, "acks": acks}
        self._write(replace(setup, agent_id=agent_id).to_json(), json.dumps(options))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.ready = self.wait("ready")

    def order(self, **what: Any) -> None:
        self._write(json.dumps(what))

    def ask(self, question: str) -> Any:
        self.order(**{question: True})
        return self.wait(question)[question]

    def wait(self, key: str, value: Any = None, timeout: float = 15.0) -> dict[str, Any]:
        """The next thing said that has this key, with this value if one is given."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                said = self.said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the window never said {key} {value or ''}") from None
            if key in said and value in (None, said[key]):
                return said

    def records_settled(self, count: int) -> list[dict[str, Any]]:
        """The store's records, once there are so many and the line process has forgotten all of them."""
        deadline = time.monotonic() + 10
        while True:
            records: list[dict[str, Any]] = self.ask("records")
            if len(records) >= count and not self.ask("unacknowledged"):
                return records
            assert time.monotonic() < deadline, (records, self.ask("unacknowledged"))
            time.sleep(0.1)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(5)
        self._thread.join(5)
        end_process(self.process)

    def _write(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(json.loads(line))


@pytest.fixture
def debtor(tmp_path: Path) -> Iterator[Seat]:
    seat = start_seat(tmp_path, "debtor", audio=AudioConfig("files", str(DEBTOR)))
    yield seat
    seat.port.stop()


@pytest.fixture
def setup(tmp_path: Path, debtor: Seat) -> Iterator[LineSetup]:
    """The collector's seat: its process is started by the first window, and ended after the test."""
    made = make_setup(tmp_path, "collector", peer_port=debtor.sip_port)
    yield made
    last = LineSupervisor(made)
    last.start()
    last.request(Shutdown)
    last.leave()
    deadline = time.monotonic() + 15
    while Path(last._address).exists() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture
def window(tmp_path: Path, setup: LineSetup) -> Iterator[Callable[..., Window]]:
    key = secrets.token_bytes(32)
    opened: list[Window] = []

    def open_(agent_id: str = WANG, **options: Any) -> Window:
        store = tmp_path / f"desk-{agent_id}.db"
        opened.append(Window(options.pop("setup", setup), store, key, agent_id, **options))
        return opened[-1]

    yield open_
    for each in opened:
        each.kill()


def in_a_call(window: Window, debtor: Seat) -> tuple[str, str]:
    window.order(dial=NUMBER)
    call_id = window.wait("dialled")["dialled"]
    incoming = debtor.wait(CallIncoming, lambda e: e.call_id not in {x.call_id for x in debtor.seen(CallEnded)})
    debtor.port.request(lambda i: Answer(i, incoming.call_id))
    window.wait("state", "active")
    while not window.wait("call", call_id)["recording"]:
        pass
    return call_id, incoming.call_id


def test_a_window_killed_in_mid_call_is_replaced_by_one_that_shows_and_controls_it(
    window: Callable[..., Window], debtor: Seat
) -> None:
    first = window()
    assert first.ready["starts"] == 1
    call_id, _ = in_a_call(first, debtor)
    first.kill()
    time.sleep(1)
    second = window()
    assert second.ready["starts"] == 0, "the line process did not outlive its window"
    print(f"taken over in {second.ready['s']:.3f} s")
    assert second.ready["s"] < 2
    second.order(hang_up=call_id)
    over = second.wait("state", "ended")
    assert (over["call"], over["cause"]) == (call_id, "hung_up")
    assert over["recording"]
    debtor.wait(CallEnded)
    [record] = second.records_settled(1)
    assert (record["id"], record["agent_id"], record["recording_id"]) == (call_id, WANG, over["recording"])
    assert record["talk_ms"] > 900


def test_calls_that_ended_began_or_were_missed_with_no_window_are_recorded_once(
    window: Callable[..., Window], debtor: Seat, setup: LineSetup
) -> None:
    first = window()
    call_id, far_id = in_a_call(first, debtor)
    first.kill()
    debtor.port.request(lambda i: HangUp(i, far_id))
    debtor.wait(CallEnded)
    call_in(debtor, setup)

    second = window(acks=False)
    records = {r["id"]: r for r in second.ask("records")}
    assert len(records) == 2
    assert records[call_id]["cause"] == "far_hung_up"
    assert records[call_id]["recording_id"]
    [missed] = [r for r in records.values() if r["id"] != call_id]
    assert (missed["cause"], missed["direction"], missed["answered_at"]) == ("missed", "inbound", None)
    assert {r["agent_id"] for r in records.values()} == {WANG}
    assert set(second.ask("unacknowledged")) == set(records)
    second.kill()  # after its commit, before a receipt

    third = window()
    assert {r["id"] for r in third.records_settled(2)} == set(records)
    assert len(third.ask("records")) == 2


def call_in(debtor: Seat, setup: LineSetup) -> None:
    """Ring at the collector's for a moment, and give up."""
    watch = LineSupervisor(setup)
    watch.start()
    uri = watch.request(GetSnapshot)["lines"][0]["uri"]
    watch.leave()
    port = int(uri.rsplit(":", 1)[1].split(";")[0])
    debtor.port.request(lambda i: AddLine(i, LineConfig("back", "debtor", "1002", peer=f"127.0.0.1:{port}")))
    call_id = str(uuid.uuid4())
    debtor.port.request(lambda i: Dial(i, call_id, "back", "1001"))
    debtor.wait(CallState, lambda e: e.call_id == call_id and e.state == "ringing")
    debtor.port.request(lambda i: HangUp(i, call_id))
    debtor.wait(CallEnded, lambda e: e.call_id == call_id)


def test_a_record_waits_for_the_person_whose_call_it_was(
    window: Callable[..., Window], debtor: Seat, setup: LineSetup
) -> None:
    wang = window(WANG)
    call_id, far_id = in_a_call(wang, debtor)
    wang.kill()
    debtor.port.request(lambda i: HangUp(i, far_id))
    debtor.wait(CallEnded)

    li = window(LI)
    assert li.ask("records") == []
    assert li.ask("unacknowledged") == [call_id]
    own, far_id = in_a_call(li, debtor)
    debtor.port.request(lambda i: HangUp(i, far_id))
    li.wait("state", "ended")
    deadline = time.monotonic() + 10
    while li.ask("unacknowledged") != [call_id]:
        assert time.monotonic() < deadline
    assert [(r["id"], r["agent_id"]) for r in li.ask("records")] == [(own, LI)]
    li.kill()

    again = window(WANG)
    assert [(r["id"], r["agent_id"]) for r in again.records_settled(1)] == [(call_id, WANG)]


def test_a_call_that_changes_hands_stays_that_of_who_began_it(window: Callable[..., Window], debtor: Seat) -> None:
    wang = window(WANG)
    call_id, _ = in_a_call(wang, debtor)
    wang.kill()
    li = window(LI)
    li.order(hang_up=call_id)
    li.wait("state", "ended")
    time.sleep(1.5)  # longer than the window waits for an end that nobody told
    assert li.ask("records") == []
    li.kill()
    [record] = window(WANG).records_settled(1)
    assert (record["id"], record["agent_id"], record["cause"]) == (call_id, WANG, "hung_up")


def test_the_line_process_stops_itself_by_the_policy_once_the_call_is_over(
    window: Callable[..., Window], debtor: Seat, setup: LineSetup
) -> None:
    first = window(setup=replace(setup, policy=LinePolicy(idle_exit_s=300.0)))
    _, far_id = in_a_call(first, debtor)
    pid = line_pid(setup)
    first.kill()
    second = window(setup=replace(setup, policy=LinePolicy(idle_exit_s=1.0)))  # a later sign-in, a newer policy
    assert second.ready["starts"] == 0
    second.kill()
    time.sleep(3)
    assert Path(f"/proc/{pid}").exists(), "it must not end in a call"
    debtor.port.request(lambda i: HangUp(i, far_id))
    wait_gone(pid, 15)


def line_pid(setup: LineSetup) -> int:
    watch = LineSupervisor(replace(setup, policy=LinePolicy(idle_exit_s=300.0)))
    watch.start()
    pid = int(watch.request(Hello)["pid"])
    watch.leave()
    return pid


def test_a_killed_line_process_is_back_within_a_second_with_its_lines(tmp_path: Path) -> None:
    seat = start_seat(tmp_path, "crashing")
    try:
        lost: list[float] = []
        seat.port.lost.join(lambda reason: lost.append(time.monotonic()))
        seat.events.clear()
        os.kill(seat.pid, signal.SIGKILL)
        back = seat.wait(Snapshot, timeout=15)
        took = time.monotonic() - lost[0]
        print(f"line process back after {took:.2f} s")
        assert [(line.line_id, line.state) for line in back.lines] == [("line", "ready")]
        assert took < 6, "its start is far too slow"
        assert seat.port.starts == 2
    finally:
        seat.port.stop()
