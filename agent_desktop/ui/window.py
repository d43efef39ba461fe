"""The main window: the top bar, and the workspace of the person's role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from agent_desktop.domain.models import Role
from agent_desktop.services.call_views import CallView, QualityView
from agent_desktop.services.desk import Desk
from agent_desktop.services.status import StatusView
from agent_desktop.ui.agent_state import AgentState
from agent_desktop.ui.answering import Answering
from agent_desktop.ui.background import Latest, Relay
from agent_desktop.ui.collector.page import CollectorPage
from agent_desktop.ui.language import translate
from agent_desktop.ui.leave_bar import LeaveBar
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.signed_out_bar import SignedOutBar
from agent_desktop.ui.sound_bar import SoundBar
from agent_desktop.ui.top_bar import TopBar
from agent_desktop.ui.user_menu import UserMenu
from agent_desktop.ui.widgets.hint_card import HintCard
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Panel

SIZE = QSize(1440, 900)
LEAST = QSize(1240, 640)


def _nothing() -> None:
    """Default of a hook that is not offered."""


@dataclass(frozen=True, slots=True)
class WindowHooks:
    """What the composition root offers. All are called on the Qt main thread."""

    sign_out: Callable[[], None] = _nothing
    open_as: Mapping[Role, Callable[[], None]] = field(default_factory=dict)
    """Windows of other roles that can be opened beside this one (the demo)."""
    demo: bool = False
    """Show the card that says what to try."""


class MainWindow(Panel):
    """``closed`` once the window has gone; the composition root then closes the desk."""

    closed = Signal()

    def __init__(self, desk: Desk, *, preferences: Preferences, hooks: WindowHooks | None = None) -> None:
        super().__init__()
        self.setObjectName("window")
        self._desk = desk
        self._hooks = hooks or WindowHooks()
        collector = desk.user.role is Role.COLLECTOR
        self._agent_state = AgentState(desk.status, self) if collector else None
        self._answering = Answering(desk.phone, self) if collector else None
        self._may_leave = False
        self.top = TopBar(desk.user, self._agent_state, self._answering)
        self._menu = UserMenu(preferences, self._sign_out, self._hooks.open_as, self)
        self.top.user_button.setMenu(self._menu)
        self.sound = SoundBar(desk.phone)
        self._leave = LeaveBar()
        self.hint = HintCard()
        self._signed_out = SignedOutBar(desk.sign_in_again)
        self.page = self._make_page()
        self._figures = Latest(self)
        self._build()
        self._connect()
        self.retranslate()
        self.setMinimumSize(LEAST)
        self.resize(SIZE)
        self._start()

    def _make_page(self) -> QWidget:
        role = self._desk.user.role
        if self._agent_state is not None:
            return CollectorPage(self._desk, self._agent_state)
        if role is Role.QA:
            from agent_desktop.ui.qa.page import QaPage

            return QaPage(self._desk)
        if role is Role.LEAD:
            from agent_desktop.ui.lead.page import LeadPage

            return LeadPage(self._desk)
        return _NoPage()

    def _build(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.page, 1)  # first, so that the focus begins with the work and not with the person's menu
        for place, above in enumerate((self.top, self._leave, self._signed_out, self.sound, self.hint)):
            box.insertWidget(place, above)
        self.hint.setVisible(self._hooks.demo)

    def _connect(self) -> None:
        desk = self._desk
        Relay(desk.status.changed, self._on_status, self)
        Relay(desk.phone.lines_changed, self.top.show_lines, self)
        Relay(desk.phone.audio_changed, self.top.show_audio, self)
        self._menu.sound.triggered.connect(self.sound.open_bar)
        self.top.sound_button.clicked.connect(self.sound.open_bar)
        self.addAction(self._menu.sound)
        self.sound.closed.connect(self.page.setFocus)
        if isinstance(self.page, CollectorPage):
            Relay(desk.cases.changed, self._on_cases, self)
            self.page.shown.connect(self._on_call_shown)
            self.page.worked.connect(self._load_figures)
            Relay(desk.calls.levels, self.top.health.show_levels, self)
            Relay(desk.calls.alarms, self.top.health.show_alarm, self)
        if self._answering is not None and isinstance(self.page, CollectorPage):
            self._answering.failed.connect(self.page.call_panel.show_error)

    def _start(self) -> None:
        self.top.show_lines(self._desk.phone.lines)
        self.top.show_audio(self._desk.phone.audio)
        self._on_status(self._desk.status.now)
        if isinstance(self.page, CollectorPage):
            # The page, not its search field, where the outcomes' keys would be taken for text.
            self.page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.page.start()
            self._load_figures()

    def _on_status(self, status: StatusView) -> None:
        self.top.show_status(status)
        self._signed_out.show_state(status.signed_out)
        if isinstance(self.page, CollectorPage):
            self.page.call_panel.show_recorder(status.recorder_problem)
        self._menu.sound.setVisible(status.line_state != "none")

    def _on_call_shown(self, view: CallView | None, quality: QualityView | None) -> None:
        self.top.show_call(view, quality)
        self.sound.show_in_call(self._call_up)
        if not self._call_up:
            self._leave.dismiss()

    @property
    def _call_up(self) -> bool:
        return isinstance(self.page, CollectorPage) and self.page.book.busy

    def _on_cases(self, _changed: frozenset[str]) -> None:
        self._load_figures()

    def _load_figures(self) -> None:
        # The figures are a help, not the work: when they cannot be read, the old ones stay.
        self._figures.run(self._desk.cases.figures, self.top.show_figures, lambda _error: None)

    def retranslate(self) -> None:
        self.setWindowTitle(translate("Window", "Agent Desktop – {name}").format(name=self._desk.user.name))
        self.hint.set(
            translate("Window", "This is a demo: the people are invented and the line is a practice line."),
            [
                translate("Window", "F6 opens a case, F2 dials: the practice line answers and speaks. F4 hangs up."),
                translate("Window", "1 to 8 choose the outcome, Ctrl+Enter saves."),
                translate("Window", "Your name, top right, opens QA's and the lead's windows."),
            ],
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.focusWidget() is None:
            self.page.setFocus()

    def _sign_out(self) -> None:
        """Ask first when that would hang up a call."""
        if self._call_up and not self._may_leave:
            self._leave.ask(self._leave_now(self._hooks.sign_out), signing_out=True)
        else:
            self._leave_now(self._hooks.sign_out)()

    def _leave_now(self, go: Callable[[], object]) -> Callable[[], None]:
        def leave() -> None:
            self._may_leave = True
            go()

        return leave

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._call_up and not self._may_leave:
            self._leave.ask(self._leave_now(self.close), signing_out=False)
            event.ignore()
            return
        if isinstance(self.page, CollectorPage):
            self.page.finish()
        super().closeEvent(event)
        self.closed.emit()


class _NoPage(Panel):
    """For roles whose work is not done at a seat."""

    def __init__(self) -> None:
        super().__init__(surface="background")
        self._notice = Notice("window")
        box = QVBoxLayout(self)
        box.addWidget(self._notice)
        self.retranslate()

    def retranslate(self) -> None:
        self._notice.say(
            translate("Window", "Your role has no workspace here"),
            translate("Window", "Its work is done on the collection server."),
        )


def open_fitting(window: QWidget) -> None:
    """Show a desk's window: maximised on a screen where it would not fit with its frame, but its least size does."""
    screen = window.screen().availableSize()
    least, frame = window.minimumSize(), 40
    fits = screen.width() >= window.width() and screen.height() >= window.height() + frame
    if not fits and screen.width() >= least.width() and screen.height() >= least.height():
        window.showMaximized()
    else:
        window.show()
