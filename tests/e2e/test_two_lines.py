"""The desk's services on a real line process with two lines, and two real far ends: consultation, conference,
do-not-disturb that outlives the line process, records."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent_desktop.domain.dial_plan import DialPlan
from agent_desktop.services.calls import CallView
from agent_desktop.services.errors import Problem
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.line_roster import SeatLine
from agent_desktop.services.line_supervisor import LineSupervisor, start_line
from agent_desktop.services.phone import PhoneService
from agent_desktop.services.seat_choices import SeatChoices
from telephony.messages import (
    Answer,
    AudioConfig,
    CallEnded,
    CallIncoming,
    Dial,
    Hello,
    LineConfig,
)
from tests.support.call_room import Room, problem_of
from tests.support.lines import COLLECTOR, Seat, start_seat
from tests.support.seat import wait_for

PATIENCE_S = 30.0


class RealRoom:
    """A collector's calls and telephone on a line process of their own: a direct line, and an extension."""

    def __init__(self, folder: Path, debtor: Seat, colleague: Seat) -> None:
        self.lines = [
            SeatLine(
                LineConfig("direct", "", "02161234567", peer=f"127.0.0.1:{debtor.sip_port}"),
                DialPlan(area_code="021", allowed=("local", "mobile", "national")),
            ),
            SeatLine(
                LineConfig("extension", "", "1001", peer=f"127.0.0.1:{colleague.sip_port}"),
                DialPlan(outside_prefix="9"),
            ),
        ]
        seat = folder / "collector"
        setup = replace(
            debtor.setup,
            seat_id="seat-collector",
            spool=seat / "spool",
            records=seat / "calls.journal",
            log_file=seat / "line.log",
            lines=tuple(line.config for line in self.lines),
        )
        self.port: LineSupervisor = start_line(setup)
        self.room = Room(seat, lines=self.lines)
        self.choices = SeatChoices(seat / "devices.json")
        commands = LineCommands()
        commands.use(self.port)
        self.phone = PhoneService(self.room.lines, commands, self.choices)
        for listener in (self.room.lines.on_event, self.phone.on_event):
            self.port.events.join(listener)
        for lost in (self.room.lines.on_lost, self.phone.on_lost):
            self.port.lost.join(lost)
        snapshot = self.room.calls.use_line(self.port)
        for listener in (self.room.lines.on_event, self.phone.on_event):
            listener(snapshot)

    @property
    def current(self) -> CallView:
        view = self.room.calls.current
        assert view is not None
        return view

    def close(self) -> None:
        self.port.stop()
        self.room.close()


@pytest.fixture
def far_ends(tmp_path: Path, runtime_dir: str) -> Iterator[tuple[Seat, Seat]]:
    debtor, colleague = start_seat(tmp_path, "debtor"), start_seat(tmp_path, "colleague")
    yield debtor, colleague
    debtor.port.stop()
    colleague.port.stop()


@pytest.fixture
def here(tmp_path: Path, far_ends: tuple[Seat, Seat]) -> Iterator[RealRoom]:
    made = RealRoom(tmp_path, *far_ends)
    yield made
    made.close()


def _answer(far_end: Seat) -> CallIncoming:
    event = far_end.wait(CallIncoming, timeout=PATIENCE_S)
    far_end.port.request(lambda i: Answer(i, event.call_id))
    return event


def _until(what: Callable[[], object]) -> None:
    wait_for(what, PATIENCE_S)


def test_a_consultation_call_on_the_other_line_and_a_conference(here: RealRoom, far_ends: tuple[Seat, Seat]) -> None:
    debtor, colleague = far_ends
    calls = here.room.calls
    _until(lambda: all(line.usable for line in here.phone.lines))
    first = calls.dial_number("6123-0000")
    assert _answer(debtor).dialled == "02161230000"
    _until(lambda: here.current.state == "active")
    second = calls.dial_number("1002")
    assert _answer(colleague).dialled == "1002"
    _until(lambda: here.current.id == second and here.current.state == "active")
    _until(lambda: [(c.line_id, c.held) for c in calls.calls] == [("direct", True), ("extension", False)])
    assert problem_of(calls.dial_number, "1003") is Problem.LINE_BUSY
    calls.switch_to(first)
    _until(lambda: here.current.id == first and not here.current.held)
    calls.set_conference(True)
    _until(lambda: all(call.conference for call in calls.calls))
    calls.set_conference(False)
    _until(lambda: not any(call.conference for call in calls.calls))
    for call_id in (second, first):
        calls.hang_up(call_id)
    _until(lambda: len(here.room.records()) == 2)
    kept = {r["id"]: (r["number"], r["line_id"], r["cause"]) for r in here.room.records()}
    assert kept == {
        first: ("+862161230000", "direct", "hung_up"),
        second: ("1002", "extension", "hung_up"),
    }
    assert calls.last_dialled == "1002"


def test_what_the_far_end_declines_is_a_transfer_that_failed(here: RealRoom, far_ends: tuple[Seat, Seat]) -> None:
    """A seat takes no transfers from its far end: our own stands for such a PBX."""
    told: list[str] = []
    here.room.calls.transfers.join(lambda view: told.append(view.state))
    call_id = here.room.calls.dial_number("13800006021")
    _answer(far_ends[0])
    _until(lambda: here.current.state == "active")
    here.room.calls.transfer(call_id, "61230001")
    _until(lambda: told and told[-1] == "failed")
    assert here.current.id == call_id
    here.room.calls.hang_up(call_id)
    _until(here.room.records)


def test_do_not_disturb_outlives_the_line_process(here: RealRoom, tmp_path: Path) -> None:
    here.phone.set_answering(do_not_disturb=True, auto_answer=False)
    _until(lambda: here.phone.answering.do_not_disturb)
    killed = int(here.port.request(Hello)["pid"])
    os.kill(killed, signal.SIGKILL)
    _until(lambda: here.port.starts == 2 and all(line.usable for line in here.phone.lines))
    _until(lambda: here.phone.answering.do_not_disturb)
    caller = start_seat(tmp_path, "caller", peer_port=int(here.phone.lines[0].uri.rsplit(":", 1)[1]))
    try:
        call_id = str(uuid.uuid4())
        caller.port.request(lambda i: Dial(i, call_id, "line", "02161234567"))
        refused = caller.wait(CallEnded, lambda e: e.call_id == call_id, PATIENCE_S)
    finally:
        caller.port.stop()
    assert refused.sip_code == 480
    _until(here.room.records)
    (record,) = here.room.records()
    assert (record["direction"], record["cause"], record["answered_at"]) == ("inbound", "missed", None)
    assert here.room.calls.calls == ()


def test_devices_that_were_chosen_are_used_and_remembered(here: RealRoom, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    chosen = AudioConfig("files", str(COLLECTOR), str(heard))
    here.phone.set_audio(chosen)
    _until(lambda: here.phone.audio.kind == "files")
    assert here.choices.audio == chosen
    levels: list[float] = []
    here.phone.test_levels.join(levels.append)
    here.phone.test_audio("loopback")
    _until(lambda: any(level > -60 for level in levels))
    here.phone.test_audio("off")
    assert problem_of(here.phone.set_audio, AudioConfig("device", "no such microphone")) is Problem.NO_SUCH_DEVICE
    assert here.choices.audio == chosen
    assert set(here.phone.devices().__dataclass_fields__) == {"microphones", "speakers", "ringers"}
