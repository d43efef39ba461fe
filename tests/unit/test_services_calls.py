"""Calls: screen pop, dialling, records, take-over after a crash; over a scripted line and the real store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_desktop.domain.models import Case, CaseMatch, Contact, ContactState, Direction
from agent_desktop.services.errors import DeskError, Problem
from telephony import messages
from tests.support.call_room import Api, Room, problem_of
from tests.support.desk_data import (
    ME,
    NOON,
    make_call,
    make_case,
    make_contact,
    new_id,
    page,
    upsert,
)
from tests.support.scripted_line import ended, incoming, recording, state
from tests.support.seat import wait_for


@pytest.fixture
def case() -> Case:
    return make_case()


@pytest.fixture
def contact(case: Case) -> Contact:
    return make_contact(case)


@pytest.fixture
def room(tmp_path: Path, case: Case, contact: Contact) -> Iterator[Room]:
    made = Room(tmp_path)
    other = make_case()
    shared = "+8613911112222"
    made.store.changes.apply(
        page(
            upsert(case),
            upsert(contact),
            upsert(other),
            upsert(make_contact(case, shared)),
            upsert(make_contact(other, shared)),
        )
    )
    made.use_line()
    yield made
    made.close()


@pytest.mark.parametrize("number", ["13800006021", "013800006021", "+8613800006021", "008613800006021"])
def test_the_first_event_of_a_call_brings_its_case_ready_to_paint(
    room: Room, case: Case, contact: Contact, number: str
) -> None:
    room.emit(incoming("a", number))
    view = room.seen[0]
    assert (view.direction, view.state, view.number) == (Direction.INBOUND, "ringing", "+8613800006021")
    assert (view.case_id, view.contact, len(view.matches)) == (case.id, contact, 1)
    assert view.detail is not None
    assert view.detail.case == case
    assert view.invited_ns > 0
    assert room.calls.current == view


def test_several_cases_give_a_choice_and_attaching_takes_it(room: Room, case: Case) -> None:
    room.emit(incoming("a", "13911112222"))
    view = room.seen[0]
    assert (len(view.matches), view.case_id, view.detail) == (2, "", None)
    room.calls.attach("a", case.id)
    assert room.seen[-1].case_id == case.id
    assert room.seen[-1].contact is not None
    assert room.seen[-1].contact.case_id == case.id
    room.emit(ended("a", direction="inbound", number="13911112222"))
    assert room.records()[0]["case_id"] == case.id
    assert problem_of(room.calls.attach, "a", case.id) is Problem.CALL_GONE


def test_an_unknown_number_is_asked_of_the_server_without_holding_the_line_up(tmp_path: Path) -> None:
    elsewhere = make_case()
    contact = make_contact(elsewhere, "+8613700001111")
    room = Room(tmp_path, Api([CaseMatch(elsewhere, contact)]))
    try:
        room.use_line()
        room.emit(incoming("a", "13700001111"))
        assert room.seen[0].matches == ()
        wait_for(lambda: len(room.seen) > 1)
        assert (room.seen[-1].case_id, room.seen[-1].contact) == (elsewhere.id, contact)
        assert room.api.asked == ["+8613700001111"]
        room.emit(ended("a", direction="inbound", number="13700001111"), incoming("b", "anonymous"))
        room.api.away = True
        room.emit(ended("b", "missed", direction="inbound", number="anonymous", answered_at=""))
        assert [r["number"] for r in room.records()] == ["+8613700001111", "anonymous"]
    finally:
        room.close()


@pytest.mark.parametrize(
    ("number", "dialled"),
    [("+8613800006021", "13800006021"), ("+861088887777", "01088887777"), ("1001", "1001")],
)
def test_dialling_asks_for_the_national_form(room: Room, number: str, dialled: str) -> None:
    call_id = room.calls.dial_number(number)
    command = room.line.last(messages.Dial)
    assert (command.call_id, command.line_id, command.digits) == (call_id, "line-1", dialled)
    assert command.number == number


def test_a_call_from_dial_to_record(room: Room, case: Case, contact: Contact) -> None:
    call_id = room.calls.dial(contact)
    assert room.calls.current is not None
    assert (room.calls.current.state, room.calls.current.contact) == ("dialing", contact)
    room.emit(state(call_id, "ringing"), state(call_id, "active", answered_at="2026-11-23T04:00:08Z", codec="PCMA"))
    room.emit(recording(call_id, rec := new_id(), sealed_ms=2_000, problem="far_silent"))
    view = room.seen[-1]
    assert (view.recording_id, view.recording_state, view.sealed_ms) == (rec, "recording", 2_000)
    assert (view.recording_problem, view.codec) == ("far_silent", "PCMA")
    for command, do in (
        (messages.SetMute, lambda: room.calls.set_mute(call_id, True)),
        (messages.SetHold, lambda: room.calls.set_hold(call_id, True)),
        (messages.SendDtmf, lambda: room.calls.send_dtmf(call_id, "12#")),
        (messages.HangUp, lambda: room.calls.hang_up(call_id)),
    ):
        do()
        assert room.line.last(command).call_id == call_id
    room.emit(state(call_id, "ended"), ended(call_id, recording_id=rec))
    assert [v.state for v in room.seen].count("ended") == 1
    last = room.seen[-1]
    assert (last.cause, last.ended_at) == ("far_hung_up", datetime(2026, 11, 23, 4, 1, 8, tzinfo=UTC))
    assert room.calls.current is None
    record = room.records()[0]
    expected = {"id": call_id, "case_id": case.id, "contact_id": contact.id, "agent_id": ME.id, "talk_ms": 60_000}
    assert expected.items() <= record.items()
    assert (record["number"], record["recording_id"], record["cause"]) == (contact.number, rec, "far_hung_up")
    assert record["quality"] == {"codec": "PCMA", "rx_lost": 2}
    detail = room.cases.detail(case.id)
    assert [e.call.id for e in detail.timeline if e.call] == [call_id]
    assert next(r for r in detail.contacts if r.contact == contact).attempts_today == 1
    assert frozenset({case.id}) in room.touched
    assert room.woken == 1
    assert room.store.work.open_calls() == {}


def test_the_end_of_a_call_told_twice_is_one_record(room: Room, contact: Contact) -> None:
    call_id = room.calls.dial(contact)
    room.emit(ended(call_id), ended(call_id, "line_lost"))
    assert [r["cause"] for r in room.records()] == ["far_hung_up"]
    assert [v.state for v in room.seen].count("ended") == 1


def test_who_must_not_be_called_is_not_called(room: Room, case: Case, contact: Contact) -> None:
    stale = contact
    room.cases.set_contact_state(contact.id, ContactState.DO_NOT_CALL)
    assert problem_of(room.calls.dial, stale) is Problem.DO_NOT_CALL
    assert problem_of(room.calls.dial_number, "13800006021") is Problem.DO_NOT_CALL
    # The same person as somebody else's contact, under the same number.
    assert problem_of(room.calls.dial, make_contact(make_case())) is Problem.DO_NOT_CALL
    assert not any(isinstance(c, messages.Dial) for c in room.line.commands)
    assert room.calls.current is None


@pytest.mark.parametrize("number", ["", "anonymous", "sip:x@y"])
def test_what_is_no_number_is_not_dialled(room: Room, number: str) -> None:
    assert problem_of(room.calls.dial_number, number) is Problem.BAD_NUMBER


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("away", Problem.LINE_AWAY),
        ("line_not_ready", Problem.LINE_NOT_READY),
        ("line_busy", Problem.LINE_BUSY),
        ("bad_number", Problem.BAD_NUMBER),
        ("bad_message", Problem.UNEXPECTED),
    ],
)
def test_a_refused_dial_says_why_and_leaves_nothing(room: Room, contact: Contact, code: str, problem: Problem) -> None:
    room.line.refuse[messages.Dial] = code
    assert problem_of(room.calls.dial, contact) is problem
    assert room.calls.current is None
    wait_for(lambda: room.store.work.open_calls() == {})
    assert room.records() == []
    del room.line.refuse[messages.Dial]
    room.calls.dial(contact)


def test_two_calls_at_a_time(room: Room, contact: Contact) -> None:
    room.calls.dial(contact)
    room.calls.dial_number("1002")
    assert problem_of(room.calls.dial, contact) is Problem.LINE_BUSY
    assert problem_of(room.calls.hang_up, new_id()) is Problem.CALL_GONE


def test_without_a_line_nothing_can_be_dialled(tmp_path: Path) -> None:
    room = Room(tmp_path)
    assert problem_of(room.calls.dial_number, "13800006021") is Problem.LINE_AWAY
    assert room.calls.current is None
    room.close()


def test_levels_of_this_seats_calls_only(room: Room, contact: Contact) -> None:
    heard: list[object] = []
    room.calls.levels.join(heard.append)
    call_id = room.calls.dial(contact)
    room.emit(messages.Levels(call_id, -20.0, -30.0), messages.Levels("a lead's", -1.0, -1.0))
    assert len(heard) == 1


def test_a_leads_own_listening_leg_is_no_call(room: Room) -> None:
    room.emit(state("leg", "active", monitored=True), ended("leg", monitored=True))
    assert (room.seen, room.records()) == ([], [])


def test_a_restarted_window_goes_on_with_the_call(tmp_path: Path, case: Case, contact: Contact) -> None:
    first = Room(tmp_path)
    first.store.changes.apply(page(upsert(case), upsert(contact)))
    first.use_line()
    call_id = first.calls.dial(contact)
    first.emit(state(call_id, "active", answered_at="2026-11-23T04:00:08Z"))
    first.close()
    second = Room(tmp_path)
    second.line.calls = (state(call_id, "active", answered_at="2026-11-23T04:00:08Z", recording_id="r1"),)
    second.line.recordings = (recording(call_id, "r1", sealed_ms=5_000),)
    second.use_line()
    view = second.calls.current
    assert view is not None
    assert (view.id, view.case_id, view.contact, view.state) == (call_id, case.id, contact, "active")
    assert (view.number, view.sealed_ms) == (contact.number, 5_000)
    second.emit(ended(call_id, recording_id="r1"))
    assert [r["case_id"] for r in second.records()] == [case.id]
    second.close()


def test_a_call_that_ended_while_the_window_was_away_still_has_a_record(
    tmp_path: Path, case: Case, contact: Contact
) -> None:
    first = Room(tmp_path)
    first.store.changes.apply(page(upsert(case), upsert(contact)))
    first.use_line()
    call_id = first.calls.dial(contact)
    first.emit(state(call_id, "active", answered_at="2026-11-23T04:00:08Z"))
    first.close()
    second = Room(tmp_path)
    rec = new_id()
    second.line.recordings = (recording(call_id, rec, "sealed", sealed_ms=42_000),)
    second.use_line()
    wait_for(second.records)
    record = second.records()[0]
    assert (record["id"], record["case_id"], record["recording_id"]) == (call_id, case.id, rec)
    assert (record["talk_ms"], record["quality"]) == (42_000, {"end_seen": False})
    assert second.calls.current is None
    second.emit(ended(call_id))  # told late after all: the record stands
    assert len(second.records()) == 1
    second.close()


def test_a_line_process_that_crashed_in_a_call_ends_it(room: Room, contact: Contact) -> None:
    call_id = room.calls.dial(contact)
    room.emit(state(call_id, "active", answered_at="2026-11-23T04:00:08Z"))
    room.line.lost.emit("killed")
    room.emit(room.line.snapshot())  # of the new process, which knows nothing of the call
    wait_for(lambda: room.calls.current is None)
    assert (room.seen[-1].state, room.seen[-1].cause) == ("ended", "line_lost")
    assert [r["cause"] for r in room.records()] == ["line_lost"]


def test_a_connection_that_broke_for_a_moment_ends_nothing(room: Room, contact: Contact) -> None:
    call_id = room.calls.dial(contact)
    active = state(call_id, "active", answered_at="2026-11-23T04:00:08Z")
    room.emit(active)
    room.line.calls = (active,)
    room.emit(room.line.snapshot())
    assert room.calls.current is not None
    assert room.calls.current.state == "active"
    assert not any(v.state == "ended" for v in room.seen)


def test_a_snapshot_that_was_overtaken_changes_nothing(room: Room, contact: Contact) -> None:
    call_id = room.calls.dial(contact)
    ringing = state(call_id, "ringing")
    room.emit(ringing, state(call_id, "active", answered_at="2026-11-23T04:00:08Z"))
    room.line.calls = (ringing,)
    room.emit(room.line.snapshot())
    assert room.calls.current is not None
    assert room.calls.current.state == "active"
    room.emit(ended(call_id), room.line.snapshot())
    assert room.calls.current is None
    assert len(room.records()) == 1


def test_a_record_that_cannot_be_written_is_written_later(
    room: Room, contact: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DeskError(Problem.DISK_FULL)

    call_id = room.calls.dial(contact)
    with monkeypatch.context() as patch:
        patch.setattr(room.store.work, "add_call", full)
        room.emit(ended(call_id))
        assert room.records() == []
    assert room.calls.current is None
    room.emit(ended(again := room.calls.dial(contact)))
    assert [r["id"] for r in room.records()] == [call_id, again]


def test_clocks_that_jump_make_no_record_that_the_server_would_refuse(room: Room, contact: Contact) -> None:
    call_id = room.calls.dial(contact)
    room.emit(ended(call_id, ended_at="2026-11-23T03:00:00Z", talk_ms=-5))
    record = room.records()[0]
    assert record["started_at"] == record["ended_at"] == record["answered_at"]
    assert record["talk_ms"] == 0


def test_the_last_call_is_not_forgotten_by_a_later_one(room: Room, contact: Contact) -> None:
    """A call that waits while another is up keeps its own record."""
    call_id = room.calls.dial(contact)
    room.emit(incoming("waiting", "13911112222"))
    assert room.calls.current is not None
    assert room.calls.current.id == call_id
    room.emit(ended("waiting", "missed", direction="inbound", number="13911112222", answered_at="", talk_ms=0))
    room.emit(ended(call_id))
    assert [(r["direction"], r["cause"]) for r in room.records()] == [
        ("inbound", "missed"),
        ("outbound", "far_hung_up"),
    ]


def test_a_screen_pop_takes_milliseconds_while_pages_are_written(room: Room) -> None:
    changes = [upsert(make_contact(make_case(), f"+86137{n:08}")) for n in range(200)]
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            room.store.changes.apply(page(*changes))

    loader = threading.Thread(target=load)
    loader.start()
    took = []
    try:
        for n in range(100):
            begun = datetime.now(UTC)
            room.emit(incoming(f"c{n}", "13800006021"))
            took.append(datetime.now(UTC) - begun)
            assert room.seen[-1].detail is not None
    finally:
        stop.set()
        loader.join()
    assert sorted(took)[50] < timedelta(milliseconds=25)  # far above what is measured: the machine may be busy


def test_figures_count_the_seats_own_calls(room: Room, contact: Contact) -> None:
    room.emit(ended(room.calls.dial(contact)))
    room.store.changes.apply(page(upsert(replace(make_call(), agent_id=new_id()))))
    assert room.cases.figures().talk_seconds == 60
    room.clock.now = NOON + timedelta(days=1)
    assert room.cases.figures().talk_seconds == 0
