"""The recording's health light at the top, and what opens below it: levels, what is safe, room, what waits."""

from __future__ import annotations

import time

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from agent_desktop.services.call_views import AlarmView, CallView, LevelsView
from agent_desktop.services.status import StatusView
from agent_desktop.ui import format as fmt
from agent_desktop.ui import recording_text, status_text
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.meters import LevelMeter
from agent_desktop.ui.widgets.panel import Panel
from agent_desktop.ui.widgets.status_button import StatusButton
from agent_desktop.ui.widgets.status_dot import Dot

_WIDTH = 344
_AGAIN_S = 0.2
"""A press on the light closes what is open before the click is told: that click must not open it again."""
_SILENT_KINDS = {"agent": ("agent_silent",), "far": ("far_silent", "no_rtp")}


class HealthLight(StatusButton):
    """Name ``top.recording``; ``panel`` is what opens. Shows nothing where nothing is recorded."""

    def __init__(self) -> None:
        super().__init__("top.recording")
        self.panel = HealthPanel(self)
        self._status: StatusView | None = None
        self._call: CallView | None = None
        self._alarms: set[str] = set()
        self.clicked.connect(self._open)

    def show_status(self, status: StatusView) -> None:
        self._status = status
        self._show()

    def show_call(self, call: CallView | None) -> None:
        """The call in the first place; None when none is up."""
        if call is None or self._call is None or call.id != self._call.id:
            self._alarms.clear()
            self.panel.forget_levels()
        self._call = call
        self._show()

    def show_levels(self, levels: LevelsView) -> None:
        if self._call is not None and levels.call_id == self._call.id:
            self.panel.show_levels(levels)

    def show_alarm(self, alarm: AlarmView) -> None:
        """A side of the call is silent, or no longer."""
        if self._call is not None and alarm.call_id == self._call.id:
            (self._alarms.add if alarm.on else self._alarms.discard)(alarm.kind)
            self._show()

    def _show(self) -> None:
        if self._status is None:
            return
        silent = {side for side, kinds in _SILENT_KINDS.items() if self._alarms & set(kinds)}
        if self._call is not None and self._call.recording_problem.endswith("_silent"):
            silent.add(self._call.recording_problem.removesuffix("_silent"))
        self.set(*status_text.recording(self._call, self._status, silent=bool(silent)))
        self.panel.show_health(self._status, self._call, silent)

    def _open(self) -> None:
        if time.monotonic() - self.panel.closed_at < _AGAIN_S:
            return
        corner = self.mapToGlobal(QPoint(self.width() - _WIDTH, self.height() + 10))
        self.panel.open_at(corner)


