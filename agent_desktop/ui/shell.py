"""One person's way through the program: the sign-in window, the desk's window, and back when they sign out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from agent_desktop.ui.background import run
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.sign_in import SignIn, SignInWindow

if TYPE_CHECKING:
    from agent_desktop.domain.models import Role
    from agent_desktop.services.desk import Desk


LOAD_WINDOW_MS = 400


class Shell(QObject):
    """Qt main thread only. ``opened(desk)`` and ``closed()`` tell of the desk's window."""

    opened = Signal(object)
    closed = Signal()

    def __init__(
        self,
        sign_in: SignIn,
        *,
        server: str,
        preferences: Preferences,
        login: str = "",
        open_as: Mapping[Role, Callable[[], None]] | None = None,
        demo: bool = False,
    ) -> None:
        super().__init__()
        self.desk: Desk | None = None
        self._preferences = preferences
        self._open_as = open_as or {}
        self._demo = demo
        self._desk_window: QWidget | None = None
        self._sign_in_window = SignInWindow(sign_in, server=server, preferences=preferences, login=login)
        self._sign_in_window.signed_in.connect(self.enter)

    @property
    def window(self) -> QWidget:
        """What is on screen: the desk's window, or the sign-in window."""
        return self._desk_window or self._sign_in_window

    def show(self) -> None:
        """Bring this person's window to the front; loads meanwhile what the desk will need."""
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        if self.desk is None:
            threading.Thread(target=_load_services, name="load-services", daemon=True).start()
            QTimer.singleShot(LOAD_WINDOW_MS, _load_window)

    def enter(self, desk: Desk) -> None:
        """Open the desk's window."""
        from agent_desktop.ui.window import MainWindow, WindowHooks, open_fitting

        self.desk = desk
        hooks = WindowHooks(sign_out=self.sign_out, open_as=self._open_as, demo=self._demo)
        self._desk_window = MainWindow(desk, preferences=self._preferences, hooks=hooks)
        open_fitting(self._desk_window)
        self._sign_in_window.hide()
        self.opened.emit(desk)

    def sign_out(self) -> None:
        """Close the desk in the background and ask who is there again."""
        desk, window = self.desk, self._desk_window
        if desk is None or window is None:
            return
        self.desk = self._desk_window = None
        self._sign_in_window.show()
        window.close()
        window.deleteLater()
        self.closed.emit()
        run(desk.close)


def _load_services() -> None:
    """Import what signing in needs while the person types."""
    import agent_desktop.services.desk_assembly  # noqa: F401


def _load_window() -> None:
    """Likewise the desk's window: on the main thread, because modules of Qt classes are not safe to load beside it."""
    import agent_desktop.ui.window  # noqa: F401
