"""The sync worker's states, the indicators, the wallboard's listening leg, closing in stages."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_desktop.domain.models import SeatState
from agent_desktop.domain.sync import ChangePage, Operation, OperationResult
from agent_desktop.services.context import DeskContext
from agent_desktop.services.desk import Shutdown
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_keeper import LineKeeper
from agent_desktop.services.line_roster import LineRoster, SeatLine
from agent_desktop.services.status import StatusService, StatusView
from agent_desktop.services.wallboard import MonitorView, WallboardService
from agent_desktop.store.store import Store
from agent_desktop.sync.backoff import Backoff
from agent_desktop.sync.http import GrantAnswer
from agent_desktop.sync.outbox import OutboxSender
from agent_desktop.sync.pull import Puller
from agent_desktop.sync.worker import SyncState, SyncWorker
from recorder.uploader import UploadStatus
from telephony import messages
from telephony.client import LineError
from tests.support.desk_data import ME, NOON, Clock, make_case, make_note, note_operation, page, upsert
from tests.support.scripted_line import ScriptedLine, ended, state
from tests.support.seat import wait_for


class Server:
    """Answers as told. ``problem`` is raised instead of an answer."""

    def __init__(self) -> None:
        self.problem: Problem | None = None
        self.sent: list[list[str]] = []
        self.pages: list[ChangePage] = []
        self.answer: list[OperationResult] | None = None

    def send(self, operations: Sequence[Operation]) -> list[OperationResult]:
        if self.problem:
            raise DeskError(self.problem)
        self.sent.append([o.id for o in operations])
        return self.answer if self.answer is not None else [OperationResult(o.id, "done") for o in operations]

    def changes(self, since: int, limit: int) -> ChangePage:
        if self.problem:
            raise DeskError(self.problem)
        return self.pages.pop(0) if self.pages else ChangePage((), since, False)


class Room:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "desk.db", secrets.token_bytes(32))
        self.server, self.clock = Server(), Clock()
        self.states: list[SyncState] = []
        self.touched: list[frozenset[str]] = []
        self.worker = SyncWorker(
            OutboxSender(self.store.outbox, self.server),
            Puller(self.store.changes, self.server, self.touched.append),
            self.store.outbox,
            self.states.append,
            clock=self.clock,
            backoff=Backoff(uniform=lambda low, high: high),
            poll_s=30.0,
        )

    def add_note(self) -> str:
        note = make_note(make_case())
        self.store.work.add_note(note, note_operation(note))
        return note.id


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.worker.stop()
    made.store.close()


def test_being_offline_is_a_state_with_its_beginning(room: Room) -> None:
    assert room.worker.run_once().online
    room.server.problem = Problem.SERVER_AWAY
    room.add_note()
    first = room.worker.run_once()
    assert (first.online, first.offline_since, first.waiting) == (False, NOON, 1)
    room.clock.tick(minutes=5)
    assert room.worker.run_once().offline_since == NOON
    told = len(room.states)
    room.worker.run_once()
    assert len(room.states) == told, "told again though nothing had changed"
    room.server.problem = None
    back = room.worker.run_once()
    assert (back.online, back.offline_since, back.waiting, back.problem) == (True, None, 0, "")


@pytest.mark.parametrize("problem", [Problem.SERVER_ERROR, Problem.SERVER_UNTRUSTED, Problem.SIGNED_OUT])
def test_no_problem_loses_what_waits(room: Room, problem: Problem) -> None:
    note_id = room.add_note()
    room.server.problem = problem
    found = room.worker.run_once()
    assert found.waiting == 1
    assert found.signed_out is (problem is Problem.SIGNED_OUT)
    assert found.online is (problem is Problem.SIGNED_OUT)
    room.server.problem = None
    assert room.worker.run_once().waiting == 0
    assert room.server.sent == [[note_id]]


def test_batches_hold_fifty_at_most_and_keep_their_order(room: Room) -> None:
    ids = [room.add_note() for _ in range(120)]
    room.worker.run_once()
    assert [len(batch) for batch in room.server.sent] == [50, 50, 20]
    assert [i for batch in room.server.sent for i in batch] == ids


def test_an_answer_about_nothing_we_asked_changes_nothing(room: Room) -> None:
    room.add_note()
    room.server.answer = [OperationResult("another", "done"), OperationResult("third", "perhaps")]
    found = room.worker.run_once()
    assert (found.waiting, found.problem) == (1, "server_error")


def test_pages_follow_one_another_and_tell_of_their_cases(room: Room) -> None:
    first, second = make_case(), make_case()
    room.server.pages = [page(upsert(first), more=True), page(upsert(second))]
    room.worker.run_once()
    assert room.touched == [frozenset({first.id}), frozenset({second.id})]
    assert len(room.store.cases.facts()) == 2


def test_a_wake_runs_a_cycle_at_once(room: Room) -> None:
    room.worker.start()
    wait_for(lambda: room.states and room.states[-1].online)
    note_id = room.add_note()
    room.worker.wake()
    wait_for(lambda: room.server.sent == [[note_id]], 2)


def test_waits_double_up_to_a_minute_and_start_again() -> None:
    backoff = Backoff(uniform=lambda low, high: high)
    assert [backoff.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.next() == 1
    low = Backoff(uniform=lambda low, high: low)
    assert [low.next() for _ in range(3)] == [0.5, 1, 2]


def test_indicators_follow_the_line_and_the_workers() -> None:
    status = StatusService()
    told: list[StatusView] = []
    status.changed.join(told.append)
    lines = LineRoster([SeatLine(messages.LineConfig("line-1", "1001", "1001", "pbx.example:5060"))])
    lines.changed.join(status.on_lines)
    status.on_lines(())
    assert status.now.line_state == "none"
    lines.on_event(messages.LineState("line-1", "registered", 200, "OK", "sip:1001@10.0.0.2:5060"))
    assert (status.now.line_state, status.line_uri) == ("registered", "sip:1001@10.0.0.2:5060")
    status.on_line_event(messages.AudioState("device", "USB headset", "device_lost"))
    assert (status.now.audio, status.now.audio_problem) == ("USB headset", "device_lost")
    status.on_sync(SyncState(online=True, waiting=3, refused=1))
    status.on_uploads(UploadStatus(2, True, "server_away"))
    assert (status.now.outbox, status.now.refused, status.now.uploads_waiting) == (3, 1, 2)
    status.on_signed_out()
    status.on_signed_in()
    assert not status.now.signed_out
    lines.on_lost("killed")
    assert status.now.line_state == "away"
    count = len(told)
    lines.on_lost("killed")
    assert len(told) == count
    assert told[-1] == status.now
    with pytest.raises(ValueError, match="unknown agent state"):
        status.set_agent_state("asleep")


def _seat(name: str, state_: str = "ready") -> SeatState:
    return SeatState(
        f"seat-{name}", name, name, "一组", state_, NOON, "", "", "", "", "", "registered", False, "", 0, 0, 0
    )


class Wall:
    """The server's wallboard and grants."""

    def __init__(self) -> None:
        self.seats: list[SeatState] = []
        self.refused = False

    def wallboard(self) -> list[SeatState]:
        return self.seats

    def grant(self, seat_id: str, mode: str) -> GrantAnswer:
        if self.refused:
            raise DeskError(Problem.GRANT_REFUSED)
        return GrantAnswer("token", f"sip:{seat_id}@10.0.0.2:5060", "2026-11-23T04:00:30Z")


