"""The sign-in window: the first thing on screen, so it imports nothing that the desk behind it needs.

Names for tests and screen readers: ``signIn.login``, ``signIn.password``, ``signIn.submit``, ``signIn.error``,
``signIn.server``, ``signIn.language``; on the passphrase page ``signIn.passphrase``, ``signIn.passphraseAgain``,
``signIn.unlock``, ``signIn.back``, ``signIn.passphraseError``.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
)

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.ui.background import run
from agent_desktop.ui.language import language, translate
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.problems import problem_text, sentence
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Card, Panel

MIN_PASSPHRASE = 12
"""Characters of a passphrase that stands in for the keyring's key."""


class PassphraseNeeded(Exception):
    """Raised by the sign-in work when there is no keyring; ``new``: this seat has no local data yet, so choose one."""

    def __init__(self, new: bool) -> None:
        super().__init__("a passphrase is needed")
        self.new = new


SignIn = Callable[[str, str, str], object]
"""``(login, password, passphrase)`` → the desk; called on a pool thread. ``passphrase`` is empty until asked for.
Raises ``DeskError`` or ``PassphraseNeeded``."""


class SignInWindow(Panel):
    """Asks who is there. ``signed_in(desk)`` is emitted with what the sign-in work returned."""

    signed_in = Signal(object)

    def __init__(self, sign_in: SignIn, *, server: str, preferences: Preferences, login: str = "") -> None:
        super().__init__()
        self.setObjectName("window")
        self._sign_in = sign_in
        self._preferences = preferences
        self._server = server
        self.account = AccountPage(login)
        self.passphrase = PassphrasePage()
        self._pages = QStackedLayout()
        self._pages.addWidget(self.account)
        self._pages.addWidget(self.passphrase)
        self._where = label("secondary", name="signIn.server")
        self._where.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._switch = QPushButton()
        self._switch.setObjectName("signIn.language")
        set_look(self._switch, kind="link")
        self._build()
        self.account.submitted.connect(self._submit)
        self.passphrase.submitted.connect(self._submit)
        self.passphrase.went_back.connect(self._back)
        self._switch.clicked.connect(self._switch_language)
        self.retranslate()
        self.resize(440, 520)

    def _build(self) -> None:
        card = Card()
        card.setFixedWidth(344)
        card.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Minimum)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(24, 24, 24, 24)
        inside.addLayout(self._pages)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self._switch)
        foot.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 24, 24, 16)
        box.setSpacing(12)
        box.addStretch(1)
        box.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        box.addWidget(self._where)
        box.addStretch(1)
        box.addLayout(foot)

    def retranslate(self) -> None:
        self.setWindowTitle(translate("SignIn", "Agent Desktop – sign in"))
        self._where.setText(translate("SignIn", "Server {address}").format(address=self._server))
        self._switch.setText("English" if language() == "zh_CN" else "中文")

    def _switch_language(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._preferences.choose_language(app, "en" if language() == "zh_CN" else "zh_CN")

    def _submit(self) -> None:
        login, password = self.account.credentials()
        phrase = self.passphrase.phrase() if self._pages.currentWidget() is self.passphrase else ""
        self._set_busy(True)
        run(lambda: self._sign_in(login, password, phrase), self._done, self._failed, owner=self)

    def _done(self, desk: object) -> None:
        self._set_busy(False)
        self.account.forget_password()
        self.passphrase.forget()
        self.signed_in.emit(desk)

    def _failed(self, error: Exception) -> None:
        self._set_busy(False)
        if isinstance(error, PassphraseNeeded):
            self.passphrase.ask(new=error.new)
            self._pages.setCurrentWidget(self.passphrase)
            self.passphrase.start()
        elif self._pages.currentWidget() is self.passphrase and not _about_account(error):
            self.passphrase.show_error(error)
        else:
            self._back()
            self.account.show_error(error)

    def _back(self) -> None:
        self._pages.setCurrentWidget(self.account)
        self.account.start()

    def _set_busy(self, busy: bool) -> None:
        self.account.set_busy(busy)
        self.passphrase.set_busy(busy)
        self._switch.setEnabled(not busy)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.account.start()


def _about_account(error: Exception) -> bool:
    account = (Problem.WRONG_PASSWORD, Problem.SERVER_AWAY, Problem.SERVER_UNTRUSTED, Problem.FORBIDDEN)
    return isinstance(error, DeskError) and error.problem in account


class _Form(Panel):
    """A title, fields with their names, a line for what is wrong, and a button."""

    submitted = Signal()

    def __init__(self, error_name: str) -> None:
        super().__init__()
        self._title = label("title")
        self._error = label("secondary", name=error_name, tone=Tone.BAD, wrap=True)
        self._error.hide()
        self._error_for: Exception | None = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)
        self._box.addWidget(self._title)

    def _field(self, name: str, *, secret: bool) -> tuple[QLabel, QLineEdit]:
        caption, field = label("secondary"), QLineEdit()
        field.setObjectName(name)
        field.setMinimumHeight(32)
        if secret:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        caption.setBuddy(field)
        field.textEdited.connect(self._clear_error)
        self._box.addSpacing(8)
        self._box.addWidget(caption)
        self._box.addWidget(field)
        return caption, field

    def _finish(self, button: QPushButton) -> None:
        set_look(button, kind="primary")
        button.setMinimumHeight(34)
        self._box.addSpacing(4)
        self._box.addWidget(self._error)
        self._box.addSpacing(8)
        self._box.addWidget(button)

    def _say(self, text: str) -> None:
        self._error.setText(text)
        self._error.setVisible(bool(text))

    def _clear_error(self) -> None:
        self._error_for = None
        self._say("")


