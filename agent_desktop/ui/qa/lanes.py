"""The waveform with the name, mute, solo and gain of each side beside its lane."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from agent_desktop.services.playback_source import Mix, Side, SideMix
from agent_desktop.ui.language import translate
from agent_desktop.ui.qa.waveform import Waveform
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel

GAINS_DB = (-12, -6, -3, 0, 3, 6, 9, 12)


class SideControls(Panel):
    """One side: its name, M, S and gain. ``changed(side, mix)`` when a person changes something."""

    changed = Signal(object, object)

    def __init__(self, side: Side) -> None:
        super().__init__()
        self._side = side
        self._mix = SideMix()
        self.name = label("strong")
        self.mute, self.solo, self.gain = QPushButton("M"), QPushButton("S"), QPushButton()
        self._gains = QActionGroup(self)
        self._menu = QMenu(self)
        for button, what in ((self.mute, "mute"), (self.solo, "solo"), (self.gain, "gain")):
            button.setObjectName(f"qa.{side}.{what}")
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            set_look(button, kind="tiny")
        for button in (self.mute, self.solo):
            button.setCheckable(True)
        self._lay_out()
        self._fill_menu()
        self.mute.clicked.connect(lambda on: self._change(replace(self._mix, muted=on)))
        self.solo.clicked.connect(lambda on: self._change(replace(self._mix, solo=on)))
        self.show_mix(self._mix)
        self.retranslate()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(3)
        for button in (self.mute, self.solo, self.gain):
            row.addWidget(button)
        row.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addStretch(1)
        box.addWidget(self.name)
        box.addLayout(row)
        box.addStretch(1)

    def _fill_menu(self) -> None:
        for gain in reversed(GAINS_DB):
            action = QAction(gain_text(gain), self._menu, checkable=True)
            action.setData(gain)
            action.triggered.connect(lambda _on, gain=gain: self._change(replace(self._mix, gain_db=float(gain))))
            self._gains.addAction(action)
            self._menu.addAction(action)
        self.gain.setMenu(self._menu)

    def retranslate(self) -> None:
        agent = self._side is Side.AGENT
        name = translate("Qa", "Agent") if agent else translate("Qa", "Debtor")
        self.name.setText(name)
        mute, solo = ("1", "3") if agent else ("2", "4")
        for button, text, key in (
            (self.mute, translate("Qa", "Mute {side}"), mute),
            (self.solo, translate("Qa", "Hear only {side}"), solo),
            (self.gain, translate("Qa", "Gain of {side}"), ""),
        ):
            said = text.format(side=name)
            button.setAccessibleName(said)
            button.setToolTip(f"{said}  {key}".strip())

    def show_mix(self, mix: SideMix) -> None:
        """Show what the player does, without telling it."""
        self._mix = mix
        self.mute.setChecked(mix.muted)
        self.solo.setChecked(mix.solo)
        self.gain.setText(gain_text(mix.gain_db))
        for action in self._gains.actions():
            action.setChecked(action.data() == mix.gain_db)

    def _change(self, mix: SideMix) -> None:
        self.show_mix(mix)
        self.changed.emit(self._side, mix)


def gain_text(gain_db: float) -> str:
    """``+3 dB``, with a real minus sign."""
    sign = "+" if gain_db > 0 else "−" if gain_db < 0 else ""
    return f"{sign}{abs(gain_db):g} dB"


class Lanes(QWidget):
    """The waveform and, aligned with its lanes, both sides' controls."""

    changed = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.waveform = Waveform()
        self.waveform.setObjectName("qa.waveform")
        self.waveform.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.sides = {side: SideControls(side) for side in (Side.AGENT, Side.FAR)}
        self._column = QWidget()
        for controls in self.sides.values():
            controls.setParent(self._column)
            controls.changed.connect(self.changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 0)
        row.setSpacing(12)
        row.addWidget(self._column)
        row.addWidget(self.waveform, 1)

    def sizeHint(self) -> QSize:
        return QSize(720, self.waveform.sizeHint().height() + 12)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def show_mix(self, mix: Mix) -> None:
        for side, controls in self.sides.items():
            controls.show_mix(mix.side(side))
        self.waveform.set_audible(mix.audible(Side.AGENT), mix.audible(Side.FAR))
        self._place()

    def _place(self) -> None:
        width = max(controls.sizeHint().width() for controls in self.sides.values())
        self._column.setFixedWidth(width)
        tops = self.waveform.lane_tops()
        height = tops[1] - tops[0]
        for controls, top in zip(self.sides.values(), tops, strict=True):
            controls.setGeometry(0, top, width, height)
