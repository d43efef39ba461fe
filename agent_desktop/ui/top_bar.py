"""The bar above every workspace: who and what at the left, the indicators and the person's menu at the right.

Names: ``top.state``, ``top.doNotDisturb``, ``top.autoAnswer``, ``top.figure.cases``, ``top.figure.talk``,
``top.figure.promises``, ``top.sound`` (opens the devices), ``top.line`` (opens the list of lines), ``top.sync``,
``top.upload``, ``top.recording`` (opens the recorder's health), ``top.user``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton

from agent_desktop.domain.models import DayFigures, Role, User
from agent_desktop.services.call_views import CallView, QualityView
from agent_desktop.services.phone import AudioView, LineView
from agent_desktop.services.status import StatusView
from agent_desktop.ui import format as fmt
from agent_desktop.ui import status_text
from agent_desktop.ui.agent_state import CHOICES, AgentState
from agent_desktop.ui.answering import Answering, AnsweringActions, AnsweringMarks
from agent_desktop.ui.health_light import HealthLight
from agent_desktop.ui.language import translate
from agent_desktop.ui.lines_menu import LinesMenu
from agent_desktop.ui.terms import agent_state_text, agent_state_tone, role_text
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.meters import StatBar
from agent_desktop.ui.widgets.panel import Panel
from agent_desktop.ui.widgets.status_button import StatusButton
from agent_desktop.ui.widgets.status_dot import StatusDot

HEIGHT = 48


class TopBar(Panel):
    """Shows what it is given; ``user_button`` carries the menu that the window makes."""

    def __init__(self, user: User, agent_state: AgentState | None, answering: Answering | None = None) -> None:
        super().__init__(surface="panel", edge="bottom")
        self.setObjectName("top")
        self.setFixedHeight(HEIGHT)
        self._user = user
        self._agent_state = agent_state
        self._answering = answering
        self._status: StatusView | None = None
        self._figures: DayFigures | None = None
        self._call: CallView | None = None
        self._quality: QualityView | None = None
        self._lines: tuple[LineView, ...] = ()
        self._audio = AudioView()
        self._product = label("product")
        self._role = label("dim")
        self._state = QToolButton()
        self._state.setObjectName("top.state")
        self.user_button = QToolButton()
        self.user_button.setObjectName("top.user")
        self._cases = StatBar("top.figure.cases", Tone.ACCENT)
        self._talk = StatBar("top.figure.talk", Tone.OK)
        self._promises = StatBar("top.figure.promises", Tone.VIOLET)
        self._line, self._sync = StatusButton("top.line"), StatusDot("top.sync")
        self.sound_button = StatusButton("top.sound")
        self.sound_button.hide()
        self._lines_menu = LinesMenu(self)
        self._line.setMenu(self._lines_menu)
        self._line.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._upload = StatusDot("top.upload")
        self.health = HealthLight()
        self._tick = QTimer(self)
        self._tick.setInterval(500)
        self._build()
        self.retranslate()

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 10, 0)
        row.setSpacing(16)
        row.addWidget(self._product)
        if self._agent_state is not None:
            self._set_up_state(self._agent_state)
            row.addWidget(self._state)
            if self._answering is not None:
                row.addWidget(AnsweringMarks(self._answering))
            for figure in (self._cases, self._talk, self._promises):
                row.addWidget(figure)
            self._role.hide()
        else:
            for widget in (self._state, self._cases, self._talk, self._promises):
                widget.setParent(self)
                widget.hide()
            row.addWidget(self._role)
        row.addStretch(1)
        for dot in (self.sound_button, self._line, self._sync, self._upload, self.health):
            row.addWidget(dot)
        for button in (self._state, self.user_button):
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        set_look(self.user_button, kind="quiet")
        row.addWidget(self.user_button)

    def _set_up_state(self, agent_state: AgentState) -> None:
        set_look(self._state, kind="pill")
        self._state_menu = QMenu(self)
        self._state.setMenu(self._state_menu)
        self._choices = {choice: self._state_menu.addAction("") for choice in CHOICES}
        for choice, action in self._choices.items():
            action.setObjectName(f"top.state.{choice}")
            action.triggered.connect(lambda _checked=False, c=choice: agent_state.choose(c))
        if self._answering is not None:
            self._answering_actions = AnsweringActions(self._answering, self._state_menu)
            self.addActions(self._answering_actions.shortcuts)
        agent_state.changed.connect(self._show_state)
        self._tick.timeout.connect(self._show_state)
        self._tick.start()

    def show_status(self, status: StatusView) -> None:
        self._status = status
        self._show_line()
        self._sync.set(*status_text.sync(status))
        self._upload.set(*status_text.upload(status))
        if self._agent_state is not None:  # others make no calls of their own
            self.health.show_status(status)

    def show_figures(self, figures: DayFigures) -> None:
        self._figures = figures
        cases, minutes = figures.cases_handled, figures.talk_seconds // 60
        target = figures.talk_target_seconds // 60
        self._cases.set(
            translate("TopBar", "Handled today"),
            str(cases),
            translate("TopBar", "/ {n} cases").format(n=figures.cases_target),
            cases / max(1, figures.cases_target),
        )
        self._talk.set(
            translate("TopBar", "Talk time"),
            str(minutes),
            translate("TopBar", "/ {n} min").format(n=target),
            minutes / max(1, target),
        )
        self._promises.set(
            translate("TopBar", "Promises"),
            str(figures.promises),
            translate("TopBar", "· {amount}").format(amount=fmt.money(figures.promised, cents=False)),
            1.0 if figures.promises else 0.0,
        )

    def show_lines(self, lines: tuple[LineView, ...]) -> None:
        self._lines = lines
        self._lines_menu.show_lines(lines)
        self._show_line()

    def show_audio(self, audio: AudioView) -> None:
        """The sound devices; quiet while they are well."""
        self._audio = audio
        self.sound_button.set(*status_text.sound(audio))

    def show_call(self, view: CallView | None, quality: QualityView | None) -> None:
        """The call in the first place, and how good its line is."""
        up = view is not None and view.state != "ended"
        self._call, self._quality = (view, quality) if up else (None, None)
        self.health.show_call(self._call)
        self._show_line()

    def _show_line(self) -> None:
        if self._status is not None:
            self._line.set(*status_text.line(self._status, self._lines, self._quality))

    def _show_state(self) -> None:
        agent = self._agent_state
        if agent is None:
            return
        length = fmt.clock((datetime.now(UTC) - agent.since).total_seconds())
        text = f"● {agent_state_text(agent.state)} {length} ▾"
        if text != self._state.text():
            self._state.setText(text)
            self._state.setAccessibleName(agent_state_text(agent.state))
        set_look(self._state, tone=agent_state_tone(agent.state).value)

    def retranslate(self) -> None:
        self._product.setText(translate("TopBar", "Agent Desktop"))
        self._role.setText(role_text(self._user.role))
        self.user_button.setText(f"{_who(self._user)} ▾")
        self.user_button.setAccessibleName(translate("TopBar", "Menu of {name}").format(name=self._user.name))
        if self._agent_state is not None:
            for choice, action in self._choices.items():
                action.setText(agent_state_text(choice))
            self._show_state()
        if self._answering is not None and self._agent_state is not None:
            self._answering_actions.retranslate()
        if self._figures is not None:
            self.show_figures(self._figures)
        self.show_audio(self._audio)
        if self._status is not None:
            self.show_status(self._status)


def _who(user: User) -> str:
    role = "" if user.role is Role.COLLECTOR else role_text(user.role)
    place = " ".join(dict.fromkeys(part for part in (user.team, role) if part))
    return f"{user.name} · {place}" if place else user.name
