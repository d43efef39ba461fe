"""The seat's telephone but for its calls: lines, do-not-disturb and auto-answer, sound devices, numbers' places."""

from __future__ import annotations

from dataclasses import dataclass

from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.line_roster import LineRoster
from agent_desktop.services.line_roster import LineView as LineView
from agent_desktop.services.listeners import Listeners
from telephony import messages
from telephony.messages import AudioConfig, Event

DEVICES_S = 5.0
"""Looking for devices, and opening them, takes longer than other commands."""
TESTS = ("tone", "ring", "loopback", "off")


@dataclass(frozen=True, slots=True)
class AnsweringView:
    """``auto_answer_ms``: how long a call rings before it is answered by itself, in milliseconds."""

    do_not_disturb: bool = False
    auto_answer: bool = False
    auto_answer_ms: int = 0


@dataclass(frozen=True, slots=True)
class Devices:
    """Names of the devices that there are now, as ``AudioConfig`` takes them."""

    microphones: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    ringers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AudioView:
    """The devices in use. Fields as ``telephony.messages.AudioState``."""

    kind: str = "null"
    description: str = ""
    problem: str = ""
    microphone: str = ""
    speaker: str = ""
    ringer: str = ""
    fallback: bool = False
    """The default devices stand in for chosen ones that have gone."""


class PhoneService:
    """Listeners are called on the line client's thread. What asks the line process waits for its reply and raises
    ``DeskError``: not for the Qt main thread. A seat without a line has no lines, and every command is ``LINE_AWAY``.
    """

    lines_changed: Listeners[tuple[LineView, ...]]
    answering_changed: Listeners[AnsweringView]
    audio_changed: Listeners[AudioView]
    test_levels: Listeners[float]
    """Level of the microphone in dBFS, ten times a second, while the devices are tried."""

    def __init__(self, roster: LineRoster | None = None, commands: LineCommands | None = None) -> None:
        self._roster = roster or LineRoster()
        self._commands = commands or LineCommands()
        self._answering = AnsweringView()
        self._audio = AudioView()
        self.lines_changed = self._roster.changed
        self.answering_changed = Listeners()
        self.audio_changed = Listeners()
        self.test_levels = Listeners()

    @property
    def lines(self) -> tuple[LineView, ...]:
        """The seat's lines, in the order of the configuration; the first usable one is dialled on."""
        return self._roster.views

    @property
    def answering(self) -> AnsweringView:
        return self._answering

    def set_answering(self, do_not_disturb: bool, auto_answer: bool, auto_answer_ms: int = 0) -> None:
        """Refuse calls (480, recorded as missed), or answer them by themselves after a while, with a tone."""
        self._commands.request(
            messages.SetAnswering,
            do_not_disturb=do_not_disturb,
            auto_answer=auto_answer,
            auto_answer_ms=auto_answer_ms,
        )

    @property
    def audio(self) -> AudioView:
        return self._audio

    def devices(self) -> Devices:
        """The devices that there are now."""
        found = self._commands.request(messages.ListDevices, DEVICES_S)
        return Devices(*(tuple(map(str, found.get(name, ()))) for name in Devices.__dataclass_fields__))

    def set_audio(self, audio: AudioConfig) -> None:
        """Use these devices from now on, in mid-call too, and remember them for this seat."""
        self._commands.request(messages.SetAudio, DEVICES_S, audio=audio)

    def test_audio(self, test: str) -> None:
        """Try the devices while no call is up: ``tone``, ``ring``, ``loopback`` or ``off``. Ends after 10 s."""
        if test not in TESTS:
            raise ValueError("unknown test")
        self._commands.request(messages.TestAudio, DEVICES_S, test=test)

    def place_of(self, number: str) -> NumberPlace:
        """What is known of a number in any form. Immediate once the tables are loaded; before that 0.4 s."""
        return NumberPlace()

    def on_event(self, event: Event) -> None:
        """An event of the line process."""
        if isinstance(event, messages.Snapshot):
            self.on_event(event.answering)
            self.on_event(event.audio)
        elif isinstance(event, messages.AnsweringState):
            self._answering = AnsweringView(event.do_not_disturb, event.auto_answer, event.auto_answer_ms)
            self.answering_changed.emit(self._answering)
        elif isinstance(event, messages.AudioState):
            values = {name: getattr(event, name) for name in AudioView.__dataclass_fields__}
            self._audio = AudioView(**values)
            self.audio_changed.emit(self._audio)
        elif isinstance(event, messages.Levels) and not event.call_id:
            self.test_levels.emit(event.agent_dbfs)