@pytest.fixture
def wall() -> tuple[WallboardService, Wall, ScriptedLine, list[MonitorView]]:
    api, line = Wall(), ScriptedLine()
    lines = LineRoster([SeatLine(messages.LineConfig(n, n, n, "pbx.example")) for n in ("line-0", "line-1")])
    lines.on_event(messages.LineState("line-1", "registered"))
    context = DeskContext(user=ME, store=None, api=api, clock=lambda: NOON, lines=lines)  # type: ignore[arg-type]
    service = WallboardService(context)
    told: list[MonitorView] = []
    service.monitor_changed.join(told.append)
    service.use_line(line)
    return service, api, line, told


def test_seats_on_a_call_come_first(wall: Any) -> None:
    service, api, _, _ = wall
    told: list[list[SeatState]] = []
    service.changed.join(told.append)
    api.seats = [_seat("b"), _seat("a"), _seat("z", "on_call")]
    assert [s.agent_name for s in service.seats()] == ["z", "a", "b"]
    service.on_seat(_seat("b", "on_call"))
    assert [s.agent_name for s in told[-1]] == ["b", "z", "a"]


def test_a_collector_is_one_row_from_absent_to_seated_to_another_seat(wall: Any) -> None:
    service, api, _, _ = wall
    absent = replace(_seat("a", "offline"), seat_id="user:a")
    here, there = _seat("a"), replace(_seat("a"), seat_id="seat-other")
    gone = replace(here, state="offline")
    told: list[list[SeatState]] = []
    service.changed.join(told.append)
    api.seats = [absent, _seat("b")]
    assert service.seats() == [_seat("b"), absent]
    assert not absent.seated
    for news, shown in (
        (here, [here, _seat("b")]),
        (gone, [_seat("b"), gone]),
        (there, [there, _seat("b")]),
        (gone, [there, _seat("b")]),
        (here, [here, there, _seat("b")]),
    ):
        service.on_seat(news)
        assert sorted(told[-1], key=lambda s: s.seat_id) == sorted(shown, key=lambda s: s.seat_id)
    service.on_seat(replace(here, agent_id="c", agent_name="c"))
    assert {s.seat_id for s in told[-1]} == {"seat-a", "seat-other", "seat-b"}


