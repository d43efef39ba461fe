"""Which of a line's registrars is used. No pjsua2 here.

The primary one, while it is there. When it is not, the back-up is registered; the primary is asked on, and taken again
once it has been answering for some seconds, so that a server that comes and goes does not drag the line along.
"""

from __future__ import annotations

from typing import Protocol

from telephony.probe import Probe
from telephony.trouble import Trouble


class Server(Protocol):
    """A registrar, as far as the choice goes."""

    role: str
    probe: Probe
    wanted: bool
    trouble: Trouble | None

    def good(self, now: float) -> bool: ...

    def down(self, now: float) -> bool: ...


class Choice:
    """Says of each registrar whether the line wants it, and which one is in use."""

    def __init__(self, primary: Server, backup: Server | None) -> None:
        self._primary = primary
        self._backup = backup
        self.in_use: Server | None = None
        primary.wanted = True

    def look(self, now: float) -> None:
        """Choose again."""
        primary, backup = self._primary, self._backup
        if primary.good(now):
            self.in_use = primary
        elif backup is not None and backup.good(now):
            self.in_use = backup
        else:
            self.in_use = None
        if backup is None:
            return
        if self.in_use is primary:
            backup.wanted, backup.trouble = False, None
        elif primary.down(now):
            backup.wanted = True
        primary.wanted = self.in_use is not backup or primary.probe.steady(now)

    @property
    def trouble(self) -> Trouble | None:
        """Why the line is not registered; None while it may still come to it."""
        primary, backup = self._primary.trouble, self._backup.trouble if self._backup else None
        if primary is None or self._backup is None or not primary.fails_over:
            return primary
        if not self._backup.wanted:
            return None
        return primary if backup is not None else None
