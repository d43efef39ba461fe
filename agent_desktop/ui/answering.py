"""Do-not-disturb and auto-answer: switched in the menu of the agent's state, plainly seen while they are on."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton

from agent_desktop.services.phone import AnsweringView, PhoneService
from agent_desktop.ui.background import Relay, Serial
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.panel import Panel

DELAYS_MS = (0, 2000, 5000)


class Answering(QObject):
    """What the line process says is set; ``changed(AnsweringView)``, ``failed(exception)``. Commands in their order."""

    changed = Signal(object)
    failed = Signal(object)

    def __init__(self, phone: PhoneService, parent: QObject) -> None:
        super().__init__(parent)
        self._phone = phone
        self._work = Serial(self)
        self.view = phone.answering
        Relay(phone.answering_changed, self._on_changed, self)

    def set_do_not_disturb(self, on: bool) -> None:
        self._set(replace(self.view, do_not_disturb=on))

    def set_auto_answer(self, on: bool, after_ms: int) -> None:
        """``after_ms``: how long it rings first, in milliseconds."""
        self._set(replace(self.view, auto_answer=on, auto_answer_ms=after_ms))

    def toggle_do_not_disturb(self) -> None:
        self.set_do_not_disturb(not self.view.do_not_disturb)

    def toggle_auto_answer(self) -> None:
        self.set_auto_answer(not self.view.auto_answer, self.view.auto_answer_ms)

    def _set(self, view: AnsweringView) -> None:
        phone = self._phone
        self._work.run(
            lambda: phone.set_answering(view.do_not_disturb, view.auto_answer, view.auto_answer_ms),
            None,
            self._not_set,
        )

    def _not_set(self, error: Exception) -> None:
        self.changed.emit(self.view)  # the menu's marks go back to what is so
        self.failed.emit(error)

    def _on_changed(self, view: AnsweringView) -> None:
        self.view = view
        self.changed.emit(view)


class AnsweringActions(QObject):
    """The entries in the agent's menu: ``top.state.doNotDisturb``, ``top.state.autoAnswer.off`` and, for each delay,
    ``top.state.autoAnswer.2000`` …"""

    def __init__(self, answering: Answering, menu: QMenu) -> None:
        super().__init__(menu)
        self._answering = answering
        menu.addSeparator()
        self._do_not_disturb = menu.addAction("")
        self._do_not_disturb.setObjectName("top.state.doNotDisturb")
        self._do_not_disturb.setCheckable(True)
        self._do_not_disturb.setShortcut(QKeySequence("Ctrl+Shift+D"))
        self._do_not_disturb.triggered.connect(answering.set_do_not_disturb)
        self._auto = menu.addMenu("")
        self._group = QActionGroup(self._auto)
        self._delays: dict[int | None, QAction] = {}
        for delay in (None, *DELAYS_MS):
            action = self._auto.addAction("")
            action.setObjectName(f"top.state.autoAnswer.{'off' if delay is None else delay}")
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, d=delay: answering.set_auto_answer(d is not None, d or 0))
            self._group.addAction(action)
            self._delays[delay] = action
        answering.changed.connect(self.show_view)
        self.retranslate()

    @property
    def shortcuts(self) -> list[QAction]:
        """Actions whose keys work anywhere in the window that takes them in."""
        return [self._do_not_disturb]

    def show_view(self, view: AnsweringView) -> None:
        self._do_not_disturb.setChecked(view.do_not_disturb)
        chosen = view.auto_answer_ms if view.auto_answer else None
        for delay, action in self._delays.items():
            action.setChecked(delay == chosen)

    def retranslate(self) -> None:
        self._do_not_disturb.setText(translate("Answering", "Do not disturb"))
        self._auto.setTitle(translate("Answering", "Auto-answer"))
        for delay, action in self._delays.items():
            if delay is None:
                action.setText(translate("Answering", "Off"))
            elif delay == 0:
                action.setText(translate("Answering", "At once, with a tone"))
            else:
                action.setText(translate("Answering", "After {n} s, with a tone").format(n=delay // 1000))
        self.show_view(self._answering.view)


class AnsweringMarks(Panel):
    """``top.doNotDisturb`` and ``top.autoAnswer``, beside the agent's state while on; a click turns them off."""

    def __init__(self, answering: Answering) -> None:
        super().__init__()
        self._answering = answering
        self._do_not_disturb, self._auto = QToolButton(), QToolButton()
        self._do_not_disturb.setObjectName("top.doNotDisturb")
        self._auto.setObjectName("top.autoAnswer")
        set_look(self._do_not_disturb, kind="pill", tone="warn")
        set_look(self._auto, kind="pill", tone="accent")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._do_not_disturb)
        row.addWidget(self._auto)
        self._do_not_disturb.clicked.connect(lambda: answering.set_do_not_disturb(False))
        self._auto.clicked.connect(lambda: answering.set_auto_answer(False, answering.view.auto_answer_ms))
        answering.changed.connect(self.show_view)
        self.retranslate()

    def show_view(self, view: AnsweringView) -> None:
        self._do_not_disturb.setVisible(view.do_not_disturb)
        self._auto.setVisible(view.auto_answer)
        self.setVisible(view.do_not_disturb or view.auto_answer)
        seconds = view.auto_answer_ms / 1000
        self._auto.setText(
            translate("Answering", "Auto-answer · {n} s ✕").format(n=f"{seconds:g}")
            if seconds
            else translate("Answering", "Auto-answer ✕")
        )

    def retranslate(self) -> None:
        self._do_not_disturb.setText(translate("Answering", "Do not disturb ✕"))
        self._do_not_disturb.setToolTip(
            translate("Answering", "Calls that come in are refused and noted as missed. Click to be reached again.")
        )
        self._auto.setToolTip(translate("Answering", "Calls are answered by themselves, with a tone. Click to stop."))
        self.show_view(self._answering.view)