def test_listening_from_grant_to_end(wall: Any) -> None:
    service, _, line, told = wall
    service.listen("seat-a")
    command = line.last(messages.Monitor)
    assert (command.line_id, command.uri, command.grant) == ("line-1", "sip:seat-a@10.0.0.2:5060", "token")
    line.events.emit(messages.Levels("another", -1.0, -1.0))
    line.events.emit(state(command.call_id, "active", monitored=True))
    line.events.emit(messages.Levels(command.call_id, -100.0, -23.0))
    assert [v.state for v in told] == ["asking", "connecting", "on", "on"]
    assert (told[-1].heard_dbfs, told[-1].granted_at) == (-23.0, NOON)
    service.stop_listening()
    assert line.last(messages.HangUp).call_id == command.call_id
    assert (told[-1].state, told[-1].problem) == ("ended", "")
    line.events.emit(ended(command.call_id, monitored=True))
    assert [v.state for v in told].count("ended") == 1


def test_a_listening_leg_that_fails_says_why(wall: Any) -> None:
    service, api, line, told = wall
    service.listen("seat-a")
    line.events.emit(ended(line.last(messages.Monitor).call_id, "declined", sip_code=403, monitored=True))
    assert (told[-1].state, told[-1].problem) == ("failed", "grant_refused")
    api.refused = True
    with pytest.raises(DeskError) as caught:
        service.listen("seat-a")
    assert caught.value.problem is Problem.GRANT_REFUSED
    assert told[-1].state == "failed"
    api.refused = False
    line.refuse[messages.Monitor] = "line_busy"
    with pytest.raises(DeskError) as caught:
        service.listen("seat-a")
    assert caught.value.problem is Problem.LINE_BUSY
    del line.refuse[messages.Monitor]
    service.listen("seat-a")
    line.lost.emit("killed")
    assert (told[-1].state, told[-1].problem) == ("failed", "line_away")


def test_a_line_that_does_not_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_desktop.services.line_keeper.WAITS_S", (0.01,))
    line, tries, came = ScriptedLine(), [], threading.Event()
    away: list[str] = []

    def starter(_: object) -> ScriptedLine:
        tries.append(1)
        if len(tries) < 3:
            raise LineError("away", "not yet")
        return line

    keeper = LineKeeper(starter, None, lambda _: came.set(), away.append)  # type: ignore[arg-type]
    keeper.start()
    assert came.wait(5)
    assert (len(tries), len(away)) == (3, 2)
    keeper.stop()
    assert line.stopped


def test_closing_goes_on_after_a_stage_that_fails() -> None:
    done: list[str] = []

    def fails() -> None:
        done.append("fails")
        raise RuntimeError

    stages = Shutdown()
    stages.add("one", fails)
    stages.add("two", lambda: done.append("two"))
    stages.run()
    stages.run()
    assert done == ["fails", "two"]


def test_the_offline_time_is_the_clocks(room: Room) -> None:
    room.clock.now = NOON + timedelta(hours=1)
    room.server.problem = Problem.SERVER_AWAY
    assert room.worker.run_once().offline_since == NOON + timedelta(hours=1)
