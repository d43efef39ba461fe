"""The recording that is looked at: header, waveform, transport and who played it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from agent_desktop.domain.models import RecordingRow
from agent_desktop.services.playback import PlaybackView, Player, PlayState
from agent_desktop.services.playback_source import Side, SideMix
from agent_desktop.services.recordings import RecordingService, ReplayAudio
from agent_desktop.ui.background import Latest, Relay
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.qa import words
from agent_desktop.ui.qa.accesses import AccessesPanel
from agent_desktop.ui.qa.header import RecordingHeader
from agent_desktop.ui.qa.lanes import Lanes
from agent_desktop.ui.qa.peaks import Peaks
from agent_desktop.ui.qa.transport import SPEEDS, Transport
from agent_desktop.ui.theme import Tone
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Panel

SIDES = (Side.AGENT, Side.FAR)


class ReplayPanel(Panel):
    """Shows one recording. Choosing it shows its header and log; only opening it fetches the audio, which is logged."""

    def __init__(self, recordings: RecordingService, player: Player) -> None:
        super().__init__(surface="background")
        self._recordings = recordings
        self._player = player
        self._latest = Latest(self)
        self._row: RecordingRow | None = None
        self._loaded = self._fetching = self._play_when_here = False
        self._failure: Exception | None = None
        self.header = RecordingHeader()
        self.lanes = Lanes()
        self.transport = Transport()
        self.problem = label("", name="qa.problem", tone=Tone.WARN, wrap=True)
        self.accesses = AccessesPanel(recordings)
        self.notice = Notice("qa.replay")
        self._stage = QStackedWidget()
        self._stage.addWidget(self.notice)
        self._stage.addWidget(self.lanes)
        self._lay_out()
        self._connect()
        self.show_row(None)

    def _lay_out(self) -> None:
        self._stage.setFixedHeight(self.lanes.sizeHint().height())
        self.problem.setContentsMargins(16, 0, 16, 8)
        self._content = QWidget()
        inner = QVBoxLayout(self._content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        for widget in (self.header, self._stage, self.transport, self.problem):
            inner.addWidget(widget)
        inner.addWidget(self.accesses, 1)
        self._nothing = Notice("qa.none")
        self._pages = QStackedWidget()
        self._pages.addWidget(self._nothing)
        self._pages.addWidget(self._content)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._pages)

    def _connect(self) -> None:
        self.lanes.changed.connect(self._player.set_side)
        self.lanes.waveform.sought.connect(self._on_sought)
        self.lanes.waveform.selected.connect(self._on_selected)
        self.transport.played.connect(self.toggle)
        self.transport.jumped.connect(self.jump)
        self.transport.speed_chosen.connect(self._player.set_speed)
        self.transport.skip_chosen.connect(self._player.set_skip_silence)
        self.transport.loop_ended.connect(self.end_loop)
        self.notice.retry.connect(self.open)
        Relay(self._player.changed, self._on_playback, self)

    def retranslate(self) -> None:
        self._nothing.say(
            translate("Qa", "Choose a recording"),
            translate("Qa", "Arrow keys move through the list; Enter or a click opens a recording."),
        )
        self._tell()
        self._tell_problem()

    # --- choosing and fetching

    def show_row(self, row: RecordingRow | None) -> None:
        """Look at a recording, without fetching it."""
        if row is not None and self._row is not None and row.id == self._row.id:
            return
        self._row = row
        self._latest.forget()
        self._loaded = self._fetching = self._play_when_here = False
        self._failure = None
        self._player.unload()
        self.lanes.waveform.clear()
        self.header.show_row(row)
        self.accesses.show_recording(row.id if row else "")
        self._pages.setCurrentWidget(self._content if row else self._nothing)
        self.retranslate()

    def open(self) -> None:
        """Fetch the audio of the recording that is looked at; the server logs it."""
        row = self._row
        if row is None or self._loaded or self._fetching:
            return
        self._fetching, self._failure = True, None
        self._tell()
        self._latest.run(lambda: _fetch(self._recordings, row.id), self._on_audio, self._on_error)

    def _on_audio(self, fetched: tuple[ReplayAudio, Peaks, Peaks]) -> None:
        audio, agent, far = fetched
        self._fetching, self._loaded = False, True
        self._player.load(audio)
        self.lanes.waveform.set_recording(audio.rate, agent, far)
        self._tell()
        self.accesses.reload()
        if self._play_when_here:
            self._play_when_here = False
            self._player.play()

    def _on_error(self, error: Exception) -> None:
        self._fetching = self._play_when_here = False
        self._failure = error
        self._tell()

    def _tell(self) -> None:
        self._stage.setCurrentWidget(self.lanes if self._loaded else self.notice)
        self.transport.set_ready(
            openable=self._row is not None and not self._fetching,
            loaded=self._loaded,
            seconds=self._row.seconds if self._row else 0.0,
        )
        if self._failure is not None:
            self.notice.fail(sentence(self._failure))
        elif self._fetching:
            self.notice.wait(translate("Qa", "Fetching the recording…"))
        else:
            self.notice.say(
                translate("Qa", "Press Enter to open, Space to play"),
                translate("Qa", "Opening a recording is logged."),
            )

    # --- playing

    def toggle(self) -> None:
        """Play or pause; fetches the recording first when it is not here."""
        if not self._loaded:
            self._play_when_here = True
            self.open()
        elif self._player.view.state is PlayState.PLAYING:
            self._player.pause()
        else:
            self._player.play()

    def jump(self, seconds: float) -> None:
        self.seek(self._player.view.position + seconds)

    def seek(self, seconds: float) -> None:
        if self._loaded:
            self._player.seek(seconds)

    def change_speed(self, steps: int) -> None:
        """To the next slower or faster speed of the menu."""
        now = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self._player.view.speed))
        self._player.set_speed(SPEEDS[max(0, min(len(SPEEDS) - 1, now + steps))])

    def toggle_skip(self) -> None:
        self._player.set_skip_silence(not self._player.view.skip_silence)

    def toggle_mute(self, side: int) -> None:
        """``side``: 0 agent, 1 debtor."""
        mix = self._player.view.mix.side(SIDES[side])
        self._set_side(side, replace(mix, muted=not mix.muted))

    def toggle_solo(self, side: int) -> None:
        mix = self._player.view.mix.side(SIDES[side])
        self._set_side(side, replace(mix, solo=not mix.solo))

    def _set_side(self, side: int, mix: SideMix) -> None:
        if self._loaded:
            self._player.set_side(SIDES[side], mix)

    def end_loop(self) -> None:
        self._player.set_loop(None)

    def zoom(self, factor: float) -> None:
        self.lanes.waveform.zoom(factor)

    def _on_sought(self, seconds: float) -> None:
        loop = self._player.view.loop
        if loop is not None and not loop[0] <= seconds < loop[1]:
            self.end_loop()
        self._player.seek(seconds)

    def _on_selected(self, start: float, end: float) -> None:
        self._player.set_loop((start, end))
        self._player.seek(start)

    def _on_playback(self, view: PlaybackView) -> None:
        self.transport.show_view(view)
        self.lanes.show_mix(view.mix)
        self.lanes.waveform.set_loop(view.loop)
        self.lanes.waveform.set_position(view.position)
        self._tell_problem()

    def _tell_problem(self) -> None:
        problem = words.playback_problem(self._player.view.problem)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))


def _fetch(recordings: RecordingService, recording_id: str) -> tuple[ReplayAudio, Peaks, Peaks]:
    audio = recordings.audio(recording_id)
    return audio, Peaks(audio.agent), Peaks(audio.far)
