"""Dialling what is not on screen: a typed number, the last one again, and on which line."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QVBoxLayout

from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.services.phone import LineView
from agent_desktop.ui import format as fmt
from agent_desktop.ui import line_text
from agent_desktop.ui.collector.number_hint import NumberHint
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel


class DialBox(Panel):
    """Names: ``call.number``, ``call.dial``, ``call.place``, ``call.redial``, ``call.line``, ``call.lineProblem``;
    actions of the lines' menu ``call.line.auto``, ``call.line.<id>``."""

    dial = Signal(str)
    redial = Signal()
    typed = Signal()

    def __init__(self, place_of: Callable[[str], NumberPlace]) -> None:
        super().__init__()
        self._lines: tuple[LineView, ...] = ()
        self._chosen = ""
        self._last = ""
        self._number = QLineEdit()
        self._number.setObjectName("call.number")
        self._number.setMinimumHeight(30)
        self._dial = KeyButton("↵", name="call.dial")
        self._place = NumberHint("call.place", place_of)
        self._redial = KeyButton("F5", kind="quiet", name="call.redial")
        self._line = QToolButton()
        self._line.setObjectName("call.line")
        self._line.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        set_look(self._line, kind="quiet")
        self._menu = QMenu(self._line)
        self._group = QActionGroup(self._menu)
        self._line.setMenu(self._menu)
        self._problem = label("secondary", name="call.lineProblem", wrap=True)
        self._build()
        self._number.textEdited.connect(lambda _text: self.typed.emit())
        self._number.textChanged.connect(self._place.ask)
        self._number.returnPressed.connect(self._on_dial)
        self._dial.clicked.connect(self._on_dial)
        self._redial.clicked.connect(self.redial)
        self.retranslate()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._number, 1)
        top.addWidget(self._dial)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self._redial)
        below.addStretch(1)
        below.addWidget(self._line)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addLayout(top)
        box.addWidget(self._place)
        box.addLayout(below)
        box.addWidget(self._problem)

    @property
    def line_id(self) -> str:
        """The line that was chosen to dial on; empty for the first that works."""
        return self._chosen

    def focus_number(self) -> None:
        if self.isVisible():
            self._number.setFocus()
            self._number.selectAll()

    def clear_number(self) -> None:
        self._number.clear()

    def show_last(self, number: str) -> None:
        """The number that was dialled last; empty when none was."""
        if number != self._last:
            self._last = number
            self._tell_last()

    def show_lines(self, lines: tuple[LineView, ...]) -> None:
        """The seat's lines as they are now."""
        if tuple(line.line_id for line in lines) != tuple(line.line_id for line in self._lines):
            self._fill_menu(lines)
        self._lines = lines
        self._tell_lines()

    def _fill_menu(self, lines: tuple[LineView, ...]) -> None:
        self._menu.clear()
        for line_id in ("", *(line.line_id for line in lines)):
            action = QAction(self._menu)
            action.setObjectName(f"call.line.{line_id or 'auto'}")
            action.setCheckable(True)
            action.setData(line_id)
            action.triggered.connect(lambda _checked=False, chosen=line_id: self._choose(chosen))
            self._group.addAction(action)
            self._menu.addAction(action)
        if self._chosen not in {line.line_id for line in lines}:
            self._chosen = ""

    def _choose(self, line_id: str) -> None:
        self._chosen = line_id
        self._tell_lines()

    def _tell_lines(self) -> None:
        names = {line.line_id: line.name for line in self._lines}
        states = {line.line_id: line_text.state(line) for line in self._lines}
        for action in self._menu.actions():
            line_id = str(action.data())
            action.setChecked(line_id == self._chosen)
            action.setText(
                f"{names[line_id]} · {states[line_id]}" if line_id else translate("CallPanel", "First free line")
            )
        name = names.get(self._chosen) or translate("CallPanel", "automatic")
        self._line.setText(translate("CallPanel", "Line: {name} ▾").format(name=name))
        self._line.setAccessibleName(translate("CallPanel", "Line to dial on"))
        self._line.setVisible(len(self._lines) > 1)
        chosen = [line for line in self._lines if line.line_id == self._chosen] or self._lines
        usable = any(line.usable for line in chosen)
        worst = None if usable else line_text.worst(chosen)
        said = line_text.sentence(worst) if worst else ""
        self._problem.setText(said)
        set_look(self._problem, tone=line_text.tone(worst).value if worst else "grey")
        self._problem.setVisible(bool(said))

    def _tell_last(self) -> None:
        said = translate("CallPanel", "Redial {number}").format(number=fmt.masked(self._last))
        self._redial.setText(said)
        self._redial.setVisible(bool(self._last))

    def _on_dial(self) -> None:
        number = self._number.text().strip()
        if number:
            self.dial.emit(number)
        else:
            self._number.setFocus()

    def retranslate(self) -> None:
        self._dial.setText(translate("CallPanel", "Dial"))
        self._number.setPlaceholderText(translate("CallPanel", "Dial a number    Ctrl D"))
        self._number.setAccessibleName(translate("CallPanel", "Number to dial"))
        self._tell_last()
        self._tell_lines()
