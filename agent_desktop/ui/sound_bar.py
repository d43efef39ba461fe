"""The sound devices: which microphone, speaker and ringing device, and trying each of them.

Names: ``sound``, ``sound.microphone``, ``sound.speaker``, ``sound.ringer``, ``sound.tone``, ``sound.ring``,
``sound.loopback``, ``sound.meter``, ``sound.status``, ``sound.close``.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from agent_desktop.services.phone import AudioView, Devices, PhoneService
from agent_desktop.ui import sound_text
from agent_desktop.ui.background import Latest, Relay, Serial
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.device_choice import DeviceChoice
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.meters import LevelMeter
from agent_desktop.ui.widgets.panel import Panel
from telephony.messages import AudioConfig

TEST_MS = 10_000
"""The line process ends a test by itself after this."""
_KINDS = ("microphone", "speaker", "ringer")


class SoundBar(Panel):
    """Opens below the top bar; a choice takes effect at once and is remembered by the seat. Esc closes."""

    closed = Signal()

    def __init__(self, phone: PhoneService) -> None:
        super().__init__(surface="panel", edge="bottom")
        self.setObjectName("sound")
        self._phone = phone
        self._audio = self._wanted = phone.audio
        self._devices = Devices()
        self._looks = Latest(self)
        self._work = Serial(self)
        self._error: Exception | None = None
        self._in_call = False
        self._test = "off"
        self._title = label("strong")
        self._hint = label("secondary")
        self._close = KeyButton("Esc", kind="quiet", name="sound.close")
        self._captions = {kind: label("secondary") for kind in _KINDS}
        self._choices = {kind: DeviceChoice(f"sound.{kind}") for kind in _KINDS}
        self._tests = {test: KeyButton("", name=f"sound.{test}") for test in ("loopback", "tone", "ring")}
        self._meter = LevelMeter("sound.meter")
        self._status = label("secondary", name="sound.status", wrap=True)
        self._end = QTimer(self)
        self._end.setSingleShot(True)
        self._end.setInterval(TEST_MS)
        self._build()
        self._connect()
        self.retranslate()
        self.hide()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._title)
        top.addWidget(self._hint, 1)
        top.addWidget(self._close)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        for column, (kind, test) in enumerate(zip(_KINDS, self._tests, strict=True)):
            grid.addWidget(self._captions[kind], 0, column)
            row = QHBoxLayout()
            row.setSpacing(6)
            row.addWidget(self._choices[kind], 1)
            self._tests[test].setCheckable(True)
            row.addWidget(self._tests[test])
            grid.addLayout(row, 1, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self._meter, 2, 0)
        grid.addWidget(self._status, 2, 1, 1, 2)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 8, 16, 10)
        box.setSpacing(6)
        box.addLayout(grid)
        box.insertLayout(0, top)  # second, so that Tab comes to the way out last

    def _connect(self) -> None:
        self._close.clicked.connect(self.close_bar)
        for choice in self._choices.values():
            choice.chosen.connect(self._choose)
        for test, button in self._tests.items():
            button.clicked.connect(lambda on, t=test: self._try(t if on else "off"))
        self._end.timeout.connect(self._test_ended)
        Relay(self._phone.audio_changed, self._on_audio, self)
        Relay(self._phone.test_levels, self._on_level, self)

    def open_bar(self) -> None:
        """Show it, and look for devices: one may have been plugged in since."""
        self._error = None
        self.show()
        self._choices["microphone"].setFocus()
        self._look()

    def close_bar(self) -> None:
        """Hide it; a test that is running ends."""
        if self._test != "off":
            self._try("off")
        self.hide()
        self.closed.emit()

    def show_in_call(self, in_call: bool) -> None:
        """Devices can be changed in a call, but not tried."""
        if in_call != self._in_call:
            self._in_call = in_call
            if in_call:
                self._test_ended()
            self._tell()

    def _look(self) -> None:
        self._looks.run(self._phone.devices, self._found, self._failed)

    def _found(self, devices: Devices) -> None:
        self._devices = devices
        self._tell()

    def _failed(self, error: Exception) -> None:
        self._error = error
        self._test_ended()
        self._tell()

    def _on_audio(self, audio: AudioView) -> None:
        self._audio = audio
        if not audio.fallback:
            self._wanted = audio  # while others stand in, what was chosen stays chosen
        self._tell()
        if self.isVisible():
            self._look()

    def _choose(self) -> None:
        names = {kind: choice.value for kind, choice in self._choices.items()}
        audio = AudioConfig("device" if any(names.values()) else "auto", **names)
        phone = self._phone
        self._error = None
        self._work.run(lambda: phone.set_audio(audio), lambda _none: self._tell(), self._failed)

    def _try(self, test: str) -> None:
        phone = self._phone
        self._error, self._test = None, test
        (self._end.stop if test == "off" else self._end.start)()
        self._work.run(lambda: phone.test_audio(test), None, self._failed)
        self._tell()

    def _test_ended(self) -> None:
        self._test = "off"
        self._end.stop()
        self._tell()

    def _on_level(self, dbfs: float) -> None:
        if self._test != "off":
            self._meter.set_level(dbfs)

    def _tell(self) -> None:
        wanted = self._wanted
        mine = wanted.kind == "device"
        found = (self._devices.microphones, self._devices.speakers, self._devices.ringers)
        used = (wanted.microphone, wanted.speaker, wanted.ringer)
        for choice, names, name in zip(self._choices.values(), found, used, strict=True):
            choice.show_devices(names, name if mine else "")
        for test, button in self._tests.items():
            button.setChecked(test == self._test)
            button.setEnabled(not self._in_call)
        if self._test == "off":
            self._meter.clear()
        text, tone = self._said()
        self._status.setText(text)
        set_look(self._status, tone=tone.value)

    def _said(self) -> tuple[str, Tone]:
        if self._error is not None:
            return sentence(self._error), Tone.BAD
        said, tone = sound_text.audio(self._audio)
        if said:
            return said, tone
        if self._in_call:
            return translate("Sound", "In a call: a choice takes effect at once, trying must wait."), Tone.GREY
        return {
            "tone": (translate("Sound", "A tone is playing on the speaker."), Tone.ACCENT),
            "ring": (translate("Sound", "The ringing device is ringing."), Tone.ACCENT),
            "loopback": (translate("Sound", "Speak: you hear yourself half a second later."), Tone.ACCENT),
        }.get(self._test, (translate("Sound", "In use: {device}").format(device=self._in_use()), Tone.GREY))

    def _in_use(self) -> str:
        kinds = {"files": translate("Sound", "sound files (practice)"), "null": translate("Sound", "no sound")}
        return kinds.get(self._audio.kind) or self._audio.description or sound_text.device("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        else:
            super().keyPressEvent(event)

    def retranslate(self) -> None:
        self._title.setText(translate("Sound", "Sound"))
        self._hint.setText(translate("Sound", "A choice takes effect at once and is kept for this seat."))
        self._close.setText(translate("Sound", "Close"))
        captions = (
            translate("Sound", "Microphone"),
            translate("Sound", "Speaker"),
            translate("Sound", "Ringing device"),
        )
        for kind, caption in zip(_KINDS, captions, strict=True):
            self._captions[kind].setText(caption)
            self._choices[kind].setAccessibleName(caption)
        self._tests["loopback"].setText(translate("Sound", "Hear myself"))
        self._tests["tone"].setText(translate("Sound", "Test tone"))
        self._tests["ring"].setText(translate("Sound", "Test ring"))
        self._meter.setAccessibleName(translate("Sound", "Level of the microphone"))
        self._tell()
