"""Two calls at the screen: waiting, toggled, asked before a transfer, joined; and the transfer of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QTableView

from agent_desktop.ui.collector.call_book import CallBook
from telephony import messages
from tests.ui.phone_desk import PhoneDesk
from tests.ui.phone_fixtures import Key, Modifier, Seat
from tests.ui.phone_fixtures import open_seat as open_seat
from tests.ui.phone_fixtures import phone as phone
from tests.ui.phone_fixtures import seat as seat


def other_of(seat: Seat, number: str) -> str:
    return next(n for n in seat.numbers if n != number)


def name_of(seat: Seat, number: str) -> str:
    return next(c.name for c in seat.desk.contacts if c.number == number)


def ring(seat: Seat, number: str) -> str:
    seat.desk.incoming("in", number.removeprefix("+86"))
    seat.until(lambda: seat.sees("other.answer") or seat.sees("call.answer"))
    return "in"


def two(seat: Seat) -> tuple[str, str]:
    """The first call on hold, the second talked on."""
    first, number = seat.talk()
    second = ring(seat, other_of(seat, number))
    seat.press(Key.Key_F3)
    seat.sent(messages.Answer)
    seat.desk.state(first, "active", number, talk_s=207, held=True)
    seat.desk.state(second, "active", other_of(seat, number), direction="inbound", talk_s=1)
    seat.until(lambda: seat.sees("other.switch"))
    return first, second


# --- a call that waits


def test_a_waiting_call_is_offered_and_leaves_the_screen_alone(seat: Seat) -> None:
    _, number = seat.talk()
    open_now, other = seat.text("case.name"), other_of(seat, number)
    ring(seat, other)
    assert seat.text("other.title") == f"Waiting: {name_of(seat, other)} Debtor"
    assert "华信 M" in seat.text("other.subtitle")
    assert seat.text("case.name") == open_now
    assert seat.text("call.title") == f"{open_now} Debtor"
    seat.click("other.openCase")
    seat.shows("case.name", name_of(seat, other))


def test_answering_it_holds_the_first_and_brings_its_case(seat: Seat) -> None:
    first, second = two(seat)
    assert seat.sent(messages.Answer).call_id == second  # type: ignore[attr-defined]
    name = seat.text("call.title").removesuffix(" Debtor")
    seat.shows("case.name", name)
    assert "You put it on hold" in seat.text("other.subtitle")
    assert seat.window.page.wrap_up.draft().call_id == second
    seat.press(Key.Key_F7)
    assert seat.sent(messages.SwitchTo).call_id == first  # type: ignore[attr-defined]


@pytest.mark.parametrize(("press", "reason"), [("key", "busy"), ("other.reject", "busy"), ("other.decline", "decline")])
def test_it_can_be_refused(seat: Seat, press: str, reason: str) -> None:
    seat.talk()
    waiting = ring(seat, seat.numbers[0] if seat.numbers[0] not in seat.text("call.subtitle") else seat.numbers[1])
    if press == "key":
        seat.press(Key.Key_F4, Modifier.ShiftModifier)
    else:
        seat.click(press)
    command: Any = seat.sent(messages.Reject)
    assert (command.call_id, command.reason) == (waiting, reason)
    assert not seat.line.sent(messages.HangUp)


def test_f4_ends_the_call_that_is_talked_on_and_not_the_one_that_waits(seat: Seat) -> None:
    first, number = seat.talk()
    ring(seat, other_of(seat, number))
    seat.press(Key.Key_F4)
    assert seat.sent(messages.HangUp).call_id == first  # type: ignore[attr-defined]
    seat.desk.ended(first, number, "hung_up")
    seat.until(lambda: seat.sees("call.answer"))
    assert not seat.sees("other")
    seat.press(Key.Key_F4)
    assert seat.sent(messages.Reject).call_id == "in"  # type: ignore[attr-defined]


def test_the_agent_is_on_a_call_until_the_last_one_ends(seat: Seat) -> None:
    first, second = two(seat)
    numbers = {view.id: view.number for view in seat.desk.desk.calls.calls}
    seat.desk.ended(second, numbers[second], direction="inbound")
    seat.until(lambda: not seat.sees("other"))
    assert "On a call 03:2" in seat.text("top.state")
    assert seat.text("call.state") == "You put it on hold"
    seat.desk.ended(first, numbers[first])
    seat.until(lambda: "Wrap-up" in seat.text("top.state"))
    assert seat.text("call.state") == "Ended: the other side hung up"


# --- conference


def test_both_are_joined_parted_and_left(seat: Seat) -> None:
    first, second = two(seat)
    numbers = {view.id: view.number for view in seat.desk.desk.calls.calls}

    def joined(on: bool) -> None:
        seat.desk.state(first, "active", numbers[first], talk_s=207, conference=on, held=not on)
        seat.desk.state(second, "active", numbers[second], direction="inbound", conference=on)

    seat.press(Key.Key_F11)
    assert seat.sent(messages.SetConference) == messages.SetConference(seat.line.commands[-1].id, True)
    joined(True)
    seat.shows("call.state", "Conference")
    assert not seat.sees("other.switch")
    assert seat.text("other.conference") == "Part"
    seat.press(Key.Key_F11)
    command: Any = seat.sent(messages.SetConference, 2)
    assert command.on is False
    joined(False)
    seat.until(lambda: seat.sees("other.switch"))
    joined(True)
    seat.until(lambda: not seat.sees("other.switch"))
    seat.press(Key.Key_F10)
    seat.sent(messages.LeaveConference)
    assert not seat.line.sent(messages.TransferToCall)


def test_one_side_of_two_is_hung_up(seat: Seat) -> None:
    first, second = two(seat)
    seat.click("other.hangUp")
    assert seat.sent(messages.HangUp).call_id == first  # type: ignore[attr-defined]
    seat.click("call.hangUpThis")
    assert seat.sent(messages.HangUp, 2).call_id == second  # type: ignore[attr-defined]


def test_a_restarted_window_takes_both_calls_over(phone: PhoneDesk, open_seat: Callable[..., Seat]) -> None:
    first, second = phone.contacts[0].number, phone.contacts[1].number
    phone.state("a", "active", first, talk_s=60, held=True)
    phone.state("b", "active", second, direction="inbound", talk_s=5)
    seat = open_seat()
    seat.until(lambda: seat.sees("other.switch"))
    name = phone.contacts[1].name
    assert seat.text("call.title").startswith(name)
    seat.shows("case.name", name)
    seat.press(Key.Key_F7)
    assert seat.sent(messages.SwitchTo).call_id == "a"  # type: ignore[attr-defined]


# --- transfer


def test_a_call_is_sent_on_at_once(seat: Seat) -> None:
    call, number = seat.talk()
    seat.press(Key.Key_F10)
    assert seat.find("call.transferTo", QLineEdit).hasFocus()
    seat.type("call.transferTo", "1002")
    seat.press(Key.Key_Return, Modifier.ShiftModifier, on="call.transferTo")
    command: Any = seat.sent(messages.Transfer)
    assert (command.call_id, command.number, command.digits) == (call, "1002", "1002")
    seat.until(lambda: not seat.sees("call.transferTo"))
    for state, said in (("trying", "Transferring to 1002…"), ("ringing", "It rings at 1002…")):
        seat.desk.emit(messages.TransferState(call, "1002", state))
        seat.shows("call.transferState", said)
    seat.desk.ended(call, number, "transferred")
    seat.shows("call.state", "Ended: transferred")
    assert seat.text("call.transferState") == ""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (486, "busy"),
        (404, "no such number"),
        (603, "declined"),
        (408, "no answer"),
        (503, "the other side answered 503"),
        (0, "no answer to the request"),
    ],
)
def test_a_transfer_that_fails_says_why_until_something_else_is_done(seat: Seat, code: int, reason: str) -> None:
    call, _ = seat.talk()
    seat.desk.emit(messages.TransferState(call, "1002", "failed", code))
    seat.shows("call.transferState", f"Not transferred: {reason}. The call goes on.")
    seat.press(Key.Key_F9)
    seat.until(lambda: seat.text("call.transferState") == "")


def test_a_colleague_is_asked_first_and_then_gets_the_call(seat: Seat) -> None:
    first, number = seat.talk()
    seat.press(Key.Key_F10)
    seat.type("call.transferTo", "1002")
    seat.press(Key.Key_Return, on="call.transferTo")
    asked: Any = seat.sent(messages.Dial, 2)
    assert asked.digits == "1002"
    seat.desk.state(first, "active", number, talk_s=207, held=True)
    seat.desk.state(asked.call_id, "ringing", "1002")
    seat.shows("call.title", "Extension 1002")
    seat.until(lambda: seat.text("other.connect") == "Complete transfer")
    assert not seat.find("other.connect").isEnabled()
    assert seat.text("case.name") == name_of(seat, number)
    seat.desk.state(asked.call_id, "active", "1002")
    seat.until(lambda: seat.find("other.connect").isEnabled())
    seat.press(Key.Key_F10)
    command: Any = seat.sent(messages.TransferToCall)
    assert (command.call_id, command.other_call_id) == (first, asked.call_id)


def test_asking_is_cancelled_and_the_first_call_goes_on(seat: Seat) -> None:
    first, number = seat.talk()
    seat.press(Key.Key_F10)
    seat.type("call.transferTo", "1002")
    seat.click("call.consult")
    asked: Any = seat.sent(messages.Dial, 2)
    seat.desk.state(first, "active", number, talk_s=207, held=True)
    seat.desk.state(asked.call_id, "active", "1002")
    seat.click("other.cancel")
    assert seat.sent(messages.SwitchTo).call_id == first  # type: ignore[attr-defined]
    assert seat.sent(messages.HangUp).call_id == asked.call_id  # type: ignore[attr-defined]
    kinds = [type(command) for command in seat.line.commands]
    assert kinds.index(messages.HangUp) < kinds.index(messages.SwitchTo)


def test_a_contact_is_dialled_as_second_call_only_from_the_open_transfer(seat: Seat) -> None:
    seat.talk()
    table = seat.find("contacts.table", QTableView)
    table.selectRow(1)
    seat.press(Key.Key_F2)
    seat.qtbot.wait(50)
    seat.sent(messages.Dial, 1)
    seat.press(Key.Key_F10)
    seat.press(Key.Key_F2)
    command: Any = seat.sent(messages.Dial, 2)
    assert command.number.startswith("+86139312222")
    seat.until(lambda: not seat.sees("call.transferTo"))


def test_a_target_that_cannot_be_dialled_is_said_and_the_field_stays(seat: Seat) -> None:
    seat.talk()
    seat.press(Key.Key_F10)
    seat.type("call.transferTo", "abc")
    seat.press(Key.Key_Return, on="call.transferTo")
    seat.shows("call.problem", "This is not a number that can be dialled.")
    assert seat.sees("call.transferTo")
    seat.press(Key.Key_Escape, on="call.transferTo")
    seat.until(lambda: not seat.sees("call.transferTo"))


def test_keypad_and_transfer_open_one_at_a_time_by_key(seat: Seat) -> None:
    seat.talk()
    seat.press(Key.Key_F12)
    seat.until(lambda: seat.sees("call.dtmf"))
    seat.press(Key.Key_F10)
    seat.until(lambda: seat.sees("call.transferTo") and not seat.sees("call.dtmf"))
    seat.press(Key.Key_F12)
    seat.until(lambda: seat.sees("call.dtmf") and not seat.sees("call.transferTo"))


def test_holds_of_either_side_are_told_apart(seat: Seat) -> None:
    call, number = seat.talk()
    for held, far_held, said in (
        (True, False, "You put it on hold"),
        (False, True, "The other side put you on hold"),
        (True, True, "On hold from both sides"),
    ):
        seat.desk.state(call, "active", number, talk_s=207, held=held, far_held=far_held)
        seat.shows("call.state", said)


def test_nothing_is_pressed_into_a_call_that_is_not_there(seat: Seat) -> None:
    before = len(seat.line.commands)
    for key in (Key.Key_F3, Key.Key_F4, Key.Key_F5, Key.Key_F7, Key.Key_F8, Key.Key_F9, Key.Key_F10, Key.Key_F11):
        seat.press(key)
    seat.press(Key.Key_F12)
    seat.qtbot.wait(60)
    assert len(seat.line.commands) == before
    assert isinstance(seat.find("call.title"), QLabel)


def test_no_number_in_full_is_on_the_screen_of_two_calls(seat: Seat) -> None:
    two(seat)
    digits = [number.removeprefix("+86") for number in seat.numbers]
    said = [label.text() + label.toolTip() for label in seat.window.findChildren(QLabel)]
    assert not [text for text in said if any(number in text for number in digits)]


def test_an_ended_call_beside_another_is_not_shown_again() -> None:
    book = CallBook()
    assert (book.shown, book.up, book.other, book.two, book.conference) == (None, None, None, False, False)
    assert book.alarms("x") == ()