class AccountPage(_Form):
    """Login and password."""

    def __init__(self, login: str) -> None:
        super().__init__("signIn.error")
        self._busy = False
        self._login_caption, self.login = self._field("signIn.login", secret=False)
        self._password_caption, self.password = self._field("signIn.password", secret=True)
        self.login.setText(login)
        self.submit = QPushButton()
        self.submit.setObjectName("signIn.submit")
        self._finish(self.submit)
        self.submit.clicked.connect(self._on_submit)
        self.login.returnPressed.connect(self._on_submit)
        self.password.returnPressed.connect(self._on_submit)
        self.retranslate()

    def retranslate(self) -> None:
        self._title.setText(translate("SignIn", "Agent Desktop"))
        self._login_caption.setText(translate("SignIn", "Login"))
        self._password_caption.setText(translate("SignIn", "Password"))
        self.login.setAccessibleName(self._login_caption.text())
        self.password.setAccessibleName(self._password_caption.text())
        self.submit.setText(translate("SignIn", "Signing in…") if self._busy else translate("SignIn", "Sign in"))
        if self._error_for is not None:
            self._say(sentence(self._error_for))

    def credentials(self) -> tuple[str, str]:
        return self.login.text().strip(), self.password.text()

    def start(self) -> None:
        """Put the cursor where the person types first."""
        (self.password if self.login.text() else self.login).setFocus()

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        for widget in (self.login, self.password, self.submit):
            widget.setEnabled(not busy)
        self.retranslate()

    def show_error(self, error: Exception) -> None:
        self._error_for = error
        self._say(sentence(error))
        self.password.setFocus()
        self.password.selectAll()

    def forget_password(self) -> None:
        self.password.clear()

    def _on_submit(self) -> None:
        if not self.login.text().strip():
            self._say(translate("SignIn", "Enter your login."))
            self.login.setFocus()
        elif not self.password.text():
            self._say(translate("SignIn", "Enter your password."))
            self.password.setFocus()
        else:
            self._clear_error()
            self.submitted.emit()


class PassphrasePage(_Form):
    """Asked only where the operating system has no keyring to hold the key of the local data."""

    went_back = Signal()

    def __init__(self) -> None:
        super().__init__("signIn.passphraseError")
        self._new = False
        self._why = label("secondary", wrap=True)
        self._box.addWidget(self._why)
        self._caption, self._phrase = self._field("signIn.passphrase", secret=True)
        self._again_caption, self._again = self._field("signIn.passphraseAgain", secret=True)
        self._unlock = QPushButton()
        self._unlock.setObjectName("signIn.unlock")
        self._finish(self._unlock)
        self._back_button = QPushButton()
        self._back_button.setObjectName("signIn.back")
        set_look(self._back_button, kind="quiet")
        self._box.addWidget(self._back_button)
        self._unlock.clicked.connect(self._on_submit)
        self._phrase.returnPressed.connect(self._on_submit)
        self._again.returnPressed.connect(self._on_submit)
        self._back_button.clicked.connect(self.went_back)
        self.ask(new=False)

    def ask(self, *, new: bool) -> None:
        """Ask for the passphrase, or for a new one, twice."""
        self._new = new
        self._again.setVisible(new)
        self._again_caption.setVisible(new)
        self.forget()
        self.retranslate()

    def retranslate(self) -> None:
        self._title.setText(translate("SignIn", "Unlock this seat"))
        self._why.setText(
            translate("SignIn", "This computer has no keyring. Choose a passphrase for the data kept on it.")
            if self._new
            else translate("SignIn", "This computer has no keyring. Enter the passphrase of the data kept on it.")
        )
        self._caption.setText(translate("SignIn", "Passphrase"))
        self._again_caption.setText(translate("SignIn", "Passphrase again"))
        self._phrase.setAccessibleName(self._caption.text())
        self._again.setAccessibleName(self._again_caption.text())
        self._unlock.setText(translate("SignIn", "Unlock"))
        self._back_button.setText(translate("SignIn", "Back"))
        if self._error_for is not None:
            self._say(sentence(self._error_for))

    def phrase(self) -> str:
        return self._phrase.text()

    def start(self) -> None:
        self._phrase.setFocus()

    def forget(self) -> None:
        self._phrase.clear()
        self._again.clear()
        self._clear_error()

    def set_busy(self, busy: bool) -> None:
        for widget in (self._phrase, self._again, self._unlock, self._back_button):
            widget.setEnabled(not busy)

    def show_error(self, error: Exception) -> None:
        self._error_for = error
        self._say(sentence(error))
        self._phrase.setFocus()
        self._phrase.selectAll()

    def _on_submit(self) -> None:
        if self._new and len(self._phrase.text()) < MIN_PASSPHRASE:
            self._say(translate("SignIn", "Use at least {n} characters.").format(n=MIN_PASSPHRASE))
        elif self._new and self._phrase.text() != self._again.text():
            self._say(translate("SignIn", "The two are not the same."))
        elif not self._phrase.text():
            self._say(problem_text(Problem.STORE_LOCKED))
        else:
            self._clear_error()
            self.submitted.emit()
