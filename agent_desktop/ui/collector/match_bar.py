"""Whose call is this? A choice when the number belongs to several cases, a search when it belongs to none."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout

from agent_desktop.domain.models import CaseMatch, QueueItem
from agent_desktop.services.cases import CaseService
from agent_desktop.ui.background import Latest
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.terms import relation_text
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel

_MOST = 5


class MatchBar(Panel):
    """``attached(case id, contact id)`` when the person has said which case it is. Names: ``match.search``,
    ``match.0``, ``match.1`` … for the choices."""

    attached = Signal(str, str)

    def __init__(self, cases: CaseService) -> None:
        super().__init__(surface="notice")
        self.setObjectName("match")
        self._cases = cases
        self._reads = Latest(self)
        self._matches: tuple[CaseMatch, ...] = ()
        self._title = label("strong", wrap=True)
        self._search = QLineEdit()
        self._search.setObjectName("match.search")
        self._hint = label("secondary", name="match.hint", wrap=True)
        self._choices = QVBoxLayout()
        self._choices.setSpacing(4)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 12, 10)
        box.setSpacing(6)
        box.addWidget(self._title)
        box.addWidget(self._search)
        box.addLayout(self._choices)
        box.addWidget(self._hint)
        self._search.textChanged.connect(self._find)
        self.retranslate()
        self.hide()

    def ask(self, matches: tuple[CaseMatch, ...]) -> None:
        """Offer the cases; none means that the number is unknown."""
        self._matches = matches
        self._search.clear()
        self._search.setVisible(not matches)
        self._offer([(m.case.id, m.contact.id, _match_text(m)) for m in matches])
        self.retranslate()
        self.show()

    def retranslate(self) -> None:
        self._search.setPlaceholderText(translate("Match", "Name or case no."))
        self._search.setAccessibleName(translate("Match", "Find the case of this call"))
        if self._matches:
            self._title.setText(translate("Match", "This number belongs to several cases. Which one is it?"))
        else:
            self._title.setText(translate("Match", "This number belongs to no case here. Find the case it is about:"))

    def _find(self, text: str) -> None:
        wanted = text.strip()
        if not wanted:
            self._reads.forget()
            self._offer([])
            return
        self._reads.run(lambda: self._cases.queue("today", wanted), self._found, self._failed)

    def _found(self, items: list[QueueItem]) -> None:
        self._offer([(i.case.id, "", _case_text(i)) for i in items[:_MOST]])
        if not items:
            self._say(translate("Match", "No case found"))

    def _failed(self, error: Exception) -> None:
        self._offer([])
        self._say(sentence(error))

    def _offer(self, choices: list[tuple[str, str, str]]) -> None:
        while (item := self._choices.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for place, (case_id, contact_id, text) in enumerate(choices):
            button = QPushButton(text)
            button.setObjectName(f"match.{place}")
            set_look(button, kind="outcome")
            button.clicked.connect(lambda _checked=False, c=case_id, k=contact_id: self.attached.emit(c, k))
            self._choices.addWidget(button)
        self._say("")

    def _say(self, text: str) -> None:
        self._hint.setText(text)
        self._hint.setVisible(bool(text))


def _match_text(match: CaseMatch) -> str:
    case, contact = match.case, match.contact
    who = case.debtor_name
    if contact.relation.third_party:
        who = f"{who} ({relation_text(contact.relation)})"
    return f"{who} · {case.number} · {case.client} {case.stage}"


def _case_text(item: QueueItem) -> str:
    return f"{item.case.debtor_name} · {item.case.number} · {item.case.client} {item.case.stage}"
