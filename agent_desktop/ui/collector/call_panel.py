"""The call in progress: who, how long, how loud, whether it is recorded, and what can be done about it.

Names: ``call.title``, ``call.timer``, ``call.answer``, ``call.reject``, ``call.hangUp``, ``call.mute``, ``call.hold``,
``call.keypad``, ``call.number`` and ``call.dial`` (typed numbers), ``call.recording``, ``call.problem``,
``call.meter.agent``, ``call.meter.far``.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from agent_desktop.domain.models import CaseMatch, Direction
from agent_desktop.services.calls import CallView, LevelsView
from agent_desktop.services.cases import CaseService
from agent_desktop.ui import format as fmt
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.collector.keypad import Keypad
from agent_desktop.ui.collector.match_bar import MatchBar
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import ElidedLabel, label
from agent_desktop.ui.widgets.meters import LevelMeter
from agent_desktop.ui.widgets.panel import Panel
from agent_desktop.ui.widgets.status_dot import Dot

_TICK_MS = 250


class CallPanel(Panel):
    """A view only: what the person wants is emitted, what happened is shown by ``show_call``."""

    dial = Signal(str)
    answer = Signal()
    reject = Signal()
    hang_up = Signal()
    mute = Signal(bool)
    hold = Signal(bool)
    dtmf = Signal(str)

    def __init__(self, cases: CaseService) -> None:
        super().__init__(surface="panel")
        self.setObjectName("call")
        self._view: CallView | None = None
        self._error: Exception | None = None
        self._audio_problem = ""
        self._asked: tuple[CaseMatch, ...] = ()
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self.match = MatchBar(cases)
        self._make_labels()
        self._make_buttons()
        self.keypad = Keypad()
        self.keypad.hide()
        self._dial_row = self._make_dial_row()
        self._build()
        self._connect()
        self.retranslate()

    def _make_labels(self) -> None:
        self._title = ElidedLabel("heading")
        self._title.setObjectName("call.title")
        self._subtitle = ElidedLabel("secondary")
        self._subtitle.setObjectName("call.subtitle")
        self._state = label("secondary", name="call.state")
        self._timer = label("timer", name="call.timer")
        self._me, self._them = label("secondary"), label("secondary")
        self.agent_meter, self.far_meter = LevelMeter("call.meter.agent"), LevelMeter("call.meter.far")
        self._recording_dot = Dot()
        self._recording = label("secondary", name="call.recording", wrap=True)
        self._problem = label("secondary", name="call.problem", tone=Tone.BAD, wrap=True)

    def _make_buttons(self) -> None:
        self._answer = KeyButton("F3", kind="good", name="call.answer")
        self._reject = KeyButton("", name="call.reject")
        self._mute = KeyButton("F9", name="call.mute")
        self._hold = KeyButton("F8", name="call.hold")
        self._keys = KeyButton("", name="call.keypad")
        self._hang_up = KeyButton("F4", kind="danger", name="call.hangUp")
        self._hang_up.setMinimumHeight(34)
        self._answer.setMinimumHeight(34)
        self._reject.setMinimumHeight(34)
        for toggle in (self._mute, self._hold, self._keys):
            toggle.setCheckable(True)

    def _make_dial_row(self) -> QWidget:
        row = QWidget()
        self._number = QLineEdit()
        self._number.setObjectName("call.number")
        self._number.setMinimumHeight(30)
        self._dial = KeyButton("", name="call.dial")
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self._number, 1)
        line.addWidget(self._dial)
        return row

    def _build(self) -> None:
        who = QVBoxLayout()
        who.setSpacing(1)
        for text in (self._title, self._subtitle, self._state):
            who.addWidget(text)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addLayout(who, 1)
        top.addWidget(self._timer, 0, Qt.AlignmentFlag.AlignTop)
        self._meters = QWidget()
        meters = QGridLayout(self._meters)
        meters.setContentsMargins(0, 0, 0, 0)
        meters.setHorizontalSpacing(10)
        meters.setVerticalSpacing(2)
        for row, (caption, meter) in enumerate(((self._me, self.agent_meter), (self._them, self.far_meter))):
            meters.addWidget(caption, row, 0)
            meters.addWidget(meter, row, 1)
        self._recording_row = QWidget()
        recording = QHBoxLayout(self._recording_row)
        recording.setContentsMargins(0, 0, 0, 0)
        recording.setSpacing(6)
        recording.addWidget(self._recording_dot)
        recording.addWidget(self._recording, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        box.addLayout(top)
        for widget in (self._meters, self._recording_row, self._problem, self.match):
            box.addWidget(widget)
        box.addWidget(self._make_controls())
        for last in (self.keypad, self._hang_up, self._dial_row):
            box.addWidget(last)

    def _make_controls(self) -> QWidget:
        self._controls, self._offer = QWidget(), QWidget()
        for holder, buttons in (
            (self._controls, (self._mute, self._hold, self._keys)),
            (self._offer, (self._answer, self._reject)),
        ):
            row = QHBoxLayout(holder)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(8)
            for button in buttons:
                row.addWidget(button, 1)
        both = QWidget()
        box = QVBoxLayout(both)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._controls)
        box.addWidget(self._offer)
        return both

    def _connect(self) -> None:
        self._tick.timeout.connect(self._show_time)
        self._answer.clicked.connect(self.answer)
        self._reject.clicked.connect(self.reject)
        self._hang_up.clicked.connect(self.hang_up)
        self._mute.clicked.connect(self._on_mute)
        self._hold.clicked.connect(self._on_hold)
        self._keys.toggled.connect(self._on_keys)
        self.keypad.pressed.connect(self.dtmf)
        self._number.returnPressed.connect(self._on_dial)
        self._dial.clicked.connect(self._on_dial)
        self._number.textEdited.connect(lambda _text: self.show_error(None))

    @property
    def view(self) -> CallView | None:
        """The call that is shown, ended or not."""
        return self._view

    def show_call(self, view: CallView | None) -> None:
        """Show a call; ``None``: there has been none yet."""
        new = view is not None and (self._view is None or self._view.id != view.id)
        self._view = view
        if new:
            self._error = None
            self.agent_meter.clear()
            self.far_meter.clear()
        up = view is not None and view.state != "ended"
        if not up:
            self._keys.setChecked(False)
        if view is not None and up and view.direction is Direction.INBOUND and not view.case_id:
            if new or view.matches != self._asked:
                self._asked = view.matches
                self.match.ask(view.matches)
        else:
            self.match.hide()
        self._refresh()
        if up:
            self._tick.start()
        else:
            self._tick.stop()

    def show_levels(self, levels: LevelsView) -> None:
        if self._view is not None and levels.call_id == self._view.id:
            self.agent_meter.set_level(-100.0 if self._view.muted else levels.agent_dbfs)
            self.far_meter.set_level(levels.far_dbfs)

    def show_error(self, error: Exception | None) -> None:
        """Say what went wrong with the last thing asked for, where the person is looking."""
        self._error = error
        self._refresh()

    def show_audio_problem(self, code: str) -> None:
        if code != self._audio_problem:
            self._audio_problem = code
            self._refresh()

    def retranslate(self) -> None:
        self._me.setText(translate("CallPanel", "Me"))
        self._them.setText(translate("CallPanel", "Other side"))
        self.agent_meter.setAccessibleName(translate("CallPanel", "Level of my side"))
        self.far_meter.setAccessibleName(translate("CallPanel", "Level of the other side"))
        self._answer.setText(translate("CallPanel", "Answer"))
        self._reject.setText(translate("CallPanel", "Reject"))
        self._mute.setText(translate("CallPanel", "Mute"))
        self._hold.setText(translate("CallPanel", "Hold"))
        self._keys.setText(translate("CallPanel", "Keypad"))
        self._hang_up.setText(translate("CallPanel", "Hang up"))
        self._dial.setText(translate("CallPanel", "Dial"))
        self._number.setPlaceholderText(translate("CallPanel", "Dial a number"))
        self._number.setAccessibleName(translate("CallPanel", "Number to dial"))
        self._refresh()

    def _refresh(self) -> None:
        view = self._view
        up = view is not None and view.state != "ended"
        ringing = view is not None and call_text.ringing_in(view)
        active = view is not None and view.state == "active"
        self._title.setText(call_text.title(view) if view else translate("CallPanel", "No call"))
        self._subtitle.setText(call_text.subtitle(view) if view else "")
        self._subtitle.setVisible(view is not None)
        state = call_text.state(view) if view else ""
        self._state.setText(state)
        self._state.setVisible(bool(state))
        set_look(self._state, tone=_state_tone(view).value)
        self._timer.setVisible(view is not None)
        self._meters.setVisible(up and not ringing)
        self._controls.setVisible(up and not ringing)
        self._offer.setVisible(ringing)
        self._hang_up.setVisible(up and not ringing)
        self._dial_row.setVisible(not up)
        for button in (self._mute, self._hold, self._keys):
            button.setEnabled(active)
        self._mute.setChecked(bool(view and view.muted))
        self._hold.setChecked(bool(view and view.held))
        self._show_recording(view)
        self._show_problem(view)
        self._show_time()

    def _show_recording(self, view: CallView | None) -> None:
        text, tone = call_text.recording(view) if view else ("", Tone.GREY)
        self._recording.setText(text)
        set_look(self._recording, tone=tone.value)
        self._recording_dot.set_tone(tone)
        self._recording_row.setVisible(bool(text))

    def _show_problem(self, view: CallView | None) -> None:
        up = view is not None and view.state != "ended"
        lines = [sentence(self._error)] if self._error is not None else []
        if view is not None and view.recording_problem and (up or view.recording_state == "failed"):
            lines.append(call_text.recording_problem(view.recording_problem))
        if self._audio_problem:
            lines.append(call_text.audio_problem(self._audio_problem))
        self._problem.setText("\n".join(lines))
        self._problem.setVisible(bool(lines))

    def _show_time(self) -> None:
        if self._view is not None:
            self._timer.setText(fmt.clock(call_text.seconds(self._view)))

    def _on_mute(self, on: bool) -> None:
        # The button shows what the line says, not what was asked for.
        self._mute.setChecked(bool(self._view and self._view.muted))
        self.mute.emit(on)

    def _on_hold(self, on: bool) -> None:
        self._hold.setChecked(bool(self._view and self._view.held))
        self.hold.emit(on)

    def _on_keys(self, on: bool) -> None:
        self.keypad.setVisible(on)
        if on:
            self.keypad.start()

    def _on_dial(self) -> None:
        number = self._number.text().strip()
        if number:
            self.show_error(None)
            self.dial.emit(number)

    def clear_number(self) -> None:
        self._number.clear()


def _state_tone(view: CallView | None) -> Tone:
    if view is None or view.state == "ended":
        return Tone.GREY
    return Tone.WARN if view.held or view.muted or view.far_held else Tone.ACCENT
