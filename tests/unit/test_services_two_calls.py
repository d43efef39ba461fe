"""Two calls at a time: which one matters, consultation, transfer, conference, redial; which line a call goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_desktop.domain.dial_plan import DialPlan
from agent_desktop.domain.models import Case, Contact, ContactState
from agent_desktop.domain.number_places import NumberPlaces
from agent_desktop.services.calls import AlarmView, QualityView, TransferView
from agent_desktop.services.errors import Problem
from agent_desktop.services.line_roster import SeatLine
from agent_desktop.services.seat_publisher import SeatPublisher
from agent_desktop.services.status import StatusService
from recorder.uploader import UploadStatus
from telephony import messages
from tests.support.call_room import Room, problem_of
from tests.support.desk_data import make_case, make_contact, page, upsert
from tests.support.scripted_line import ended, incoming, recording, state
from tests.support.seat import wait_for

ANSWERED = "2026-11-23T04:00:08Z"


@pytest.fixture
def case() -> Case:
    return make_case()


@pytest.fixture
def contact(case: Case) -> Contact:
    return make_contact(case)


@pytest.fixture
def room(tmp_path: Path, case: Case, contact: Contact) -> Iterator[Room]:
    made = Room(tmp_path)
    made.store.changes.apply(page(upsert(case), upsert(contact)))
    made.use_line()
    yield made
    made.close()


def _talk(room: Room, number: str = "13900001111") -> str:
    call_id = room.calls.dial_number(number)
    room.emit(state(call_id, "active", number=number, answered_at=ANSWERED))
    return call_id


def _current(room: Room) -> str:
    view = room.calls.current
    return view.id if view else ""


def test_a_consultation_call_comes_first_until_the_other_is_taken_again(room: Room) -> None:
    debtor = _talk(room)
    leader = room.calls.dial_number("1002")
    room.emit(state(debtor, "active", number="13900001111", held=True, answered_at=ANSWERED))
    assert [view.id for view in room.calls.calls] == [debtor, leader]
    assert _current(room) == leader
    room.emit(state(leader, "ringing", number="1002"))
    assert _current(room) == leader
    room.emit(state(leader, "active", number="1002", answered_at=ANSWERED))
    assert _current(room) == leader
    room.calls.switch_to(debtor)
    assert room.line.last(messages.SwitchTo).call_id == debtor
    room.emit(state(leader, "active", number="1002", held=True, answered_at=ANSWERED))
    room.emit(state(debtor, "active", number="13900001111", answered_at=ANSWERED))
    assert _current(room) == debtor
    room.emit(ended(debtor, number="13900001111"))
    assert _current(room) == leader
    room.emit(ended(leader, number="1002"))
    assert (room.calls.current, room.calls.calls) == (None, ())
    assert [r["number"] for r in room.records()] == ["+8613900001111", "1002"]


def test_a_second_call_that_comes_in_pops_its_case_and_waits(room: Room, case: Case) -> None:
    talking = _talk(room)
    room.emit(incoming("b", "13800006021"))
    assert room.seen[-1].detail is not None
    assert room.seen[-1].case_id == case.id
    assert _current(room) == talking
    assert problem_of(room.calls.dial_number, "1002") is Problem.LINE_BUSY
    room.calls.answer("b")
    room.emit(state(talking, "active", held=True, answered_at=ANSWERED))
    assert _current(room) == "b"  # it rings, the other waits
    room.emit(state("b", "active", direction="inbound", answered_at=ANSWERED))
    assert _current(room) == "b"
    room.emit(ended("b", direction="inbound"))
    assert _current(room) == talking


@pytest.mark.parametrize(("reason", "sent"), [((), "busy"), (("decline",), "decline"), (("not_found",), "not_found")])
def test_a_call_is_rejected_with_a_reason(room: Room, reason: tuple[str, ...], sent: str) -> None:
    room.emit(incoming("a", "13800006021"))
    room.calls.reject("a", *reason)
    assert room.line.last(messages.Reject) == messages.Reject(room.line.commands[-1].id, "a", sent)


def test_a_blind_transfer_sends_what_the_line_dials_and_keeps_what_is_meant(room: Room) -> None:
    told: list[TransferView] = []
    room.calls.transfers.join(told.append)
    call_id = _talk(room)
    room.calls.transfer(call_id, "010-88887777")
    command = room.line.last(messages.Transfer)
    assert (command.call_id, command.number, command.digits) == (call_id, "+861088887777", "01088887777")
    room.emit(messages.TransferState(call_id, "+861088887777", "trying"))
    room.emit(messages.TransferState("a lead's", "1", "trying"))
    room.emit(messages.TransferState(call_id, "+861088887777", "failed", 486, "Busy"))
    assert told == [
        TransferView(call_id, "+861088887777", "trying"),
        TransferView(call_id, "+861088887777", "failed", 486),
    ]
    assert _current(room) == call_id  # a transfer that failed leaves the call
    room.emit(ended(call_id, "transferred"))
    assert (room.seen[-1].cause, room.records()[0]["cause"]) == ("transferred", "transferred")
    room.emit(messages.TransferState(call_id, "+861088887777", "done", 200))
    assert told[-1].state == "done"


def test_nobody_is_sent_where_calls_must_not_go(room: Room, contact: Contact) -> None:
    room.cases.set_contact_state(contact.id, ContactState.DO_NOT_CALL)
    call_id = _talk(room)
    assert problem_of(room.calls.transfer, call_id, contact.number) is Problem.DO_NOT_CALL
    assert problem_of(room.calls.dial, contact) is Problem.DO_NOT_CALL  # nor in a consultation call
    assert problem_of(room.calls.transfer, call_id, "nobody") is Problem.BAD_NUMBER
    assert problem_of(room.calls.transfer, "gone", "1002") is Problem.CALL_GONE
    assert not any(isinstance(command, messages.Transfer) for command in room.line.commands)


@pytest.mark.parametrize(
    "number", ["138000060210", "*7213800006021", "10113800006021", "#31#13800006021", "9,13800006021"]
)
def test_digits_around_a_number_do_not_get_round_do_not_call(room: Room, contact: Contact, number: str) -> None:
    room.cases.set_contact_state(contact.id, ContactState.DO_NOT_CALL)
    assert problem_of(room.calls.dial_number, number) in (Problem.DO_NOT_CALL, Problem.BAD_NUMBER)
    assert not any(isinstance(command, messages.Dial) for command in room.line.commands)


def test_a_local_number_without_area_code_may_be_one_that_must_not_be_called(room: Room, case: Case) -> None:
    landline = make_contact(case, "+862165551234", state=ContactState.DO_NOT_CALL)
    room.store.changes.apply(page(upsert(landline)))
    assert problem_of(room.calls.dial_number, "6555-1234") is Problem.DO_NOT_CALL
    room.calls.dial_number("6555-1235")
    room.calls.dial_number("1234")


def test_attended_transfer_and_conference_are_one_command_each(room: Room) -> None:
    debtor = _talk(room)
    leader = _talk(room, "1002")
    room.calls.transfer_to_call(debtor, leader)
    command = room.line.last(messages.TransferToCall)
    assert (command.call_id, command.other_call_id) == (debtor, leader)
    assert problem_of(room.calls.transfer_to_call, debtor, "gone") is Problem.CALL_GONE
    room.calls.set_conference(True)
    assert room.line.last(messages.SetConference).on is True
    for call_id in (debtor, leader):
        room.emit(state(call_id, "active", conference=True, encrypted=True, answered_at=ANSWERED))
    assert all(view.conference and view.encrypted for view in room.calls.calls)
    room.calls.leave_conference()
    assert isinstance(room.line.commands[-1], messages.LeaveConference)
    room.line.refuse[messages.SetConference] = "wrong_state"
    assert problem_of(room.calls.set_conference, False) is Problem.NOT_NOW


def test_quality_and_alarms_of_this_seats_calls_only(room: Room) -> None:
    quality: list[QualityView] = []
    alarms: list[AlarmView] = []
    room.calls.quality.join(quality.append)
    room.calls.alarms.join(alarms.append)
    call_id = _talk(room)
    for who in (call_id, "a lead's"):
        room.emit(messages.CallQuality(who, "PCMA", 0.5, 3.0, -1.0, -1.0, 40.0, 91.0, 4.3))
        room.emit(messages.CallAlarm(who, "no_rtp", True))
    assert quality == [QualityView(call_id, "PCMA", 0.5, 3.0, -1.0, 40.0, 4.3)]
    assert alarms == [AlarmView(call_id, "no_rtp", True)]


def test_a_record_that_cannot_be_kept_stops_the_call(room: Room) -> None:
    room.line.refuse[messages.Dial] = "record_failed"
    assert problem_of(room.calls.dial_number, "1002") is Problem.RECORD_FAILED
    assert room.calls.calls == ()


def test_who_sent_the_caller_and_how_it_was_answered(room: Room) -> None:
    event = incoming("a", "13800006021")
    room.emit(messages.CallIncoming(event.call_id, "line-1", event.number, "", "1001", event.at, 1, "010-88887777"))
    assert room.seen[-1].transferred_by == "+861088887777"
    room.emit(state("a", "active", direction="inbound", auto_answered=True, answered_at=ANSWERED))
    assert (room.seen[-1].auto_answered, room.seen[-1].transferred_by) == (True, "+861088887777")


# --- redial ---


def test_redial_is_for_the_same_case_and_asks_again_whether_it_may(room: Room, case: Case, contact: Contact) -> None:
    assert room.calls.last_dialled == ""
    assert problem_of(room.calls.redial) is Problem.BAD_NUMBER
    room.emit(ended(room.calls.dial(contact), "busy"))
    assert room.calls.last_dialled == contact.number
    again = room.calls.redial()
    assert (room.seen[-1].state, _current(room)) == ("ended", again)
    view = room.calls.current
    assert view is not None
    assert (view.case_id, view.contact) == (case.id, contact)
    room.emit(ended(again, "busy"))
    room.cases.set_contact_state(contact.id, ContactState.DO_NOT_CALL)
    assert problem_of(room.calls.redial) is Problem.DO_NOT_CALL


def test_redial_outlives_the_window(tmp_path: Path, case: Case, contact: Contact) -> None:
    first = Room(tmp_path)
    first.store.changes.apply(page(upsert(case), upsert(contact)))
    first.use_line()
    first.emit(ended(first.calls.dial(contact), number=contact.number))
    first.emit(ended("in", direction="inbound", number="13900001111", started_at="2026-11-23T05:00:00Z"))
    first.close()
    second = Room(tmp_path)
    second.use_line()
    try:
        assert second.calls.last_dialled == contact.number
        second.calls.redial()
        assert second.line.last(messages.Dial).number == contact.number
    finally:
        second.close()


def test_a_refused_dial_is_not_what_is_dialled_again(room: Room, contact: Contact) -> None:
    room.emit(ended(room.calls.dial(contact)))
    room.line.refuse[messages.Dial] = "line_not_ready"
    assert problem_of(room.calls.dial_number, "1002") is Problem.LINE_NOT_READY
    assert room.calls.last_dialled == contact.number


# --- lines and numbers ---


def _line(line_id: str, plan: DialPlan) -> SeatLine:
    return SeatLine(messages.LineConfig(line_id, line_id, line_id, "pbx.example:5060"), plan)


@pytest.fixture
def two_lines(tmp_path: Path) -> Iterator[Room]:
    """A direct line that dials the world, and an extension that dials the office; both are up."""
    direct = _line("direct", DialPlan(area_code="021", allowed=("local", "mobile", "national")))
    extension = _line("extension", DialPlan(outside_prefix="9"))
    made = Room(tmp_path, lines=[direct, extension])
    made.use_line()
    made.lines.on_event(messages.LineState("direct", "ready"))
    made.lines.on_event(messages.LineState("extension", "registered"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("number", "asked", "line_id", "digits"),
    [
        ("65551234", "", "direct", "02165551234"),
        ("13800006021", "", "direct", "13800006021"),
        ("13800006021", "extension", "extension", "913800006021"),
        ("1002", "", "extension", "1002"),
        ("95588", "", "extension", "995588"),
        ("110", "", "direct", "110"),
    ],
)
def test_a_call_goes_on_the_line_that_dials_it(
    two_lines: Room, number: str, asked: str, line_id: str, digits: str
) -> None:
    call_id = two_lines.calls.dial_number(number, line_id=asked)
    command = two_lines.line.last(messages.Dial)
    assert (command.line_id, command.digits) == (line_id, digits)
    view = two_lines.calls.current
    assert view is not None
    assert (view.id, view.line_id) == (call_id, line_id)
    two_lines.emit(ended(call_id, line_id=line_id))
    assert two_lines.records()[0]["line_id"] == line_id


def test_what_no_line_may_dial_is_refused_before_anything_is_sent(two_lines: Room) -> None:
    assert problem_of(lambda: two_lines.calls.dial_number("1002", line_id="direct")) is Problem.NUMBER_NOT_ALLOWED
    assert problem_of(lambda: two_lines.calls.dial_number("1002", line_id="none")) is Problem.LINE_NOT_READY
    call_id = two_lines.calls.dial_number("13800006021")
    two_lines.emit(state(call_id, "active", line_id="direct", answered_at=ANSWERED))
    assert problem_of(two_lines.calls.transfer, call_id, "+12025550123") is Problem.NUMBER_NOT_ALLOWED


def test_a_line_that_is_down_is_passed_over(two_lines: Room) -> None:
    two_lines.lines.on_event(messages.LineState("direct", "failed", 503, problem="server_error"))
    two_lines.calls.dial_number("13800006021")
    assert two_lines.line.last(messages.Dial).line_id == "extension"


def test_a_local_caller_is_read_by_the_line_it_came_in_on(two_lines: Room) -> None:
    for call_id, line_id in (("a", "direct"), ("b", "extension")):
        event = incoming(call_id, "65551234")
        two_lines.emit(messages.CallIncoming(call_id, line_id, event.number, "", "1001", event.at, 1))
    assert [view.number for view in two_lines.seen] == ["+862165551234", "65551234"]
    place = two_lines.seen[0].place
    assert place is not None
    assert (place.region_zh, two_lines.seen[0].line_id) == ("上海市", "direct")


def test_what_stands_behind_a_number_is_kept_for_when_it_has_answered(room: Room) -> None:
    room.calls.dial_number("010-88887777转8001")
    view = room.calls.current
    assert view is not None
    assert (view.number, view.extension) == ("+861088887777", "8001")
    assert room.line.last(messages.Dial).digits == "01088887777"


def test_a_call_does_not_wait_for_the_tables_of_places(tmp_path: Path) -> None:
    room = Room(tmp_path, places=NumberPlaces())
    try:
        room.use_line()
        room.emit(incoming("a", "13800006021"))
        assert room.seen[0].place is None
        wait_for(lambda: room.seen[-1].place is not None)
        place = room.seen[-1].place
        assert place is not None
        assert (place.region_zh, place.carrier_en) == ("北京市", "China Mobile")
    finally:
        room.close()


# --- what others are told ---


def test_of_two_calls_the_server_is_told_the_one_that_matters(room: Room, case: Case) -> None:
    publisher = SeatPublisher("seat-1", room.api, None, room.calls, StatusService())  # type: ignore[arg-type]
    debtor = _talk(room)
    room.emit(recording(debtor, "rec-a", problem="far_silent"))
    leader = room.calls.dial_number("1002")
    room.emit(state(debtor, "active", held=True, answered_at=ANSWERED))
    told = publisher.state()
    assert told["state"] == "ringing"
    assert told["call"] == {"id": leader, "case_id": "", "direction": "outbound"}
    assert (told["recording"], told["recording_problem"]) == (True, "far_silent")
    room.emit(state(leader, "active", number="1002", answered_at=ANSWERED))
    assert publisher.state()["state"] == "on_call"
    room.emit(ended(leader, number="1002"), ended(debtor))
    assert publisher.state() | {"line_state": "", "line_uri": ""} == {
        "state": "ready",
        "call": None,
        "line_state": "",
        "line_uri": "",
        "recording": False,
        "recording_problem": "",
    }


def test_the_server_is_told_of_a_pause_and_of_what_is_wrong_with_the_spool(room: Room) -> None:
    status = StatusService()
    publisher = SeatPublisher("seat-1", room.api, None, room.calls, status)  # type: ignore[arg-type]

    def told() -> tuple[object, object]:
        state = publisher.state()
        return state["recording"], state["recording_problem"]

    status.on_uploads(UploadStatus(0, False, refused=1))
    assert told() == (False, "upload_problem")
    debtor = _talk(room)
    room.emit(messages.RecordingState("", debtor, "waiting", 0, 0, 1, mode="manual"))
    assert told() == (False, "on_demand")
    room.emit(messages.RecordingState("rec", debtor, "waiting", 0, 0, 1, mode="voice"))
    assert told() == (True, "upload_problem")
    room.emit(recording(debtor, "rec", paused="card_number", pause_left_ms=9_000))
    assert told() == (True, "paused")
    status.on_line_event(messages.RecorderHealth(420_000_000, 3, "", "disk_low"))
    assert told() == (True, "disk_low")
    room.emit(recording(debtor, "rec", problem="far_silent"))
    assert told() == (True, "far_silent")
    room.emit(ended(debtor))


def test_a_debtor_whom_a_colleague_hands_over_brings_his_case(room: Room, case: Case, contact: Contact) -> None:
    room.emit(incoming("call", "1002"))
    room.emit(state("call", "active", direction="inbound", number="1002", answered_at=ANSWERED))
    view = room.calls.current
    assert view is not None
    assert (view.number, view.case_id) == ("1002", "")
    room.emit(state("call", "active", direction="inbound", number=contact.number, answered_at=ANSWERED))
    view = room.calls.current
    assert view is not None
    assert (view.number, view.case_id, view.detail is not None) == (contact.number, case.id, True)
    room.emit(ended("call", direction="inbound", number=contact.number))
    assert [(r["number"], r["case_id"]) for r in room.records()] == [(contact.number, case.id)]


def test_the_case_of_a_call_stays_when_somebody_else_is_put_through(room: Room, case: Case, contact: Contact) -> None:
    room.emit(incoming("call", contact.number))
    room.emit(state("call", "active", direction="inbound", number=contact.number, answered_at=ANSWERED))
    room.emit(state("call", "active", direction="inbound", number="1002", answered_at=ANSWERED))
    view = room.calls.current
    assert view is not None
    assert (view.number, view.case_id) == ("1002", case.id)
