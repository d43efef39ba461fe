"""The three people of the demo, each with windows of their own in one program."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from agent_desktop.services.desk import Desk
from agent_desktop.ui.shell import Shell


class DemoPerson:
    """Somebody at a seat. The sign-in window is made when first looked at. Qt main thread only."""

    def __init__(self, login: str, password: str, make_shell: Callable[[str], Shell]) -> None:
        self.login = login
        self.password = password
        self._make_shell = make_shell
        self._shell: Shell | None = None

    @property
    def shell(self) -> Shell:
        if self._shell is None:
            self._shell = self._make_shell(self.login)
            self._shell.show()
        return self._shell

    @property
    def window(self) -> QWidget:
        """The window that is on screen now: sign-in first, then the desk's."""
        return self.shell.window

    @property
    def desk(self) -> Desk | None:
        """Once signed in."""
        return self._shell.desk if self._shell else None

    def close(self) -> None:
        """Close windows and desk; waits for the desk."""
        if self._shell is None:
            return
        self._shell.window.close()
        if self._shell.desk is not None:
            self._shell.desk.close()


class Cast:
    """Who plays."""

    def __init__(self, collector: DemoPerson, lead: DemoPerson, qa: DemoPerson) -> None:
        self.collector = collector
        self.lead = lead
        self.qa = qa

    def close(self) -> None:
        """Everybody goes home."""
        for person in (self.qa, self.lead, self.collector):
            person.close()
