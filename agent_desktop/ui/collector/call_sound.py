"""What is heard of a call and what becomes of it: both levels, the line's quality, the recording."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from agent_desktop.services.call_views import CallView, LevelsView, QualityView
from agent_desktop.ui import sound_text
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.collector.recording_box import RecordingBox
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import ElidedLabel, label
from agent_desktop.ui.widgets.meters import LevelMeter
from agent_desktop.ui.widgets.panel import Panel
from agent_desktop.ui.widgets.status_dot import Dot

_INDENT = 14
"""Of the figures, so that they stand below the word and not below its dot."""


class CallSound(Panel):
    """Names: ``call.meter.agent``, ``call.meter.far``, ``call.quality``, ``call.figures``."""

    def __init__(self) -> None:
        super().__init__()
        self._view: CallView | None = None
        self._quality_view: QualityView | None = None
        self._brief = False
        self._me, self._them = label("secondary"), label("secondary")
        self.agent_meter, self.far_meter = LevelMeter("call.meter.agent"), LevelMeter("call.meter.far")
        self._quality_dot = Dot()
        self.recording = RecordingBox()
        self._quality = label("secondary", name="call.quality")
        self._figures = ElidedLabel("small")
        self._figures.setObjectName("call.figures")
        self._build()
        self.retranslate()

    def _build(self) -> None:
        self._meters = QWidget()
        meters = QGridLayout(self._meters)
        meters.setContentsMargins(0, 0, 0, 0)
        meters.setHorizontalSpacing(10)
        meters.setVerticalSpacing(2)
        for row, (caption, meter) in enumerate(((self._me, self.agent_meter), (self._them, self.far_meter))):
            meters.addWidget(caption, row, 0)
            meters.addWidget(meter, row, 1)
        self._quality_row = _with_dot(self._quality_dot, self._quality, 1)
        quality = QVBoxLayout()
        quality.setSpacing(0)
        quality.addWidget(self._quality_row)
        indented = QHBoxLayout()
        indented.addSpacing(_INDENT)
        indented.addWidget(self._figures)
        quality.addLayout(indented)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self._meters)
        box.addWidget(self.recording)
        box.addLayout(quality)

    def show_call(self, view: CallView | None, quality: QualityView | None, *, brief: bool = False) -> None:
        """Show a call and the last that is known of its quality; ``brief``: a second call needs the room."""
        if view is None or self._view is None or view.id != self._view.id or view.held:
            self.agent_meter.clear()
            self.far_meter.clear()
        self._view, self._quality_view, self._brief = view, quality, brief
        up = view is not None and view.state != "ended" and not call_text.ringing_in(view)
        self._meters.setVisible(up)
        self._show_quality(view if up else None, quality)
        self.recording.show_call(view)
        self.setVisible(up or self.recording.says_something)

    def _show_quality(self, view: CallView | None, quality: QualityView | None) -> None:
        text, tone, figures = "", Tone.GREY, ""
        if view is not None and view.state == "active":
            if quality is not None:
                text, tone = sound_text.quality(quality)
                figures = sound_text.figures(quality)
            else:
                text = sound_text.codec(view.codec)
        self._quality.setText(text)
        set_look(self._quality, tone=tone.value)
        self._quality_dot.set_tone(tone)
        self._quality_row.setVisible(bool(text))
        self._quality_row.setToolTip(figures)
        self._figures.setText(figures)
        self._figures.setVisible(bool(figures) and not self._brief)

    def show_levels(self, levels: LevelsView) -> None:
        if self._view is not None and levels.call_id == self._view.id and not self._view.held:
            self.agent_meter.set_level(-100.0 if self._view.muted else levels.agent_dbfs)
            self.far_meter.set_level(levels.far_dbfs)

    def retranslate(self) -> None:
        self._me.setText(translate("CallPanel", "Me"))
        self._them.setText(translate("CallPanel", "Other side"))
        self.agent_meter.setAccessibleName(translate("CallPanel", "Level of my side"))
        self.far_meter.setAccessibleName(translate("CallPanel", "Level of the other side"))
        self.show_call(self._view, self._quality_view, brief=self._brief)


def _with_dot(dot: Dot, text: QLabel, stretch: int) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(6)
    line.addWidget(dot)
    line.addWidget(text, stretch)
    return row
