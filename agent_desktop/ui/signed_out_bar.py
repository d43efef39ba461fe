"""The bar that says that the server has dropped our session, with the password that gets a new one.

Names: ``window.signedOut``, ``window.signedOut.text``, ``window.password``, ``window.signInAgain``.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton

from agent_desktop.services.errors import Problem
from agent_desktop.ui.background import run
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import problem_text, sentence
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Panel

FIELD_WIDTH = 220


class SignedOutBar(Panel):
    """A bar and no dialog: a call or a note that is under way goes on behind it.

    ``renew(password)`` is called on a pool thread and raises ``DeskError``.
    """

    def __init__(self, renew: Callable[[str], None]) -> None:
        super().__init__(surface="banner")
        self.setObjectName("window.signedOut")
        self._renew = renew
        self._error: Exception | None = None
        self._busy = False
        self._text = label("strong", name="window.signedOut.text", wrap=True)
        self._password = QLineEdit()
        self._password.setObjectName("window.password")
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._password.setMinimumWidth(FIELD_WIDTH)
        self._button = QPushButton()
        self._button.setObjectName("window.signInAgain")
        set_look(self._button, kind="primary")
        self._password.returnPressed.connect(self._submit)
        self._button.clicked.connect(self._submit)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 10, 6)
        row.setSpacing(8)
        row.addWidget(self._text, 1)
        row.addWidget(self._password)
        row.addWidget(self._button)
        self.hide()
        self.retranslate()

    def show_state(self, signed_out: bool) -> None:
        """Whether the server has dropped our session."""
        if not signed_out:
            self._password.clear()
            self._error = None
            self._tell()
        self.setVisible(signed_out)

    def retranslate(self) -> None:
        self._password.setPlaceholderText(translate("Window", "Password"))
        self._password.setAccessibleName(translate("Window", "Password"))
        self._tell()

    def _submit(self) -> None:
        password = self._password.text()
        if not password or self._busy:
            self._password.setFocus()
            return
        self._busy, self._error = True, None
        self._tell()
        run(lambda: self._renew(password), self._done, self._failed, owner=self)

    def _done(self, _result: object) -> None:
        self._busy = False
        self._password.clear()
        self._tell()

    def _failed(self, error: Exception) -> None:
        self._busy, self._error = False, error
        self._tell()
        self._password.setFocus()
        self._password.selectAll()

    def _tell(self) -> None:
        self._text.setText(sentence(self._error) if self._error else problem_text(Problem.SIGNED_OUT))
        set_look(self._text, tone=Tone.BAD.value if self._error else "")
        self._button.setText(translate("Window", "Signing in…") if self._busy else translate("Window", "Sign in again"))
        self._password.setEnabled(not self._busy)
        self._button.setEnabled(not self._busy)
