"""The top of the case view: who it is, what is owed, and until when the case is ours."""

from __future__ import annotations

from datetime import date

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from agent_desktop.domain.models import Case, CaseDetail
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.terms import stage_tone
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.badge import Badge
from agent_desktop.ui.widgets.labels import ElidedLabel, label
from agent_desktop.ui.widgets.panel import Panel

_SOON_DAYS = 30
_FACTS = ("principal", "minimumDue", "paid", "promise", "relief")


class Fact(QWidget):
    """A caption over a value."""

    def __init__(self, name: str, role: str = "figure", *, elide: bool = False) -> None:
        super().__init__()
        self._caption = label("secondary")
        self.value = ElidedLabel(role) if elide else label(role)
        self.value.setObjectName(name)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(1)
        box.addWidget(self._caption)
        box.addWidget(self.value)
        box.addStretch(1)

    def set(self, caption: str, value: str, tone: Tone | None = None) -> None:
        self._caption.setText(caption)
        self.value.setText(value)
        self.value.setAccessibleName(f"{caption} {value}")
        set_look(self.value, tone=tone.value if tone else "")
        self.setVisible(bool(value))


class CaseHeader(Panel):
    """Facts of one case. Names: ``case.name``, ``case.number``, ``case.total`` …"""

    def __init__(self) -> None:
        super().__init__(surface="panel")
        self._detail: CaseDetail | None = None
        self.name = label("title", name="case.name")
        self._person = ElidedLabel("dim")
        self._person.setObjectName("case.person")
        self._person.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._stage, self._account, self._linked = Badge(), Badge(), Badge(tone=Tone.VIOLET)
        self._number = label("dim", name="case.number")
        self._due_back = label("strong", name="case.dueBack", tone=Tone.WARN)
        self._total = Fact("case.total", "big")
        self._others = {k: Fact(f"case.{k}", elide=k == "relief") for k in _FACTS}
        self._build()

    def _build(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(8)
        for widget in (self.name, self._person, self._stage, self._account, self._linked):
            first.addWidget(widget)
        first.addStretch(1)
        first.addWidget(self._number)
        first.addWidget(self._due_back)
        facts = QHBoxLayout()
        facts.setSpacing(20)
        for fact in (self._total, *self._others.values()):
            facts.addWidget(fact)
        facts.addStretch(1)
        facts.setStretchFactor(self._others["relief"], 1000)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 10, 16, 12)
        box.setSpacing(6)
        box.addLayout(first)
        box.addLayout(facts)

    def show_detail(self, detail: CaseDetail) -> None:
        self._detail = detail
        case = detail.case
        self.name.setText(case.debtor_name)
        self._person.setText(" ".join(part for part in (_sex(case), _age(case), case.id_number_masked) if part))
        days = translate("Case", "{stage} {days} days").format(stage=case.stage, days=case.days_overdue)
        self._stage.set(days, stage_tone(case.stage))
        self._account.set(" ".join(p for p in (case.client, case.product, case.account_tail) if p), Tone.GREY)
        linked = translate("Case", "Linked {n}").format(n=case.linked_cases)
        self._linked.set(linked if case.linked_cases > 1 else "", Tone.VIOLET)
        self._number.setText(f"{case.number} ·")
        self._show_due_back(case)
        self._show_amounts(detail)

    def _show_due_back(self, case: Case) -> None:
        left = (case.due_back - date.today()).days
        if left < 0:
            text, tone = translate("Case", "was due back {day}").format(day=fmt.day(case.due_back)), Tone.BAD
        elif left == 0:
            text, tone = translate("Case", "due back today"), Tone.BAD
        else:
            text = translate("Case", "back in {days} days").format(days=left)
            tone = Tone.WARN if left <= _SOON_DAYS else Tone.GREY
        self._due_back.setText(text)
        set_look(self._due_back, tone=tone.value)

    def _show_amounts(self, detail: CaseDetail) -> None:
        case, promise = detail.case, detail.open_promise
        promised = f"{fmt.money(promise.amount, cents=False)} · {fmt.day(promise.due)}" if promise else ""
        overdue = promise is not None and promise.due < date.today()
        self._total.set(translate("Case", "Total owed"), fmt.money(case.total))
        self._others["principal"].set(translate("Case", "Principal"), fmt.money(case.principal))
        self._others["minimumDue"].set(translate("Case", "Minimum due"), fmt.money(case.minimum_due))
        self._others["paid"].set(translate("Case", "Paid (batch)"), fmt.money(case.paid))
        self._others["promise"].set(translate("Case", "Open promise"), promised, Tone.BAD if overdue else Tone.VIOLET)
        self._others["relief"].set(translate("Case", "Relief"), case.relief)

    def retranslate(self) -> None:
        if self._detail is not None:
            self.show_detail(self._detail)


def _sex(case: Case) -> str:
    if case.debtor_sex == "male":
        return translate("Case", "M")
    return translate("Case", "F") if case.debtor_sex == "female" else ""


def _age(case: Case) -> str:
    return "" if case.debtor_age is None else translate("Case", "{n} y").format(n=case.debtor_age)
