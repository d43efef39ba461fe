"""The recording in the call panel and its health light at the top: pausing, on demand, and what is wrong, in words."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel

from agent_desktop.services.status import StatusView
from agent_desktop.ui import recording_text
from agent_desktop.ui.collector.recording_box import RecordingBox
from agent_desktop.ui.health_light import HealthLight
from agent_desktop.ui.language import LanguageName, apply_language
from agent_desktop.ui.theme import Tone
from recorder.uploader import UploadStatus
from telephony import messages
from tests.ui.phone_fixtures import Key, Modifier, Seat
from tests.ui.phone_fixtures import open_seat as open_seat
from tests.ui.phone_fixtures import phone as phone
from tests.ui.phone_fixtures import seat as seat
from tests.ui.test_qa_lead_languages import cut

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
REASONS = ("card_number", "identity_document", "客户要求")


def recorded(seat: Seat, **values: Any) -> str:
    """A call that is recorded and may be paused; its id."""
    call, _ = seat.talk()
    seat.desk.recording(call, **{"pause_reasons": REASONS, **values})
    return call


def box(seat: Seat) -> RecordingBox:
    return seat.window.findChildren(RecordingBox)[0]


def light(seat: Seat) -> HealthLight:
    return seat.find("top.recording", HealthLight)


def health(seat: Seat, free: int = 51_200_000_000, problem: str = "") -> None:
    seat.desk.emit(messages.RecorderHealth(free, 0, "", problem))


def opened(seat: Seat) -> dict[str, str]:
    """What the pop-over says, by the names of its rows."""
    if not light(seat).panel.isVisible():
        seat.click("top.recording")
        seat.until(light(seat).panel.isVisible)
    found = light(seat).panel.findChildren(QLabel)
    return {each.objectName(): each.text() for each in found if each.objectName() and each.isVisible()}


# --- pausing


def test_the_reasons_are_offered_and_the_chosen_one_is_sent(seat: Seat) -> None:
    call = recorded(seat)
    seat.shows("call.pause", "Pause")
    seat.click("call.pause")
    seat.until(box(seat).pauses.isVisible)
    words = [action.text().split("\t")[0] for action in box(seat).pauses.actions()]
    assert words == ["Card number", "Identity document", "客户要求"]
    action = seat.window.findChild(QAction, "call.pause.identity_document")
    assert action is not None
    action.trigger()
    box(seat).pauses.close()
    command: Any = seat.sent(messages.PauseRecording)
    assert (command.call_id, command.reason, command.limit_s) == (call, "identity_document", 0)


def test_the_key_pauses_at_once_for_the_usual_reason_and_resumes(seat: Seat) -> None:
    call = recorded(seat)
    seat.shows("call.pause", "Pause")
    seat.press(Key.Key_P, Modifier.ControlModifier)
    command: Any = seat.sent(messages.PauseRecording)
    assert (command.call_id, command.reason) == (call, "card_number")
    seat.desk.recording(call, pause_reasons=REASONS, paused="card_number", pause_left_ms=42_000)
    seat.shows("call.resume", "Resume")
    seat.press(Key.Key_P, Modifier.ControlModifier)
    assert seat.sent(messages.ResumeRecording).call_id == call  # type: ignore[attr-defined]
    assert len(seat.line.sent(messages.PauseRecording)) == 1


def test_a_single_reason_needs_no_menu(seat: Seat) -> None:
    recorded(seat, pause_reasons=("card_number",))
    seat.click("call.pause")
    assert seat.sent(messages.PauseRecording).reason == "card_number"  # type: ignore[attr-defined]
    assert not box(seat).pauses.isVisible()


def test_a_pause_says_why_and_counts_down_and_ends_by_a_button(seat: Seat) -> None:
    call = recorded(seat, paused="identity_document", pause_left_ms=5_000)
    seat.shows("call.pausedReason", "Identity document: silence is recorded")
    assert not seat.sees("call.recording")
    assert not seat.sees("call.pause")
    assert seat.text("top.recording") == "Recording paused"
    assert light(seat).tone is Tone.WARN
    seat.shows("call.pauseLeft", "00:03")  # by itself: nothing came from the line meanwhile
    seat.click("call.resume")
    seat.sent(messages.ResumeRecording)
    seat.desk.recording(call, pause_reasons=REASONS)
    seat.shows("call.recording", "Recording · two channels · sealed to 03:27")
    assert not seat.sees("call.paused")


def test_where_the_policy_has_no_pause_there_is_none(seat: Seat) -> None:
    recorded(seat, pause_reasons=())
    seat.shows("call.recording", "Recording · two channels · sealed to 03:27")
    assert not seat.sees("call.pause")
    seat.press(Key.Key_P, Modifier.ControlModifier)
    seat.press(Key.Key_R, Modifier.ControlModifier)
    seat.press(Key.Key_F9)
    seat.sent(messages.SetMute)
    assert not seat.line.sent(messages.PauseRecording)
    assert not seat.line.sent(messages.StopRecording)


def test_a_refusal_is_said(seat: Seat) -> None:
    recorded(seat)
    seat.shows("call.pause", "Pause")
    seat.line.refuse[messages.PauseRecording] = "not_allowed"
    seat.press(Key.Key_P, Modifier.ControlModifier)
    seat.shows("call.problem", "Your company's rules for recording do not allow this.")


def test_a_pause_of_the_call_on_hold_is_not_forgotten(seat: Seat) -> None:
    call = recorded(seat, paused="card_number", pause_left_ms=50_000)
    seat.desk.state(call, "active", seat.numbers[0], held=True)
    seat.desk.state("second", "active", seat.numbers[1])
    seat.until(lambda: "Recording paused" in seat.text("other.subtitle"))
    seat.desk.recording(call)
    seat.until(lambda: "Recording paused" not in seat.text("other.subtitle"))


# --- on demand


def test_a_call_on_demand_is_shown_before_anything_is_recorded(seat: Seat) -> None:
    call, _ = seat.talk()
    waiting = messages.RecordingState("", call, "waiting", 0, 0, 10**10, mode="manual", pause_reasons=REASONS)
    seat.desk.emit(waiting)
    seat.shows("call.recording", "Not being recorded: only on demand")
    assert seat.text("top.recording") == "Not recorded"
    assert not seat.sees("call.pause")
    seat.click("call.record")
    assert seat.sent(messages.StartRecording).call_id == call  # type: ignore[attr-defined]
    seat.desk.recording(call, mode="manual", pause_reasons=REASONS, sealed_ms=4_000)
    seat.shows("call.recording", "Recording · two channels · sealed to 00:04")
    assert seat.text("call.stopRecording") == "Stop"
    assert seat.sees("call.pause")
    seat.press(Key.Key_R, Modifier.ControlModifier)
    assert seat.sent(messages.StopRecording).call_id == call  # type: ignore[attr-defined]
    seat.desk.recording(call, "waiting", mode="manual", sealed_ms=9_000)
    seat.shows("call.recording", "Recording stopped · sealed to 00:09")
    seat.press(Key.Key_R, Modifier.ControlModifier)
    seat.sent(messages.StartRecording, 2)


def test_a_call_that_nobody_asked_to_record_says_so_at_its_end(seat: Seat) -> None:
    call, number = seat.talk()
    seat.desk.emit(messages.RecordingState("", call, "waiting", 0, 0, 10**10, mode="manual"))
    seat.shows("call.recording", "Not being recorded: only on demand")
    seat.desk.ended(call, number)
    seat.desk.emit(messages.RecordingState("", call, "nothing", 0, 0, 10**10, mode="manual"))
    seat.shows("call.recording", "Nothing of this call was recorded")


def test_by_voice_it_counts_as_recorded_while_nobody_speaks(seat: Seat) -> None:
    call, _ = seat.talk()
    seat.desk.recording(call, "waiting", mode="voice", sealed_ms=3_000)
    seat.shows("call.recording", "Records when somebody speaks · sealed to 00:03")
    assert seat.text("top.recording") == "Recording"
    assert not seat.sees("call.record")


# --- the health light


def test_the_light_is_there_without_a_call_and_tells_a_disk_that_fills(seat: Seat) -> None:
    health(seat)
    seat.shows("top.recording", "Recorder ready")
    assert light(seat).tone is Tone.OK
    health(seat, 420_000_000, "disk_low")
    seat.shows("top.recording", "Disk nearly full")
    seat.shows("call.problem", "The disk is nearly full: free some space now.")
    said = opened(seat)
    assert said["health.disk"] == "420 MB · nearly full"
    assert (said["health.agent"], said["health.far"], said["health.sealed"]) == ("no call", "no call", "no call")
    assert said["health.problem"] == "The disk is nearly full: free some space now."
    health(seat, 0, "disk_full")
    seat.shows("top.recording", "Disk full")
    assert opened(seat)["health.disk"] == "0 MB · full"
    health(seat, 51_200_000_000, "spool_unwritable")
    seat.shows("top.recording", "Cannot record")
    health(seat)
    seat.shows("top.recording", "Recorder ready")
    assert not seat.sees("call.problem")


def test_it_says_both_levels_what_is_safe_room_and_what_waits(seat: Seat) -> None:
    health(seat)
    call = recorded(seat)
    begun = (datetime.now(UTC) - timedelta(minutes=12, seconds=20)).isoformat()
    seat.desk.desk.status.on_uploads(UploadStatus(2, False, oldest_at=begun))
    seat.until(lambda: opened(seat)["health.upload"] == "12 min")
    seat.until(lambda: opened(seat)["health.sealed"] == "up to 03:27")
    seat.desk.emit(messages.Levels(call, -23.4, -100.0))
    seat.until(lambda: opened(seat)["health.agent"] == "−23 dB")
    said = opened(seat)
    assert (said["health.far"], said["health.disk"], said["health.spool"]) == ("quiet", "51 GB · enough", "2 waiting")
    seat.desk.emit(messages.CallAlarm(call, "far_silent", True))
    seat.until(lambda: opened(seat)["health.far"] == "silent")
    assert seat.text("top.recording") == "Recording · silent"
    seat.desk.emit(messages.CallAlarm(call, "far_silent", False))
    seat.shows("top.recording", "Recording")


def test_a_click_on_the_light_closes_what_it_opened(seat: Seat) -> None:
    health(seat)
    seat.shows("top.recording", "Recorder ready")
    opened(seat)
    light(seat).panel.hide()
    light(seat).click()  # the same press has just closed it
    assert not light(seat).panel.isVisible()


def test_a_line_process_that_has_gone_says_nothing_of_the_disk(seat: Seat) -> None:
    health(seat, 420_000_000, "disk_low")
    seat.shows("top.recording", "Disk nearly full")
    seat.desk.desk.status.on_line_lost("killed")
    seat.until(lambda: not seat.sees("top.recording"))


@pytest.mark.parametrize(
    ("view", "spool", "age"),
    [
        (StatusView(), "none waiting", "all sent"),
        (StatusView(upload_last_at=datetime(2026, 11, 23, 14, 6).astimezone()), "none waiting", "last at 14:06"),
        (StatusView(uploads_waiting=3, uploads_refused=1), "3 waiting · 1 set aside", "all sent"),
        (
            StatusView(uploads_waiting=1, upload_oldest_at=NOW - timedelta(hours=5)),
            "1 waiting",
            "overdue",
        ),
        (StatusView(uploads_waiting=1, upload_oldest_at=NOW - timedelta(days=3)), "1 waiting", "3 days"),
        (StatusView(uploads_waiting=1, upload_oldest_at=NOW), "1 waiting", "under 1 min"),
    ],
)
def test_what_waits_for_its_upload_in_words(view: StatusView, spool: str, age: str) -> None:
    assert recording_text.spool(view)[0] == spool
    assert age in recording_text.upload_age(view, NOW)[0]


def test_all_of_it_in_chinese_too(seat: Seat) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    health(seat)
    recorded(seat, paused="card_number", pause_left_ms=30_000)
    seat.shows("call.pausedReason", "Card number: silence is recorded")
    opened(seat)
    apply_language(app, "zh_CN")
    try:
        seat.shows("call.pausedReason", "银行卡号：期间只录静音")
        assert seat.text("call.resume") == "恢复录音"
        assert seat.text("top.recording") == "录音已暂停"
        assert opened(seat)["health.sealed"] == "至 03:27 · 已暂停"
        assert opened(seat)["health.disk"] == "51 GB · 充足"
    finally:
        apply_language(app, "en")


def test_the_countdown_never_goes_below_nothing(seat: Seat) -> None:
    recorded(seat, paused="card_number", pause_left_ms=1)
    time.sleep(0.05)
    seat.shows("call.pauseLeft", "00:00")


@pytest.mark.parametrize("width", [1240, 1366])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_is_cut_however_it_stands(seat: Seat, language: LanguageName, width: int) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    seat.window.resize(width, 700)
    health(seat)
    call = recorded(seat)
    parts = (seat.window.page.call_panel.sound, light(seat).panel)
    apply_language(app, language)
    try:
        for values in (
            {"pause_reasons": REASONS},
            {"pause_reasons": REASONS, "paused": "identity_document", "pause_left_ms": 60_000},
            {"pause_reasons": REASONS, "mode": "manual"},
            {"pause_reasons": REASONS, "mode": "manual", "state": "waiting"},
            {"pause_reasons": REASONS, "mode": "manual", "state": "waiting", "sealed_ms": 0},
            {"problem": "disk_low"},
            {"state": "failed", "problem": "spool_unwritable"},
        ):
            with seat.qtbot.waitSignal(seat.window.page.shown, timeout=10_000):
                seat.desk.recording(call, **values)
            said = opened(seat)
            assert said["health.sealed"]
            # Qt lays out what has changed a moment later.
            seat.until(lambda: not [text for part in parts for text in cut(part)])
            seat.until(lambda: light(seat).width() >= light(seat).sizeHint().width())
    finally:
        apply_language(app, "en")
