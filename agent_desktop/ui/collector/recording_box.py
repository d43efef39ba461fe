"""How the call is recorded, and the collector's own say in it: pause for a reason, resume, record on demand."""

from __future__ import annotations

import time

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from agent_desktop.services.call_views import CallView
from agent_desktop.ui import format as fmt
from agent_desktop.ui import recording_text
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel
from agent_desktop.ui.widgets.status_dot import Dot

PAUSE_KEY, RECORD_KEY = "Ctrl+P", "Ctrl+R"


class RecordingBox(Panel):
    """Names: ``call.recording``, ``call.pause``, ``call.record``, ``call.stopRecording``, and while it is paused
    ``call.paused``, ``call.pausedReason``, ``call.pauseLeft``, ``call.resume``. ``pauses`` is the menu of reasons.
    """

    pause = Signal(str)
    """For this reason."""
    resume = Signal()
    record = Signal()
    stop = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._view: CallView | None = None
        self._dot = Dot()
        self._text = label("secondary", name="call.recording", wrap=True)
        self._pause = KeyButton(PAUSE_KEY, name="call.pause")
        self._record = KeyButton(RECORD_KEY, name="call.record")
        self._stop = KeyButton(RECORD_KEY, name="call.stopRecording")
        self.pauses = QMenu(self)
        self._notice = _PausedNotice()
        self._build()
        self._pause.clicked.connect(self._on_pause)
        self._record.clicked.connect(self.record)
        self._stop.clicked.connect(self.stop)
        self._notice.resume_button.clicked.connect(self.resume)
        self.retranslate()

    def _build(self) -> None:
        self._line = QWidget()
        line = QHBoxLayout(self._line)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self._dot)
        line.addWidget(self._text, 1)
        self._beside = QHBoxLayout()
        self._beside.addWidget(self._record)
        line.addLayout(self._beside)
        self._below = QHBoxLayout()
        self._below.setSpacing(8)
        self._below.addWidget(self._stop, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self._line)
        box.addWidget(self._notice)
        box.addLayout(self._below)

    @property
    def says_something(self) -> bool:
        """There is a recording to speak of."""
        return bool(self._text.text())

    def show_call(self, view: CallView | None) -> None:
        """Show how this call is recorded, and what can be done about it."""
        self._view = view
        text, tone = recording_text.standing(view) if view is not None else ("", Tone.GREY)
        up = view is not None and view.state != "ended"
        manual = view is not None and view.recording_mode == "manual"
        taking = view is not None and up and view.recording_state == "recording"
        paused = view is not None and up and bool(view.paused)
        self._text.setText(text)
        set_look(self._text, tone=tone.value)
        self._dot.set_tone(tone)
        self._line.setVisible(bool(text) and not paused)
        self._notice.show_pause(view if paused else None)
        # Beside the words when it stands alone; with a second button both have a row of their own.
        place = self._below if manual else self._beside
        if place.indexOf(self._pause) < 0:
            place.insertWidget(0, self._pause, 1 if manual else 0)
        can_pause = view is not None and up and view.is_recorded and bool(view.pause_reasons)
        self._pause.setVisible(can_pause and not paused)
        self._record.setVisible(up and manual and view is not None and view.recording_state == "waiting")
        self._stop.setVisible(manual and taking)
        self._fill_menu(view.pause_reasons if view is not None else ())
        self.setVisible(bool(text))

    def tick(self) -> None:
        """Time goes on."""
        self._notice.tick()

    def toggle_pause(self) -> None:
        """By the key: at once and for the usual reason, since a card number does not wait for a menu."""
        view = self._view
        if view is None or view.state == "ended":
            return
        if view.paused:
            self.resume.emit()
        elif view.is_recorded and view.pause_reasons:
            self.pause.emit(view.pause_reasons[0])

    def toggle_recording(self) -> None:
        """By the key, where the policy says on demand."""
        if not self._record.isHidden():
            self.record.emit()
        elif not self._stop.isHidden():
            self.stop.emit()

    def _on_pause(self) -> None:
        actions = self.pauses.actions()
        if len(actions) == 1:
            actions[0].trigger()
        else:
            self.pauses.popup(self._pause.mapToGlobal(QPoint(0, self._pause.height() + 2)))

    def _fill_menu(self, reasons: tuple[str, ...]) -> None:
        words = [recording_text.reason(code) for code in reasons]
        shown = [action.text().split("\t")[0] for action in self.pauses.actions()]
        if words == shown:
            return
        self.pauses.clear()
        for code, word in zip(reasons, words, strict=True):
            key = "" if self.pauses.actions() else f"\t{PAUSE_KEY}"
            action = self.pauses.addAction(word.replace("&", "&&") + key)
            action.setObjectName(f"call.pause.{code}")
            action.triggered.connect(lambda _checked=False, c=code: self.pause.emit(c))

    def retranslate(self) -> None:
        self._pause.setText(translate("Recording", "Pause"))
        self._pause.setAccessibleName(translate("Recording", "Pause recording"))
        self._pause.setToolTip(translate("Recording", "Pause recording: silence takes the place of what is said"))
        self._record.setText(translate("Recording", "Record"))
        self._stop.setText(translate("Recording", "Stop"))
        self._stop.setAccessibleName(translate("Recording", "Stop recording"))
        self.show_call(self._view)


class _PausedNotice(Panel):
    """Says that nothing is recorded, why, and for how long yet."""

    def __init__(self) -> None:
        super().__init__(surface="paused")
        self.setObjectName("call.paused")
        self._view: CallView | None = None
        self._mark = label("pauseMark", "Ⅱ")
        self._title = label("strong", tone=Tone.WARN)
        self._left = label("strong", name="call.pauseLeft", tone=Tone.WARN)
        self._reason = label("secondary", name="call.pausedReason", wrap=True)
        self.resume_button = KeyButton(PAUSE_KEY, kind="primary", name="call.resume")
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self._mark)
        top.addWidget(self._title, 1)
        top.addWidget(self._left)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self._reason, 1)
        below.addWidget(self.resume_button)
        box = QVBoxLayout(self)
        box.setContentsMargins(10, 8, 10, 8)
        box.setSpacing(6)
        box.addLayout(top)
        box.addLayout(below)
        self.retranslate()

    def show_pause(self, view: CallView | None) -> None:
        self._view = view
        self.setVisible(view is not None)
        if view is not None:
            why = recording_text.reason(view.paused)
            text = translate("Recording", "{reason}: silence is recorded")
            self._reason.setText(text.format(reason=why))
            self.tick()

    def tick(self) -> None:
        if self._view is not None:
            left = max(0.0, self._view.pause_ends - time.monotonic())
            self._left.setText(fmt.clock(left + 0.5))
            self._left.setToolTip(translate("Recording", "Then it is recorded again by itself"))

    def retranslate(self) -> None:
        self._title.setText(translate("Recording", "Recording paused"))
        self.resume_button.setText(translate("Recording", "Resume"))
        self.show_pause(self._view)
