"""Play, jump, position, speed, skipping and the passage that is looped."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton

from agent_desktop.services.playback import PlaybackView, PlayState
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.widgets.chips import Chip
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)


class Transport(Panel):
    """Shows the player's state and says what a person asks of it; decides nothing itself."""

    played = Signal()
    jumped = Signal(float)
    speed_chosen = Signal(float)
    skip_chosen = Signal(bool)
    loop_ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._view = PlaybackView()
        self._expected = 0.0
        self.back = KeyButton("←", name="qa.back")
        self.play = KeyButton("Space", kind="primary", name="qa.play")
        self.forward = KeyButton("→", name="qa.forward")
        self.position = label("strong", name="qa.position")
        self.speed = QPushButton()
        self.speed.setObjectName("qa.speed")
        self.skip = Chip()
        self.skip.setObjectName("qa.skip")
        self.loop = Chip()
        self.loop.setObjectName("qa.loop")
        self._speeds = QActionGroup(self)
        self._menu = QMenu(self)
        self._fill_menu()
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 12)
        row.setSpacing(8)
        for key in (self.back, self.play, self.forward):
            row.addWidget(key)
        row.addSpacing(8)
        row.addWidget(self.position)
        row.addSpacing(8)
        for choice in (self.speed, self.skip, self.loop):
            row.addWidget(choice)
        row.addStretch(1)
        self.back.clicked.connect(lambda: self.jumped.emit(-5.0))
        self.forward.clicked.connect(lambda: self.jumped.emit(5.0))
        self.play.clicked.connect(self.played)
        self.skip.clicked.connect(self.skip_chosen)
        self.loop.clicked.connect(self.loop_ended)
        self.retranslate()

    def _fill_menu(self) -> None:
        for speed in SPEEDS:
            action = QAction(speed_text(speed), self._menu, checkable=True)
            action.setData(speed)
            action.triggered.connect(lambda _on, speed=speed: self.speed_chosen.emit(speed))
            self._speeds.addAction(action)
            self._menu.addAction(action)
        self.speed.setMenu(self._menu)

    def retranslate(self) -> None:
        self.back.setText(translate("Qa", "−5 s"))
        self.forward.setText(translate("Qa", "+5 s"))
        self.back.setAccessibleName(translate("Qa", "Back 5 seconds"))
        self.forward.setAccessibleName(translate("Qa", "Forward 5 seconds"))
        self.speed.setAccessibleName(translate("Qa", "Speed"))
        self.speed.setToolTip(translate("Qa", "Speed at the same pitch: [ slower, ] faster"))
        self.skip.setText(translate("Qa", "Skip silence"))
        self.skip.setToolTip(translate("Qa", "Jump over silences of more than 1.5 s: K"))
        self.loop.setToolTip(translate("Qa", "Drag over the waveform to loop a passage; Esc ends it"))
        self.show_view(self._view)

    def show_view(self, view: PlaybackView) -> None:
        """Show the player as it stands."""
        self._view = view
        playing = view.state is PlayState.PLAYING
        self.play.setText(translate("Qa", "Pause") if playing else translate("Qa", "Play"))
        length = self._expected if view.state is PlayState.EMPTY else view.length
        self.position.setText(f"{fmt.clock(view.position)} / {fmt.clock(length)}")
        self.speed.setText(f"{speed_text(view.speed)} ▾")
        for action in self._speeds.actions():
            action.setChecked(action.data() == view.speed)
        self.skip.setChecked(view.skip_silence)
        self.loop.setVisible(view.loop is not None)
        if view.loop is not None:
            start, end = (fmt.clock(at) for at in view.loop)
            self.loop.setText(translate("Qa", "Loop {start}–{end}  ✕").format(start=start, end=end))
            self.loop.setChecked(True)

    def set_ready(self, *, openable: bool, loaded: bool, seconds: float) -> None:
        """``openable``: a recording of ``seconds`` is chosen, playing fetches it; ``loaded``: it is here."""
        self._expected = seconds
        self.play.setEnabled(openable)
        for widget in (self.back, self.forward):
            widget.setEnabled(loaded)
        self.show_view(self._view)


def speed_text(speed: float) -> str:
    """``1.5×``."""
    return f"{speed:g}×"
