"""What stands where a list or a recording would be: waiting, nothing there, or what went wrong."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel


class Notice(Panel):
    """A line, a hint what to do, and a button to try again. Named ``{name}.notice`` and ``{name}.retry``."""

    retry = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("strong", name=f"{name}.notice", wrap=True)
        self._hint = label("secondary", wrap=True)
        self._retry = QPushButton()
        self._retry.setObjectName(f"{name}.retry")
        for text in (self._title, self._hint):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 20, 20, 20)
        box.setSpacing(8)
        box.addStretch(2)
        box.addWidget(self._title)
        box.addWidget(self._hint)
        box.addWidget(self._retry, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addStretch(3)
        self._retry.clicked.connect(self.retry)
        self.retranslate()
        self.say("")

    @property
    def text(self) -> str:
        return self._title.text()

    def retranslate(self) -> None:
        self._retry.setText(translate("Notice", "Try again"))

    def say(self, title: str, hint: str = "") -> None:
        """Nothing is wrong: there is nothing to show, and why."""
        self._set(title, hint, None, failed=False)

    def wait(self, title: str) -> None:
        """Something is on its way."""
        self._set(title, "", Tone.GREY, failed=False)

    def fail(self, sentence: str) -> None:
        """Something went wrong; it can be tried again."""
        self._set(sentence, "", Tone.BAD, failed=True)

    def _set(self, title: str, hint: str, tone: Tone | None, *, failed: bool) -> None:
        self._title.setText(title)
        set_look(self._title, tone=tone.value if tone else "")
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._retry.setVisible(failed)
