"""The telephone but for its calls: lines, answering, devices, places; over a scripted line."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.line_roster import LineRoster, LineView, SeatLine
from agent_desktop.services.phone import AnsweringView, AudioView, Devices, PhoneService
from agent_desktop.services.seat_choices import SeatChoices
from agent_desktop.services.status import StatusService
from telephony import messages
from telephony.messages import AnsweringState, AudioConfig, AudioState, LineConfig, LineState
from tests.support.call_room import problem_of
from tests.support.scripted_line import NO_AUDIO, ScriptedLine, recording
from tests.support.seat import wait_for

HEADSET = AudioConfig("device", "USB Headset", "USB Headset", "Built-in Audio")


def _roster() -> LineRoster:
    return LineRoster(
        [
            SeatLine(LineConfig("direct", "02161234567", "02161234567", "sbc.example:5061"), name="直线"),
            SeatLine(LineConfig("extension", "", "1001", "pbx.example:5060")),
        ]
    )


class Telephone:
    """A phone service with two lines over a scripted line process."""

    def __init__(self, choices: SeatChoices | None = None) -> None:
        self.line = ScriptedLine()
        self.roster = _roster()
        commands = LineCommands()
        commands.use(self.line)
        self.phone = PhoneService(self.roster, commands, choices)

    def lose(self) -> None:
        self.roster.on_lost("killed")
        self.phone.on_lost("killed")

    def emit(self, event: messages.Event) -> None:
        self.roster.on_event(event)
        self.phone.on_event(event)


@pytest.fixture
def telephone() -> Telephone:
    return Telephone()


# --- lines ---


def test_lines_stand_in_the_order_of_the_configuration(telephone: Telephone) -> None:
    told: list[tuple[LineView, ...]] = []
    telephone.phone.lines_changed.join(told.append)
    assert [(line.line_id, line.name, line.state) for line in telephone.phone.lines] == [
        ("direct", "直线", "registering"),
        ("extension", "1001", "registering"),
    ]
    telephone.emit(LineState("extension", "registered", 200, "OK", "sip:1001@10.0.0.2:5060", "backup"))
    telephone.emit(LineState("direct", "failed", 403, "Forbidden", problem="forbidden"))
    telephone.emit(LineState("unknown", "registered"))
    direct, extension = telephone.phone.lines
    assert (direct.usable, direct.problem, direct.sip_code, direct.reason) == (False, "forbidden", 403, "Forbidden")
    assert (extension.usable, extension.registrar) == (True, "backup")
    assert len(told) == 2
    assert told[-1] == (direct, extension)


def test_a_line_process_that_comes_back_brings_its_lines_back(telephone: Telephone) -> None:
    telephone.emit(LineState("extension", "registered", 200, uri="sip:1001@10.0.0.2:5060"))
    telephone.lose()
    assert [(line.state, line.sip_code) for line in telephone.phone.lines] == [("away", 0), ("away", 0)]
    telephone.line.lines = (LineState("extension", "registered", 200),)
    telephone.emit(telephone.line.snapshot())
    assert [line.state for line in telephone.phone.lines] == ["registering", "registered"]
    assert telephone.phone.lines[1].uri == "sip:1001@10.0.0.2:5060"


@pytest.mark.parametrize(
    ("direct", "extension", "state", "name", "problem", "down"),
    [
        ("ready", "registered", "ready", "直线", "", 0),
        ("failed", "registered", "registered", "1001", "", 1),
        ("ready", "failed", "ready", "直线", "", 1),
        ("registering", "failed", "failed", "1001", "unreachable", 2),
        ("failed", "registering", "failed", "直线", "unreachable", 2),
        ("registering", "registering", "registering", "直线", "", 2),
        ("removed", "registering", "removed", "直线", "", 2),
    ],
)
def test_the_indicator_is_of_the_line_in_use_or_of_the_worst(
    direct: str, extension: str, state: str, name: str, problem: str, down: int
) -> None:
    roster, status = _roster(), StatusService()
    roster.changed.join(status.on_lines)
    for line_id, now in (("direct", direct), ("extension", extension)):
        roster.on_event(LineState(line_id, now, problem="unreachable" if now == "failed" else ""))
    status.on_lines(roster.views)
    view = status.now
    assert (view.line_state, view.line_name, view.line_problem, view.lines_down) == (state, name, problem, down)
    roster.on_lost("killed")
    assert (status.now.line_state, status.now.line_problem, status.now.lines_down) == ("away", "", 2)


def test_a_seat_without_lines_needs_none() -> None:
    status, phone = StatusService(), PhoneService()
    status.on_lines(phone.lines)
    assert (status.now.line_state, phone.lines) == ("none", ())
    assert problem_of(phone.set_answering, True, False) is Problem.LINE_AWAY
    assert problem_of(phone.devices) is Problem.LINE_AWAY


def test_the_recording_with_a_problem_is_heard_over_the_other() -> None:
    status = StatusService()
    for event, shown in (
        (recording("a", "rec-a", problem="far_silent"), "far_silent"),
        (recording("b", "rec-b"), "far_silent"),
        (recording("b", "rec-b", problem="disk_low"), "disk_low"),
        (recording("b", "rec-b"), "far_silent"),
        (recording("a", "rec-a"), ""),
        (recording("b", "rec-b", "failed", problem="disk_full"), "disk_full"),
        (recording("b", "rec-b", "failed", problem="disk_full"), "disk_full"),
        (recording("c", "rec-c"), ""),
    ):
        status.on_line_event(event)
        assert status.now.recording_problem == shown
    status.on_line_event(recording("c", "rec-c", problem="far_silent"))
    status.on_line_lost("killed")
    status.on_line_event(recording("d", "rec-d"))
    assert status.now.recording_problem == ""


# --- answering ---


def test_answering_is_what_the_line_process_says(telephone: Telephone) -> None:
    told: list[AnsweringView] = []
    telephone.phone.answering_changed.join(told.append)
    telephone.phone.set_answering(do_not_disturb=False, auto_answer=True, auto_answer_ms=2000)
    command = telephone.line.last(messages.SetAnswering)
    assert (command.do_not_disturb, command.auto_answer, command.auto_answer_ms) == (False, True, 2000)
    assert telephone.phone.answering == AnsweringView()  # until it is said
    telephone.emit(AnsweringState(False, True, 2000))
    assert told == [telephone.phone.answering] == [AnsweringView(False, True, 2000)]


def test_a_new_line_process_is_set_as_the_old_one_was(telephone: Telephone) -> None:
    telephone.phone.set_answering(do_not_disturb=True, auto_answer=False)
    telephone.phone.set_audio(HEADSET)
    before = len(telephone.line.commands)
    telephone.emit(telephone.line.snapshot())  # a snapshot of the same process: nothing to do
    telephone.lose()
    telephone.emit(telephone.line.snapshot())
    wait_for(lambda: len(telephone.line.commands) >= before + 2)
    answering, audio = telephone.line.commands[before:]
    assert isinstance(answering, messages.SetAnswering)
    assert answering.do_not_disturb
    assert isinstance(audio, messages.SetAudio)
    assert audio.audio == HEADSET


def test_a_line_process_that_does_not_take_commands_yet_is_asked_again(telephone: Telephone) -> None:
    telephone.phone.set_answering(do_not_disturb=True, auto_answer=False)
    before = len(telephone.line.commands)
    telephone.line.refuse[messages.SetAnswering] = "away"
    telephone.lose()
    telephone.emit(telephone.line.snapshot())
    wait_for(lambda: len(telephone.line.commands) > before)
    del telephone.line.refuse[messages.SetAnswering]
    wait_for(lambda: len(telephone.line.commands) > before + 1)
    wait_for(lambda: not any(t.name == "phone-again" for t in threading.enumerate()))
    assert {type(command) for command in telephone.line.commands[before:]} == {messages.SetAnswering}


def test_what_was_not_set_is_left_to_the_new_line_process(telephone: Telephone) -> None:
    telephone.line.refuse[messages.SetAnswering] = "away"
    assert problem_of(telephone.phone.set_answering, True, False) is Problem.LINE_AWAY
    before = len(telephone.line.commands)
    telephone.lose()
    telephone.emit(telephone.line.snapshot())
    wait_for(lambda: not any(t.name == "phone-again" for t in threading.enumerate()))
    assert telephone.line.commands[before:] == []


# --- devices ---


def test_devices_there_are(telephone: Telephone) -> None:
    telephone.line.results[messages.ListDevices] = {
        "microphones": ["USB Headset"],
        "speakers": ["USB Headset"],
        "ringers": ["USB Headset", "Built-in Audio"],
        "host": "ALSA",
    }
    found = telephone.phone.devices()
    assert found == Devices(("USB Headset",), ("USB Headset",), ("USB Headset", "Built-in Audio"))


def test_the_devices_in_use_are_what_the_line_process_says(telephone: Telephone) -> None:
    told: list[AudioView] = []
    telephone.phone.audio_changed.join(told.append)
    telephone.emit(AudioState("device", "USB Headset", "device_lost", "Built-in", "Built-in", "Built-in", True))
    view = telephone.phone.audio
    assert (view.kind, view.problem, view.microphone, view.fallback) == ("device", "device_lost", "Built-in", True)
    assert told == [view]
    telephone.emit(messages.Snapshot((), (), (), NO_AUDIO, answering=AnsweringState(True)))
    assert (telephone.phone.audio.kind, telephone.phone.answering.do_not_disturb) == ("null", True)


def test_chosen_devices_are_remembered_for_the_seat(tmp_path: Path) -> None:
    path = tmp_path / "seat" / "devices.json"
    telephone = Telephone(SeatChoices(path))
    assert SeatChoices(path).audio is None
    telephone.phone.set_audio(HEADSET)
    assert telephone.line.last(messages.SetAudio).audio == HEADSET
    assert SeatChoices(path).audio == HEADSET
    assert [p.name for p in path.parent.iterdir()] == ["devices.json"]


@pytest.mark.parametrize(
    ("code", "problem"), [("no_such_device", Problem.NO_SUCH_DEVICE), ("device_busy", Problem.DEVICE_BUSY)]
)
def test_devices_that_were_refused_are_not_remembered(tmp_path: Path, code: str, problem: Problem) -> None:
    path = tmp_path / "devices.json"
    telephone = Telephone(SeatChoices(path))
    telephone.line.refuse[messages.SetAudio] = code
    assert problem_of(telephone.phone.set_audio, HEADSET) is problem
    assert SeatChoices(path).audio is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"audio": 5}', '{"audio": {"kind": 5}}', '{"audio": {"microphone": ["x"]}}']
)
def test_a_file_of_choices_that_cannot_be_understood_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "devices.json"
    path.write_text(text, "utf-8")
    choices = SeatChoices(path)
    assert choices.audio is None
    choices.keep_audio(HEADSET)
    assert SeatChoices(path).audio == HEADSET


def test_choices_of_a_later_version_are_read_as_far_as_they_are_known(tmp_path: Path) -> None:
    path = tmp_path / "devices.json"
    path.write_text(json.dumps({"audio": {"kind": "device", "camera": "x"}, "more": 1}), "utf-8")
    assert SeatChoices(path).audio == AudioConfig("device")


def test_a_choice_that_cannot_be_written_holds_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    choices = SeatChoices(tmp_path / "file" / "devices.json")
    choices.keep_audio(HEADSET)
    assert choices.audio == HEADSET


def test_trying_the_devices(telephone: Telephone) -> None:
    levels: list[float] = []
    telephone.phone.test_levels.join(levels.append)
    telephone.phone.test_audio("loopback")
    assert telephone.line.last(messages.TestAudio).test == "loopback"
    telephone.emit(messages.Levels("", -31.5, -100.0))
    telephone.emit(messages.Levels("a call", -20.0, -20.0))
    assert levels == [-31.5]
    telephone.line.refuse[messages.TestAudio] = "wrong_state"
    assert problem_of(telephone.phone.test_audio, "tone") is Problem.NOT_NOW
    with pytest.raises(ValueError, match="unknown test"):
        telephone.phone.test_audio("scream")


# --- numbers ---


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("138 0000 6021", NumberPlace("北京市", "Beijing", "中国移动", "China Mobile", "mobile", True)),
        ("+8657188887777", NumberPlace("浙江省杭州市", "Hangzhou, Zhejiang", "", "", "landline", True)),
        ("1002", NumberPlace(kind="extension", valid=True)),
        ("nobody", NumberPlace()),
    ],
)
def test_the_place_of_a_number(telephone: Telephone, number: str, place: NumberPlace) -> None:
    assert telephone.phone.place_of(number) == place


def test_a_line_process_that_is_not_there_is_a_problem_for_people() -> None:
    with pytest.raises(DeskError) as caught:
        LineCommands().request(messages.GetSnapshot)
    assert caught.value.problem is Problem.LINE_AWAY
