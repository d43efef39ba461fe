"""Wrap-up (催记): outcome, promise, next follow-up and text.

Names: ``wrapUp.outcome.promise`` … (one for each ``Outcome``), ``wrapUp.amount``, ``wrapUp.due``, ``wrapUp.followUp``,
``wrapUp.text``, ``wrapUp.saveNext``, ``wrapUp.save``, ``wrapUp.draft`` (the line that says the draft is kept),
``wrapUp.error`` and ``wrapUp.error.amount`` … (one line for each field).
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from agent_desktop.domain.models import Draft, Outcome
from agent_desktop.services.wrap_up import WrapUpInvalid
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.terms import outcome_text
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.optional_date import OptionalDateEdit
from agent_desktop.ui.widgets.panel import Panel

_KEEP_MS = 400
_RIGHT = 16
_FIELDS = ("outcome", "amount", "due", "next_follow_up_at", "text")


class WrapUpPanel(Panel):
    """``changed(draft)`` a moment after the last touch; ``save(draft, next)`` when the person asks for it."""

    changed = Signal(object)
    save = Signal(object, bool)

    def __init__(self) -> None:
        super().__init__(surface="panel", edge="top")
        self.setObjectName("wrapUp")
        self._case_id = self._call_id = self._contact_id = ""
        self._filling = False
        self._busy = False
        self._error: Exception | None = None
        self._keep = QTimer(self)
        self._keep.setSingleShot(True)
        self._keep.setInterval(_KEEP_MS)
        self._keep.timeout.connect(self._emit)
        self._title = label("strong")
        self._draft_line = label("secondary", name="wrapUp.draft")
        self._outcomes = {
            outcome: KeyButton(str(place), kind="outcome", name=f"wrapUp.outcome.{outcome.value}", cap_first=True)
            for place, outcome in enumerate(Outcome, 1)
        }
        self.amount = QLineEdit()
        self.amount.setObjectName("wrapUp.amount")
        self.amount.setMinimumHeight(32)
        self.due = OptionalDateEdit("wrapUp.due", with_time=False)
        self.follow_up = OptionalDateEdit("wrapUp.followUp", with_time=True)
        self.text = QPlainTextEdit()
        self.text.setObjectName("wrapUp.text")
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(60)
        self.text.document().setDocumentMargin(2)
        self._errors = {
            field: label("small", name=f"wrapUp.error.{field}", tone=Tone.BAD, wrap=True) for field in _FIELDS
        }
        self._general = label("secondary", name="wrapUp.error", tone=Tone.BAD, wrap=True)
        self._save_next = KeyButton("Ctrl ↵", kind="primary", name="wrapUp.saveNext")
        self._save = KeyButton("", name="wrapUp.save")
        self._captions: dict[str, QLabel] = {field: label("secondary") for field in ("amount", "due", "follow_up")}
        self._build()
        self._connect()
        self.retranslate()
        self.bind("", None)

    def _build(self) -> None:
        inside = QWidget()
        set_look(inside, surface="panel")
        box = QVBoxLayout(inside)
        box.setContentsMargins(16, 10, _RIGHT, 8)
        box.setSpacing(6)
        top = QHBoxLayout()
        top.addWidget(self._title)
        top.addStretch(1)
        top.addWidget(self._draft_line)
        box.addLayout(top)
        grid = QGridLayout()
        grid.setSpacing(6)
        for place, button in enumerate(self._outcomes.values()):
            button.setCheckable(True)
            button.setMinimumHeight(30)
            grid.addWidget(button, place // 2, place % 2)
        box.addLayout(grid)
        box.addWidget(self._errors["outcome"])
        box.addWidget(self._build_promise())
        box.addWidget(self._captions["follow_up"])
        box.addWidget(self.follow_up)
        box.addWidget(self._errors["next_follow_up_at"])
        box.addWidget(self.text, 1)
        box.addWidget(self._errors["text"])
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inside)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = area.verticalScrollBar()
        # The bar takes its room from the margin, so that nothing moves or is cut when it appears.
        bar.rangeChanged.connect(
            lambda _low, high: box.setContentsMargins(16, 10, _RIGHT - (bar.sizeHint().width() if high else 0), 8)
        )
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 4, 16, 12)
        foot.setSpacing(6)
        foot.addWidget(self._general)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._save_next, self._save):
            button.setMinimumHeight(34)
        buttons.addWidget(self._save_next, 1)
        buttons.addWidget(self._save)
        foot.addLayout(buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addLayout(foot)

    def _build_promise(self) -> QWidget:
        self._promise = QWidget()
        grid = QGridLayout(self._promise)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        for column, (name, field) in enumerate((("amount", self.amount), ("due", self.due))):
            grid.addWidget(self._captions[name], 0, column)
            grid.addWidget(field, 1, column)
            grid.addWidget(self._errors[name], 2, column)
            grid.setColumnStretch(column, 1)
        return self._promise

    def _connect(self) -> None:
        for outcome, button in self._outcomes.items():
            button.clicked.connect(lambda _checked=False, o=outcome: self.choose(o))
        self.amount.textEdited.connect(lambda _text: self._touched("amount"))
        self.due.dateTimeChanged.connect(lambda _value: self._touched("due"))
        self.follow_up.dateTimeChanged.connect(lambda _value: self._touched("next_follow_up_at"))
        self.text.textChanged.connect(lambda: self._touched("text"))
        self._save_next.clicked.connect(lambda: self.ask_save(go_on=True))
        self._save.clicked.connect(lambda: self.ask_save(go_on=False))

    @property
    def case_id(self) -> str:
        return self._case_id

    def bind(self, case_id: str, draft: Draft | None) -> None:
        """Be about a case (empty: about none) and show its kept draft, if any."""
        self._filling = True
        self._keep.stop()
        self._case_id = case_id
        self._call_id = draft.call_id if draft else ""
        self._contact_id = draft.contact_id if draft else ""
        self._check(draft.outcome if draft else None)
        self.amount.setText(draft.amount_text if draft else "")
        self.due.set_date(draft.due if draft else None)
        self.follow_up.set_time(draft.next_follow_up_at if draft else None)
        self.text.setPlainText(draft.text if draft else "")
        self._filling = False
        self._say_kept(draft is not None)
        self.show_error(None)
        self.setEnabled(bool(case_id))

    def set_call(self, call_id: str, contact_id: str) -> None:
        """The call that the note will be about."""
        self._call_id, self._contact_id = call_id, contact_id

    def draft(self) -> Draft:
        """What the form holds now."""
        outcome = next((o for o, b in self._outcomes.items() if b.isChecked()), None)
        promise = outcome is Outcome.PROMISE
        return Draft(
            case_id=self._case_id,
            call_id=self._call_id,
            contact_id=self._contact_id,
            outcome=outcome,
            text=self.text.toPlainText(),
            amount_text=self.amount.text().strip() if promise else "",
            due=self.due.value_date() if promise else None,
            next_follow_up_at=self.follow_up.value_time(),
        )

    @property
    def untouched(self) -> bool:
        """Nothing has been entered."""
        draft = self.draft()
        return draft.outcome is None and not draft.text and draft.next_follow_up_at is None

    def choose(self, outcome: Outcome) -> None:
        """Choose an outcome, as its number key does."""
        if not self.isEnabled():
            return
        self._check(outcome)
        self._touched("outcome")
        if outcome is Outcome.PROMISE:
            self.amount.setFocus()

    def unkept(self) -> Draft | None:
        """What has been touched but not yet kept; from now on it is the caller's to keep."""
        if not self._keep.isActive():
            return None
        self._keep.stop()
        return self.draft()

    def flush(self) -> None:
        """Emit what has been touched but not yet kept."""
        draft = self.unkept()
        if draft is not None:
            self.changed.emit(draft)

    def _emit(self) -> None:
        self.changed.emit(self.draft())

    def ask_save(self, *, go_on: bool) -> None:
        """Save; ``go_on`` to the next case afterwards."""
        if not self._case_id or self._busy:
            return
        self._keep.stop()
        self.set_busy(True)
        self.save.emit(self.draft(), go_on)

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._save.setEnabled(not busy)
        self._save_next.setEnabled(not busy)

    def kept(self, draft: Draft) -> None:
        """The draft is in the store."""
        if draft.case_id == self._case_id and not self._keep.isActive():
            self._say_kept(True)

    def show_error(self, error: Exception | None) -> None:
        """Say what is wrong: under its field, or above the buttons."""
        self._error = error
        field = error.field if isinstance(error, WrapUpInvalid) else ""
        for name, line in self._errors.items():
            text = _invalid_text(field, error.code) if isinstance(error, WrapUpInvalid) and name == field else ""
            line.setText(text)
            line.setVisible(bool(text))
        for name, widget in self._inputs().items():
            set_look(widget, invalid="true" if name == field else "false")
        general = sentence(error) if error is not None and not isinstance(error, WrapUpInvalid) else ""
        self._general.setText(general)
        self._general.setVisible(bool(general))
        if field in self._inputs():
            self._inputs()[field].setFocus()

    def _inputs(self) -> dict[str, QWidget]:
        return {"amount": self.amount, "due": self.due, "next_follow_up_at": self.follow_up, "text": self.text}

    def _check(self, outcome: Outcome | None) -> None:
        for each, button in self._outcomes.items():
            button.setChecked(each is outcome)
        self._promise.setVisible(outcome is Outcome.PROMISE)

    def _touched(self, field: str) -> None:
        if self._filling or not self._case_id:
            return
        if isinstance(self._error, WrapUpInvalid) and self._error.field == field:
            focus = self.focusWidget()
            self.show_error(None)
            if focus is not None:
                focus.setFocus()
        self._say_kept(False)
        self._keep.start()

    def _say_kept(self, kept: bool) -> None:
        self._draft_line.setText(translate("WrapUp", "Draft kept") if kept else "")

    def retranslate(self) -> None:
        self._title.setText(translate("WrapUp", "Wrap-up note"))
        for outcome, button in self._outcomes.items():
            button.setText(outcome_text(outcome))
        self._captions["amount"].setText(translate("WrapUp", "Promised amount"))
        self._captions["due"].setText(translate("WrapUp", "Promised date"))
        self._captions["follow_up"].setText(translate("WrapUp", "Next follow-up"))
        self.amount.setPlaceholderText("¥")
        self.amount.setAccessibleName(self._captions["amount"].text())
        self.due.set_words(translate("WrapUp", "Choose"), self._captions["due"].text())
        self.follow_up.set_words(translate("WrapUp", "None"), self._captions["follow_up"].text())
        self.text.setPlaceholderText(translate("WrapUp", "What was said"))
        self.text.setAccessibleName(translate("WrapUp", "Note"))
        self._save_next.setText(translate("WrapUp", "Save and next"))
        self._save.setText(translate("WrapUp", "Save"))
        if self._draft_line.text():
            self._say_kept(True)
        if self._error is not None:
            self.show_error(self._error)


def _invalid_text(field: str, code: str) -> str:
    if field == "outcome":
        return translate("WrapUp", "Choose an outcome: keys 1 to 8.")
    return {
        "missing": translate("WrapUp", "This is needed for a promise."),
        "not_a_number": translate("WrapUp", "This is not an amount."),
        "not_positive": translate("WrapUp", "The amount must be more than nothing."),
        "more_than_owed": translate("WrapUp", "This is more than is owed."),
        "in_the_past": translate("WrapUp", "This lies in the past."),
        "too_far": translate("WrapUp", "This is too far away."),
        "too_long": translate("WrapUp", "The text is too long."),
    }.get(code, translate("WrapUp", "This cannot be saved."))
