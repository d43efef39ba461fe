"""The menu below the line's indicator: every line of the seat, how it is, and what to do where it is not well."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget, QWidgetAction

from agent_desktop.services.phone import LineView
from agent_desktop.ui import line_text
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel
from agent_desktop.ui.widgets.status_dot import Dot

_WIDTH = 320


class LinesMenu(QMenu):
    """Filled anew each time it opens; ``lines.<id>.state`` and ``lines.<id>.problem`` name its texts."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lines: tuple[LineView, ...] = ()
        self._content: QWidgetAction | None = None
        self.aboutToShow.connect(self._fill)

    def show_lines(self, lines: tuple[LineView, ...]) -> None:
        """The lines as they are now; an open menu changes with them."""
        self._lines = lines
        if self.isVisible():
            self._fill()

    def _fill(self) -> None:
        old, self._content = self._content, QWidgetAction(self)
        self._content.setDefaultWidget(_LinesPanel(self._lines))
        self.addAction(self._content)
        if old is not None:
            self.removeAction(old)
            old.deleteLater()


class _LinesPanel(Panel):
    def __init__(self, lines: tuple[LineView, ...]) -> None:
        super().__init__()
        self.setFixedWidth(_WIDTH)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 12)
        box.setSpacing(10)
        box.addWidget(label("strong", translate("Lines", "Lines of this seat")))
        for line in lines:
            box.addLayout(_row(line))


def _row(line: LineView) -> QVBoxLayout:
    tone = line_text.tone(line)
    top = QHBoxLayout()
    top.setSpacing(6)
    top.addWidget(Dot(tone))
    top.addWidget(label("", line.name))
    top.addStretch(1)
    words = " · ".join(part for part in (line_text.state(line), line_text.registrar(line)) if part)
    top.addWidget(label("secondary", words, name=f"lines.{line.line_id}.state", tone=tone))
    row = QVBoxLayout()
    row.setSpacing(2)
    row.addLayout(top)
    if said := line_text.sentence(line):
        text = label("secondary", said, name=f"lines.{line.line_id}.problem", tone=Tone.GREY, wrap=True)
        text.setAlignment(Qt.AlignmentFlag.AlignTop)
        text.setContentsMargins(14, 0, 0, 0)
        row.addWidget(text)
    return row
