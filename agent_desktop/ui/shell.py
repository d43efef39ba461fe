"""One person's way through the program: the sign-in window, the desk's window, and back when they sign out."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from agent_desktop.services.desk import Desk
from agent_desktop.ui.background import run
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.sign_in import SignIn, SignInWindow

OpenDesk = Callable[[Desk], QWidget]
"""Makes the window of a desk; given by the composition root, so that sign-in need not import it."""


class Shell(QObject):
    """Qt main thread only. ``opened(desk)`` and ``closed()`` tell of the desk's window."""

    opened = Signal(object)
    closed = Signal()

    def __init__(
        self, sign_in: SignIn, open_desk: OpenDesk, *, server: str, preferences: Preferences, login: str = ""
    ) -> None:
        super().__init__()
        self.desk: Desk | None = None
        self._open_desk = open_desk
        self._desk_window: QWidget | None = None
        self._sign_in_window = SignInWindow(sign_in, server=server, preferences=preferences, login=login)
        self._sign_in_window.signed_in.connect(self._on_signed_in)

    @property
    def window(self) -> QWidget:
        """What is on screen: the desk's window, or the sign-in window."""
        return self._desk_window or self._sign_in_window

    def show(self) -> None:
        """Bring this person's window to the front."""
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def sign_out(self) -> None:
        """Close the desk in the background and ask who is there again."""
        desk, window = self.desk, self._desk_window
        if desk is None or window is None:
            return
        self.desk = self._desk_window = None
        window.close()
        window.deleteLater()
        self._sign_in_window.show()
        self.closed.emit()
        run(desk.close)

    def _on_signed_in(self, desk: Desk) -> None:
        self.desk = desk
        self._desk_window = self._open_desk(desk)
        self._desk_window.show()
        self._sign_in_window.hide()
        self.opened.emit(desk)
