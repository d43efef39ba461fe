"""The demo's windows: the collector's with QA's and the lead's beside it, for a person or for the scenario."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from agent_desktop.domain.models import Role
from agent_desktop.services.desk import Desk
from agent_desktop.ui.application import heed_signals, make_application, quiet_offscreen
from agent_desktop.ui.background import run
from agent_desktop.ui.demo.cast import Cast, DemoPerson
from agent_desktop.ui.shell import Shell
from agent_desktop.ui.sign_in import SignIn

Logins = tuple[str, str, str]
"""Of collector, lead and QA."""


class WindowStage(Protocol):
    """What the windows need of the demo's stage."""

    @property
    def server_url(self) -> str: ...

    def sign_in(self, login: str) -> SignIn: ...


def make_cast(sign_in: Callable[[str], SignIn], server: str, password: str, logins: Logins) -> Cast:
    """People for the scenario: Chinese and light, as in the pictures of the guides. Makes the application."""
    quiet_offscreen()
    _, preferences = make_application(None, "zh", "light")

    def shell(login: str) -> Shell:
        return Shell(sign_in(login), server=server, preferences=preferences)

    return Cast(*(DemoPerson(login, password, shell) for login in logins))


def run_windows(stage: WindowStage, password: str, logins: Logins) -> int:
    """Open the collector's window, signed in; run until the last window is closed. Returns Qt's exit status."""
    app, preferences = make_application(None)
    heed_signals(app)
    app.setQuitOnLastWindowClosed(True)
    collector, lead, qa = logins
    shells: dict[str, Shell] = {}

    def open_as(login: str) -> None:
        """The window of somebody who is signed in for the person at the screen, once."""
        known = shells.get(login)
        if known is not None:
            known.show()
            return
        work = stage.sign_in(login)
        shell = shells[login] = make(login, work)
        shell.show()
        signed_in: Callable[[], object] = partial(work, login, password, "")
        run(signed_in, lambda desk: shell.enter(cast(Desk, desk)), owner=shell)

    def make(login: str, work: SignIn) -> Shell:
        others = {Role.LEAD: lambda: open_as(lead), Role.QA: lambda: open_as(qa)} if login == collector else {}
        return Shell(
            work,
            server=stage.server_url,
            preferences=preferences,
            login=login,
            open_as=others,
            demo=login == collector,
        )

    open_as(collector)
    status = app.exec()
    for shell in shells.values():
        if shell.desk is not None:
            shell.desk.close()
    return status
