"""The calls that are up, or the field to dial: puts the parts together and tells each what it shows.

Names of the parts' controls stand in ``call_head``, ``call_sound``, ``call_controls``, ``transfer_box``, ``other_call``
and ``dial_box``; here: ``call.alarm``, ``call.problem``, ``call.transferState``.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QVBoxLayout

from agent_desktop.domain.models import CaseMatch, Direction
from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.services.call_views import CallView, LevelsView
from agent_desktop.services.cases import CaseService
from agent_desktop.services.phone import AudioView
from agent_desktop.ui import recording_text, sound_text
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.collector.call_book import CallBook
from agent_desktop.ui.collector.call_controls import CallControls
from agent_desktop.ui.collector.call_head import CallHead
from agent_desktop.ui.collector.call_sound import CallSound
from agent_desktop.ui.collector.dial_box import DialBox
from agent_desktop.ui.collector.match_bar import MatchBar
from agent_desktop.ui.collector.other_call import OtherCall
from agent_desktop.ui.collector.transfer_box import TransferBox
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel

_TICK_MS = 250
SILENT = ("agent_silent", "far_silent")
"""Problems of a recording that a call's alarms speak of too."""


class CallPanel(Panel):
    """A view only: what the person wants is emitted by its parts, what happened is shown by ``refresh``."""

    def __init__(self, cases: CaseService, place_of: Callable[[str], NumberPlace], book: CallBook) -> None:
        super().__init__(surface="panel")
        self.setObjectName("call")
        self._book = book
        self._error: Exception | None = None
        self._audio: AudioView | None = None
        self._recorder_problem = ""
        self._asked: tuple[str, tuple[CaseMatch, ...]] = ("", ())
        self._shown_id = ""
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self.head = CallHead()
        self.sound = CallSound()
        self.controls = CallControls()
        self.transfer = TransferBox(place_of)
        self.transfer.hide()
        self.other = OtherCall()
        self.dial_box = DialBox(place_of)
        self.match = MatchBar(cases)
        self._alarm = label("alarm", name="call.alarm", tone=Tone.WARN, wrap=True)
        self._problem = label("secondary", name="call.problem", tone=Tone.BAD, wrap=True)
        self._transfer_state = label("secondary", name="call.transferState", wrap=True)
        self._build()
        self._tick.timeout.connect(self.head.tick)
        self._tick.timeout.connect(self.other.tick)
        self._tick.timeout.connect(self.sound.recording.tick)
        self.controls.transfer_opened.connect(self._on_transfer_opened)
        self.transfer.closed.connect(self.controls.close_transfer)
        self.dial_box.typed.connect(lambda: self.show_error(None))
        self.refresh()

    def _build(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        for part in (self.head, self.sound, self._alarm, self._transfer_state, self._problem, self.match):
            box.addWidget(part)
        self.controls.below.addWidget(self.transfer)
        for below in (self.controls, self.other, self.dial_box):
            box.addWidget(below)

    @property
    def transfer_open(self) -> bool:
        """The person is choosing where to send the call: a contact that is dialled now is asked first."""
        return not self.transfer.isHidden()

    def refresh(self) -> None:
        """Show the calls as the book has them now."""
        book, view = self._book, self._book.shown
        if view is not None and view.id != self._shown_id:
            self._shown_id = view.id
            self._error = None
        self.head.show_call(view)
        self.sound.show_call(view, book.quality(view.id) if view else None, brief=book.other is not None)
        self.controls.show_call(view, alone=not book.two)
        self.other.show_calls(book)
        self.dial_box.setVisible(not book.busy)
        self._show_match()
        self._show_notices(view)
        if book.busy:
            self._tick.start()
        else:
            self._tick.stop()

    def _show_match(self) -> None:
        view = self._book.up
        if view is None or view.direction is not Direction.INBOUND or view.case_id:
            self._asked = ("", ())
            self.match.hide()
        elif self._asked != (view.id, view.matches):
            self._asked = (view.id, view.matches)
            self.match.ask(view.matches)

    def show_levels(self, levels: LevelsView) -> None:
        self.sound.show_levels(levels)

    def show_error(self, error: Exception | None) -> None:
        """Say what went wrong with the last thing asked for, where the person is looking."""
        self._error = error
        self._show_notices(self._book.shown)

    def show_audio(self, audio: AudioView) -> None:
        """The sound devices as they are now."""
        self._audio = audio
        self._show_notices(self._book.shown)

    def show_recorder(self, problem: str) -> None:
        """What is wrong with the seat's recorder, call or no call; empty when nothing is."""
        if problem != self._recorder_problem:
            self._recorder_problem = problem
            self._show_notices(self._book.shown)

    def _show_notices(self, view: CallView | None) -> None:
        alarms = self._alarms(view)
        said, tone = sound_text.audio(self._audio) if self._audio is not None else ("", Tone.GREY)
        if said and tone is Tone.WARN:
            alarms.append(said)
        _say(self._alarm, alarms)
        problems = [sentence(self._error)] if self._error is not None else []
        problems += self._recording_problem(view)
        if said and tone is Tone.BAD:
            problems.append(said)
        _say(self._problem, problems)
        transfer = self._book.transfer
        text, tone = call_text.transfer(transfer) if transfer is not None else ("", Tone.GREY)
        set_look(self._transfer_state, tone=tone.value)
        _say(self._transfer_state, [text] if text else [])

    def _alarms(self, view: CallView | None) -> list[str]:
        if view is None or view.state == "ended":
            return []
        return [sound_text.alarm(kind) for kind in self._book.alarms(view.id)]

    def _recording_problem(self, view: CallView | None) -> list[str]:
        if view is None or (
            view.state == "ended" and not (view.recording_problem and view.recording_state == "failed")
        ):
            return [recording_text.disk_problem(self._recorder_problem)] if self._recorder_problem else []
        if not view.recording_problem:
            return []
        if view.recording_problem in SILENT and self._book.alarms(view.id):
            return []  # the alarm has said it, and what to do
        return [recording_text.problem(view.recording_problem)]

    def _on_transfer_opened(self, on: bool) -> None:
        self.transfer.setVisible(on)
        if on:
            self.transfer.start()

    def retranslate(self) -> None:
        self._show_notices(self._book.shown)


def _say(where: QLabel, lines: list[str]) -> None:
    where.setText("\n".join(lines))
    where.setVisible(bool(lines))
