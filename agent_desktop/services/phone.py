"""The seat's telephone but for its calls: lines, do-not-disturb and auto-answer, sound devices, numbers' places."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from agent_desktop.domain.number_places import NumberPlace, place_of
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.line_roster import LineRoster
from agent_desktop.services.line_roster import LineView as LineView
from agent_desktop.services.listeners import Listeners
from agent_desktop.services.seat_choices import SeatChoices
from telephony import messages
from telephony.messages import AudioConfig, Event

log = logging.getLogger(__name__)

DEVICES_S = 5.0
"""Looking for devices, and opening them, takes longer than other commands."""
AGAIN_S = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
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

    def __init__(
        self,
        roster: LineRoster | None = None,
        commands: LineCommands | None = None,
        choices: SeatChoices | None = None,
    ) -> None:
        self._roster = roster or LineRoster()
        self._commands = commands or LineCommands()
        self._choices = choices or SeatChoices()
        self._answering = AnsweringView()
        self._audio = AudioView()
        self._asked_answering: AnsweringView | None = None
        self._asked_audio: AudioConfig | None = None
        self._lost = False
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
        """Refuse calls (480, recorded as missed), or answer them by themselves after a while, with a tone.

        Holds until it is set otherwise or the desk is closed, through a restart of the line process.
        """
        self._set_answering(AnsweringView(do_not_disturb, auto_answer, auto_answer_ms))

    @property
    def audio(self) -> AudioView:
        return self._audio

    def devices(self) -> Devices:
        """The devices that there are now."""
        found = self._commands.request(messages.ListDevices, DEVICES_S)
        return Devices(*(tuple(map(str, found.get(name, ()))) for name in Devices.__dataclass_fields__))

    def set_audio(self, audio: AudioConfig) -> None:
        """Use these devices from now on, in mid-call too, and remember them for this seat.

        Raises ``DeskError`` with ``NO_SUCH_DEVICE`` or ``DEVICE_BUSY``, too: the old ones stay.
        """
        self._commands.request(messages.SetAudio, DEVICES_S, audio=audio)
        self._asked_audio = audio
        self._choices.keep_audio(audio)

    def test_audio(self, test: str) -> None:
        """Try the devices while no call is up: ``tone``, ``ring``, ``loopback`` or ``off``. Ends after 10 s."""
        if test not in TESTS:
            raise ValueError("unknown test")
        self._commands.request(messages.TestAudio, DEVICES_S, test=test)

    def place_of(self, number: str) -> NumberPlace:
        """What is known of a number in any form. Immediate once the tables are loaded, a second after sign-in."""
        return place_of(self._roster.numbers().read(number))

    def on_event(self, event: Event) -> None:
        """An event of the line process."""
        if isinstance(event, messages.Snapshot):
            self.on_event(event.answering)
            self.on_event(event.audio)
            if self._lost:
                self._lost = False
                threading.Thread(target=self._ask_again, name="phone-again", daemon=True).start()
        elif isinstance(event, messages.AnsweringState):
            self._answering = AnsweringView(event.do_not_disturb, event.auto_answer, event.auto_answer_ms)
            self.answering_changed.emit(self._answering)
        elif isinstance(event, messages.AudioState):
            values = {name: getattr(event, name) for name in AudioView.__dataclass_fields__}
            self._audio = AudioView(**values)
            self.audio_changed.emit(self._audio)
        elif isinstance(event, messages.Levels) and not event.call_id:
            self.test_levels.emit(event.agent_dbfs)

    def on_lost(self, reason: str = "") -> None:
        """The line process has gone; one that comes back does not know what was set. ``reason`` is for the log."""
        self._lost = True

    def _set_answering(self, wanted: AnsweringView) -> None:
        self._commands.request(
            messages.SetAnswering,
            do_not_disturb=wanted.do_not_disturb,
            auto_answer=wanted.auto_answer,
            auto_answer_ms=wanted.auto_answer_ms,
        )
        self._asked_answering = wanted

    def _ask_again(self) -> None:
        """Set in a new line process what was set in the one that has gone.

        Its snapshot may be here a moment before it takes commands.
        """
        for wait in AGAIN_S:
            time.sleep(wait)
            try:
                if self._asked_answering is not None:
                    self._set_answering(self._asked_answering)
                if self._asked_audio is not None:
                    self._commands.request(messages.SetAudio, DEVICES_S, audio=self._asked_audio)
            except DeskError as error:
                log.warning("the line process is not set up as before yet: %s", error)
                if error.problem is not Problem.LINE_AWAY:
                    return
            else:
                return