class HealthPanel(Panel):
    """Names: ``health.agent``, ``health.far``, ``health.sealed``, ``health.disk``, ``health.spool``, ``health.upload``,
    ``health.problem``, and the meters ``health.meter.agent`` and ``health.meter.far``."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, surface="popover")
        self.setWindowFlags(Qt.WindowType.Popup)
        self.setObjectName("health")
        self.setFixedWidth(_WIDTH)
        self.closed_at = 0.0
        self._status: StatusView | None = None
        self._call: CallView | None = None
        self._silent: set[str] = set()
        self._levels: dict[str, float] = {}
        self._title = label("strong")
        self._rows = {name: _Row(name) for name in ("agent", "far", "sealed", "disk", "spool", "upload")}
        self._meters = {side: LevelMeter(f"health.meter.{side}") for side in ("agent", "far")}
        self._problem = label("alarm", name="health.problem", tone=Tone.WARN, wrap=True)
        self._tick = QTimer(self)
        self._tick.setInterval(1000)
        self._tick.timeout.connect(self._fill)
        self._build()
        self.retranslate()

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(2, 1)
        for place, (name, row) in enumerate(self._rows.items()):
            grid.addWidget(row.dot, place, 0)
            grid.addWidget(row.caption, place, 1)
            if name in self._meters:
                grid.addWidget(self._meters[name], place, 2)
            grid.addWidget(row.value, place, 2 if name not in self._meters else 3, 1, 1 if name in self._meters else 2)
        box = QVBoxLayout(self)
        box.setContentsMargins(14, 12, 14, 14)
        box.setSpacing(10)
        box.addWidget(self._title)
        box.addLayout(grid)
        box.addWidget(self._problem)

    def open_at(self, place: QPoint) -> None:
        """Show it with its top left corner there; a click elsewhere or Esc closes it."""
        self._fill()
        self.move(place)
        self.show()

    def show_health(self, status: StatusView, call: CallView | None, silent: set[str]) -> None:
        """What is known now; ``silent``: sides (``agent``, ``far``) of which nothing is heard that should be."""
        self._status, self._call, self._silent = status, call, silent
        if self.isVisible():
            self._fill()

    def show_levels(self, levels: LevelsView) -> None:
        held = self._call is not None and self._call.held
        muted = self._call is not None and self._call.muted
        self._levels = {"agent": -100.0 if muted else levels.agent_dbfs, "far": levels.far_dbfs}
        if held or not self.isVisible():
            return
        for side, meter in self._meters.items():
            meter.set_level(self._levels[side])
            self._fill_level(side)

    def forget_levels(self) -> None:
        self._levels = {}
        for meter in self._meters.values():
            meter.clear()

    def _fill(self) -> None:
        status, call = self._status, self._call
        if status is None:
            return
        for side in self._meters:
            self._fill_level(side)
        self._rows["sealed"].set(*_sealed(call))
        self._rows["disk"].set(*recording_text.free_space(status))
        self._rows["spool"].set(*recording_text.spool(status))
        self._rows["upload"].set(*recording_text.upload_age(status))
        said = _problems(status, call)
        self._problem.setText("\n".join(said))
        self._problem.setVisible(bool(said))
        if self.isVisible():
            self.adjustSize()

    def _fill_level(self, side: str) -> None:
        known = self._levels.get(side) if self._call is not None else None
        self._rows[side].set(*recording_text.level(known, silent=side in self._silent))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.adjustSize()
        self._tick.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.closed_at = time.monotonic()
        self._tick.stop()

    def retranslate(self) -> None:
        self._title.setText(translate("Recording", "Recording on this seat"))
        for name, text in (
            ("agent", translate("Recording", "My side")),
            ("far", translate("Recording", "Other side")),
            ("sealed", translate("Recording", "Safe on the disk")),
            ("disk", translate("Recording", "Free space")),
            ("spool", translate("Recording", "Recordings here")),
            ("upload", translate("Recording", "Oldest not sent")),
        ):
            self._rows[name].caption.setText(text)
        self._meters["agent"].setAccessibleName(translate("CallPanel", "Level of my side"))
        self._meters["far"].setAccessibleName(translate("CallPanel", "Level of the other side"))
        self._fill()


class _Row:
    """A mark, what it is about, and how that is."""

    def __init__(self, name: str) -> None:
        self.dot = Dot()
        self.caption = label("secondary")
        self.value: QLabel = label("strong", name=f"health.{name}")
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def set(self, text: str, tone: Tone) -> None:
        if text != self.value.text():
            self.value.setText(text)
        self.dot.set_tone(tone)
        set_look(self.value, tone=tone.value if tone in (Tone.WARN, Tone.BAD) else "")


def _sealed(call: CallView | None) -> recording_text.Word:
    if call is None:
        return recording_text.level(None, silent=False)
    sealed = translate("Recording", "up to {time}").format(time=fmt.clock(call.sealed_ms / 1000))
    if call.recording_state == "failed":
        return translate("Recording", "not recorded"), Tone.BAD
    if call.paused:
        return translate("Recording", "{sealed} · paused").format(sealed=sealed), Tone.WARN
    if call.is_recorded:
        return sealed, Tone.OK
    return translate("Recording", "not recorded"), Tone.WARN


def _problems(status: StatusView, call: CallView | None) -> list[str]:
    said = []
    if call is not None and call.recording_problem:
        said.append(recording_text.problem(call.recording_problem))
    elif status.recorder_problem:
        said.append(recording_text.disk_problem(status.recorder_problem))
    upload = status_text.upload(status)[2]
    return said + ([upload] if upload else [])
