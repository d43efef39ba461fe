"""Lines, answering, sound devices, quality, alarms, dialling by hand and leaving during a call, at the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QMenu

from agent_desktop.services.errors import Problem
from agent_desktop.ui.collector.call_sound import CallSound
from agent_desktop.ui.language import apply_language
from agent_desktop.ui.lines_menu import LinesMenu
from agent_desktop.ui.problems import problem_text
from agent_desktop.ui.theme import Tone
from agent_desktop.ui.widgets.device_choice import DeviceChoice
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.status_button import StatusButton
from agent_desktop.ui.window import WindowHooks
from telephony import messages
from tests.ui.phone_desk import HEADSET
from tests.ui.phone_fixtures import Key, Modifier, Seat
from tests.ui.phone_fixtures import open_seat as open_seat
from tests.ui.phone_fixtures import phone as phone
from tests.ui.phone_fixtures import seat as seat


def line_state(seat: Seat, n: int, state: str, problem: str = "", code: int = 0, registrar: str = "") -> None:
    seat.desk.emit(messages.LineState(f"line-{n}", state, code, problem=problem, registrar=registrar))


# --- lines


def test_the_lines_are_listed_with_the_reason_of_each(seat: Seat) -> None:
    line_state(seat, 1, "failed", "wrong_password", 401)
    line_state(seat, 2, "registered", registrar="backup")
    seat.shows("top.line", "Lines 1 of 2")
    menu = seat.find("top.line", StatusButton).menu()
    assert isinstance(menu, LinesMenu)
    menu.aboutToShow.emit()

    def said(name: str) -> str:
        found = menu.findChild(QLabel, name)
        return found.text() if found is not None else ""

    assert said("lines.line-1.state") == "Wrong password"
    assert said("lines.line-1.problem").endswith("(Answer 401)")
    assert said("lines.line-2.state") == "Registered · Back-up registrar"
    assert "back-up" in said("lines.line-2.problem")


def test_the_back_up_registrar_is_amber_and_says_so(open_seat: Callable[..., Seat]) -> None:
    seat = open_seat()
    line_state(seat, 1, "registered", registrar="backup")
    seat.shows("top.line", "Line 1001 · back-up")
    assert seat.find("top.line", StatusButton).tone is Tone.WARN
    line_state(seat, 1, "registered", registrar="primary")
    seat.shows("top.line", "Line 1001")
    assert seat.find("top.line", StatusButton).tone is Tone.OK


def test_when_no_line_works_the_dial_box_says_why_and_what_to_do(seat: Seat) -> None:
    for n in (1, 2):
        line_state(seat, n, "failed", "certificate_expired")
    seat.shows("top.line", "Line 1001: Certificate expired")
    seat.shows("call.lineProblem", "The registrar's certificate has expired. Tell your administrator.")
    line_state(seat, 2, "registered")
    seat.until(lambda: seat.text("call.lineProblem") == "")


def test_a_line_process_that_restarts_is_said(seat: Seat) -> None:
    seat.desk.roster.on_lost("gone")
    seat.shows("top.line", "Line restarting")
    restarting = "The line program is being restarted. What was recorded is safe on this seat."
    assert seat.text("call.lineProblem") == restarting
    line_state(seat, 1, "registered")
    seat.until(lambda: seat.text("call.lineProblem") == "")


def test_the_line_to_dial_on_is_chosen(seat: Seat) -> None:
    seat.open_case()
    action = seat.window.findChild(QAction, "call.line.line-2")
    assert action is not None
    action.trigger()
    assert seat.text("call.line") == "Line: 1002 ▾"
    seat.press(Key.Key_F2)
    command: Any = seat.sent(messages.Dial)
    assert command.line_id == "line-2"


# --- dialling by hand


def test_a_typed_number_shows_its_home_as_it_is_typed(seat: Seat) -> None:
    seat.press(Key.Key_D, Modifier.ControlModifier)
    field = seat.find("call.number", QLineEdit)
    assert field.hasFocus()
    seat.qtbot.keyClicks(field, "1381234")
    seat.shows("call.place", "Not a complete number yet")
    seat.qtbot.keyClicks(field, "6021")
    seat.shows("call.place", "Lianyungang · Mobile · mobile")
    field.clear()
    seat.until(lambda: not seat.sees("call.place"))
    seat.qtbot.keyClicks(field, "1002")
    seat.shows("call.place", "extension")
    seat.qtbot.keyClick(field, Qt.Key.Key_Return)
    command: Any = seat.sent(messages.Dial)
    assert command.digits == "1002"
    seat.until(lambda: field.text() == "")


def test_redial_is_offered_once_something_was_dialled(seat: Seat) -> None:
    assert not seat.sees("call.redial")
    call, number = seat.talk()
    seat.desk.ended(call, number)
    seat.shows("call.redial", f"Redial {number[3:6]}****{number[-4:]}")
    seat.press(Key.Key_F5)
    command: Any = seat.sent(messages.Dial, 2)
    assert command.number == number


def test_an_extension_behind_the_number_is_sent_once_it_has_answered(seat: Seat) -> None:
    seat.open_case()
    seat.find("call.number", QLineEdit).setText("010-88888877转8001")
    seat.click("call.dial")
    call: Any = seat.sent(messages.Dial)
    assert call.digits == "01088888877"
    seat.desk.state(call.call_id, "ringing", "+861088888877")
    seat.until(lambda: "ext. 8001" in seat.text("call.subtitle"))
    assert not seat.sees("call.sendExtension")
    seat.desk.state(call.call_id, "active", "+861088888877")
    seat.click("call.sendExtension")
    command: Any = seat.sent(messages.SendDtmf)
    assert command.digits == "8001"
    seat.until(lambda: not seat.sees("call.sendExtension"))


# --- the call's marks, quality and alarms


def test_how_a_call_came_here_is_marked(seat: Seat) -> None:
    number = seat.numbers[0]
    seat.desk.incoming("in", number.removeprefix("+86"), transferred_by="1003")
    seat.shows("call.transferredBy", "Transferred here by 1003")
    seat.desk.state("in", "active", number, direction="inbound", auto_answered=True, encrypted=True)
    seat.shows("call.autoAnswered", "Answered by itself")
    assert seat.text("call.encrypted") == "Encrypted"
    seat.desk.ended("in", number, direction="inbound")
    seat.until(lambda: not seat.sees("call.encrypted") and not seat.sees("call.transferredBy"))


@pytest.mark.parametrize(
    ("mos", "word", "tone"), [(4.3, "Line good", Tone.OK), (3.7, "Line fair", Tone.WARN), (2.9, "Line poor", Tone.BAD)]
)
def test_quality_is_a_word_with_its_figures(seat: Seat, mos: float, word: str, tone: Tone) -> None:
    call, _ = seat.talk()
    assert seat.text("call.quality") == "G.722"
    seat.desk.quality(call, mos, rx_loss_pct=1.26, rtt_ms=-1.0)
    seat.shows("call.quality", f"{word} · MOS {mos} · G.722")
    assert seat.text("call.figures") == "loss 1.3% in, 0% out · jitter 3 ms"
    assert seat.find("call.quality").property("tone") == tone.value
    assert seat.text("top.line") == f"Line 1001 · MOS {mos}"
    assert seat.find("top.line", StatusButton).tone is tone


def test_quality_that_is_not_known_is_not_made_up(seat: Seat) -> None:
    call, _ = seat.talk()
    seat.desk.quality(call, -1.0, rx_loss_pct=-1.0, tx_loss_pct=-1.0, rx_jitter_ms=-1.0, rtt_ms=-1.0)
    seat.qtbot.wait(80)
    assert seat.text("call.quality") == "G.722"
    assert seat.text("call.figures") == ""
    assert seat.text("top.line") == "Line 1001"


def test_alarms_come_go_and_are_said_once(seat: Seat) -> None:
    call, _ = seat.talk()
    seat.desk.recording(call, problem="far_silent")
    seat.shows("call.problem", "Nothing is heard from the other side.")
    seat.desk.emit(messages.CallAlarm(call, "far_silent", True), messages.CallAlarm(call, "no_rtp", True))
    seat.until(lambda: seat.text("call.alarm").startswith("Nothing arrives from the other side."))
    assert seat.text("call.alarm").count("\n") == 1
    assert seat.text("call.problem") == ""
    seat.desk.emit(messages.CallAlarm(call, "far_silent", False), messages.CallAlarm(call, "no_rtp", False))
    seat.until(lambda: seat.text("call.alarm") == "")


def test_the_sealed_recording_is_said_after_the_call_and_starts_no_second_wrap_up(seat: Seat) -> None:
    call, number = seat.talk()
    seat.desk.recording(call)
    seat.desk.ended(call, number)
    seat.until(lambda: "Wrap-up" in seat.text("top.state"))
    seat.window.findChild(QAction, "top.state.ready").trigger()
    seat.desk.recording(call, "sealed", sealed_ms=208_000)
    seat.shows("call.recording", "Recording sealed · 03:28")
    assert "Ready" in seat.text("top.state")


def test_the_meters_rest_while_the_call_is_on_hold(seat: Seat) -> None:
    call, number = seat.talk()
    sound = seat.window.page.call_panel.findChild(CallSound)
    assert sound is not None
    seat.desk.emit(messages.Levels(call, -20.0, -20.0))
    seat.until(lambda: sound.far_meter.ratio > 0.5)
    seat.desk.state(call, "active", number, talk_s=207, held=True)
    seat.until(lambda: sound.far_meter.ratio == 0)
    seat.desk.emit(messages.Levels(call, -20.0, -20.0))
    seat.qtbot.wait(60)
    assert sound.far_meter.ratio == 0


# --- do-not-disturb and auto-answer


def test_do_not_disturb_is_plain_to_see_and_a_click_ends_it(seat: Seat) -> None:
    seat.press(Key.Key_D, Modifier.ControlModifier | Modifier.ShiftModifier)
    command: Any = seat.sent(messages.SetAnswering)
    assert (command.do_not_disturb, command.auto_answer) == (True, False)
    assert not seat.sees("top.doNotDisturb")  # only what the line says is so
    seat.desk.emit(messages.AnsweringState(True, False))
    seat.until(lambda: seat.sees("top.doNotDisturb"))
    assert seat.window.findChild(QAction, "top.state.doNotDisturb").isChecked()
    seat.click("top.doNotDisturb")
    command = seat.sent(messages.SetAnswering, 2)
    assert not command.do_not_disturb


def test_auto_answer_has_a_delay_and_keeps_do_not_disturb(seat: Seat) -> None:
    seat.desk.emit(messages.AnsweringState(True, False))
    seat.until(lambda: seat.sees("top.doNotDisturb"))
    action = seat.window.findChild(QAction, "top.state.autoAnswer.2000")
    action.trigger()
    command: Any = seat.sent(messages.SetAnswering)
    assert (command.do_not_disturb, command.auto_answer, command.auto_answer_ms) == (True, True, 2000)
    seat.desk.emit(messages.AnsweringState(True, True, 2000))
    seat.shows("top.autoAnswer", "Auto-answer · 2 s ✕")
    assert action.isChecked()


def test_answering_that_cannot_be_set_is_said_and_not_shown_as_set(seat: Seat) -> None:
    seat.line.refuse[messages.SetAnswering] = "away"
    action = seat.window.findChild(QAction, "top.state.doNotDisturb")
    action.trigger()
    seat.shows("call.problem", problem_text(Problem.LINE_AWAY))
    assert not action.isChecked()
    assert not seat.sees("top.doNotDisturb")


# --- sound devices


@pytest.fixture
def sound(seat: Seat) -> Seat:
    seat.press(Key.Key_S, Modifier.ControlModifier | Modifier.ShiftModifier)
    seat.until(lambda: seat.find("sound.microphone", QComboBox).count() == 1 + len(HEADSET))
    return seat


def test_devices_are_chosen_by_keyboard_and_take_effect_at_once(sound: Seat) -> None:
    choice = sound.find("sound.microphone", DeviceChoice)
    assert choice.hasFocus()
    assert choice.value == HEADSET[0]
    sound.press(Key.Key_Down, on="sound.microphone")
    command: Any = sound.sent(messages.SetAudio)
    assert command.audio == messages.AudioConfig("device", HEADSET[1], HEADSET[0], "")
    sound.press(Key.Key_Escape, on="sound.microphone")
    sound.until(lambda: not sound.sees("sound"))


def test_tab_goes_through_devices_and_tests_in_reading_order(sound: Seat) -> None:
    seen = []
    for _ in range(7):
        focus = sound.window.focusWidget()
        assert focus is not None
        seen.append(focus.objectName().removeprefix("sound."))
        sound.qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert seen == ["microphone", "loopback", "speaker", "tone", "ringer", "ring", "close"]


def test_a_device_that_cannot_be_opened_is_said_and_the_old_one_stays(sound: Seat) -> None:
    sound.line.refuse[messages.SetAudio] = "device_busy"
    sound.press(Key.Key_Down, on="sound.speaker")
    sound.shows("sound.status", problem_text(Problem.DEVICE_BUSY))
    assert sound.find("sound.speaker", DeviceChoice).value == HEADSET[0]


@pytest.mark.parametrize(("button", "test"), [("loopback", "loopback"), ("tone", "tone"), ("ring", "ring")])
def test_devices_are_tried_and_the_microphone_is_seen(sound: Seat, button: str, test: str) -> None:
    sound.click(f"sound.{button}")
    command: Any = sound.sent(messages.TestAudio)
    assert command.test == test
    meter = sound.window.sound._meter
    sound.desk.emit(messages.Levels("", -20.0, -100.0))
    sound.until(lambda: meter.ratio > 0.5)
    sound.click(f"sound.{button}")
    command = sound.sent(messages.TestAudio, 2)
    assert command.test == "off"
    assert meter.ratio == 0


def test_closing_the_bar_ends_the_test(sound: Seat) -> None:
    sound.click("sound.tone")
    sound.sent(messages.TestAudio)
    sound.click("sound.close")
    command: Any = sound.sent(messages.TestAudio, 2)
    assert command.test == "off"


def test_nothing_is_tried_during_a_call(sound: Seat) -> None:
    sound.click("sound.tone")
    sound.sent(messages.TestAudio)
    sound.desk.incoming("in", sound.numbers[0].removeprefix("+86"))
    sound.until(lambda: not sound.find("sound.tone").isEnabled())
    assert "trying must wait" in sound.text("sound.status")
    assert sound.find("sound.microphone").isEnabled()


def test_what_was_chosen_stays_chosen_while_another_device_stands_in(sound: Seat) -> None:
    spare = HEADSET[2]
    sound.line.devices["microphones"].remove(HEADSET[0])
    sound.desk.emit(messages.AudioState("device", spare, microphone=spare, speaker=spare, fallback=True))
    said = f"The chosen headset has gone; {spare} stands in until it is plugged in again."
    sound.shows("sound.status", said)
    sound.until(lambda: "(not there)" in sound.find("sound.microphone", QComboBox).currentText())
    assert sound.find("sound.microphone", DeviceChoice).value == HEADSET[0]
    assert sound.text("top.sound") == "Spare headset"
    assert sound.text("call.alarm") == said
    sound.press(Key.Key_Down, on="sound.ringer")
    command: Any = sound.sent(messages.SetAudio)
    assert command.audio.microphone == HEADSET[0]


def test_the_indicator_opens_the_devices(seat: Seat) -> None:
    assert not seat.sees("top.sound")
    seat.desk.emit(messages.AudioState("device", HEADSET[0], "device_lost", microphone=HEADSET[0]))
    seat.shows("top.sound", "Headset problem")
    seat.click("top.sound")
    seat.until(lambda: seat.sees("sound"))


# --- leaving during a call


def test_closing_during_a_call_asks_first(seat: Seat) -> None:
    closed: list[str] = []
    seat.window.closed.connect(lambda: closed.append("closed"))
    seat.talk()
    assert not seat.window.close()
    assert seat.window.isVisible()
    assert "safe on this seat" in seat.text("leave.text")
    assert seat.find("leave.stay").hasFocus()
    seat.press(Key.Key_Escape, on="leave.stay")
    assert not seat.sees("leave")
    assert not seat.window.close()
    seat.click("leave.go")
    assert closed == ["closed"]
    assert not seat.window.isVisible()


def test_signing_out_during_a_call_asks_first(open_seat: Callable[..., Seat]) -> None:
    out: list[str] = []
    seat = open_seat(WindowHooks(sign_out=lambda: out.append("out")))
    seat.talk()
    menu: QMenu = seat.window.top.user_button.menu()
    menu.findChild(QAction, "menu.signOut").trigger()
    assert out == []
    assert "signing out" in seat.text("leave.text")
    seat.click("leave.go")
    assert out == ["out"]


def test_the_question_goes_when_the_call_ends_by_itself(seat: Seat) -> None:
    call, number = seat.talk()
    seat.window.close()
    seat.until(lambda: seat.sees("leave"))
    seat.desk.ended(call, number)
    seat.until(lambda: not seat.sees("leave"))
    assert seat.window.close()


# --- language and size


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_no_button_of_two_calls_is_cut_in_the_narrowest_window(seat: Seat, qapp: QApplication, language: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    seat.window.resize(seat.window.minimumSize())
    first, number = seat.talk()
    other = next(n for n in seat.numbers if n != number)
    seat.desk.incoming("in", other.removeprefix("+86"))
    for held in (False, True):
        if held:
            seat.desk.state(first, "active", number, talk_s=207, held=True)
            seat.desk.state("in", "active", other, direction="inbound")
            seat.until(lambda: seat.sees("other.switch"))
        seat.qtbot.wait(60)
        panel = seat.window.page.call_panel
        shown = [button for button in panel.findChildren(KeyButton) if button.isVisible()]
        assert len(shown) >= 5
        cut = [b.objectName() for b in shown if b.width() < b.sizeHint().width()]
        assert cut == []
        assert all(panel.rect().contains(b.mapTo(panel, b.rect().bottomRight())) for b in shown)
