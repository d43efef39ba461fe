"""Whose call is looked at, and what the store says of the recording."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from agent_desktop.domain.models import RecordingRow
from agent_desktop.ui import format as fmt
from agent_desktop.ui.qa import words
from agent_desktop.ui.terms import direction_text, outcome_tone
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.badge import Badge
from agent_desktop.ui.widgets.labels import ElidedLabel, label
from agent_desktop.ui.widgets.panel import Panel


class RecordingHeader(Panel):
    """Name, number, direction, agent, time and outcome; the state of the evidence at the right."""

    def __init__(self) -> None:
        super().__init__(surface="panel", edge="bottom")
        self._row: RecordingRow | None = None
        self.name = label("title", name="qa.name")
        self.about = ElidedLabel("dim")
        self.about.setObjectName("qa.about")
        self.outcome = Badge()
        self.outcome.setObjectName("qa.outcome")
        self.state = label("", name="qa.state")
        self.case = label("secondary", name="qa.case")
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.name)
        top.addWidget(self.outcome)
        top.addStretch(1)
        top.addWidget(self.state)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.about, 1)
        below.addWidget(self.case)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(4)
        box.addLayout(top)
        box.addLayout(below)

    def show_row(self, row: RecordingRow | None) -> None:
        self._row = row
        self.retranslate()

    def retranslate(self) -> None:
        row = self._row
        if row is None:
            return
        self.name.setText(words.name_of(row))
        number = row.number_masked if row.debtor_name else ""
        parts = (
            number,
            direction_text(row.direction),
            row.agent_name,
            fmt.when(row.started_at),
            fmt.clock(row.seconds),
        )
        self.about.setText(" · ".join(part for part in parts if part))
        self.outcome.set(words.outcome_short(row), outcome_tone(row.outcome) if row.outcome else Tone.GREY)
        self.state.setText(f"{words.state_text(row.state)} · {words.number_text(row.number)}")
        self.state.setToolTip(words.state_explained(row.state))
        set_look(self.state, tone=words.state_tone(row.state).value)
        self.case.setText(row.case_number)
