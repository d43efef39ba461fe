"""Today's work, the case at a glance, and finding cases."""

from __future__ import annotations

from agent_desktop.domain.models import CaseDetail, CaseMatch, ContactState, DayFigures, QueueItem
from agent_desktop.services.listeners import Listeners


class CaseService:
    """Reads from the local store only, so it answers in milliseconds and works without the server."""

    changed: Listeners[frozenset[str]]
    """Ids of cases that have changed here or on the server."""

    def queue(self, kind: str = "today", text: str = "") -> list[QueueItem]:
        """Today's work in the order to do it.

        ``kind``: ``today`` (all), ``promise_due`` or ``call_back``. ``text`` narrows by name, number (last digits) or
        case number.
        """
        raise NotImplementedError

    def counts(self) -> dict[str, int]:
        """How many cases each kind of queue holds."""
        raise NotImplementedError

    def detail(self, case_id: str) -> CaseDetail:
        """All of a case. Raises ``DeskError(NOT_FOUND)``."""
        raise NotImplementedError

    def match(self, number: str) -> list[CaseMatch]:
        """Cases that the number (any form) belongs to: the local store first, else the server when it can be reached."""
        raise NotImplementedError

    def set_contact_state(self, contact_id: str, state: ContactState) -> None:
        """Mark a contact; kept locally at once and sent to the server."""
        raise NotImplementedError

    def figures(self) -> DayFigures:
        """The signed-in collector's figures of today."""
        raise NotImplementedError
