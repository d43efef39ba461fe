"""What crosses between a seat's store and the server: operations out, changes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent_desktop.domain.models import Call, Case, Contact, Direction, Note


@dataclass(frozen=True, slots=True)
class Operation:
    """Something done here that the server must learn. Its id never changes, so that a repeat is harmless."""

    id: str
    kind: str
    """``note.add``, ``call.add`` or ``contact.state``."""
    at: datetime
    subject: str
    """The case (``note.add``, ``call.add``) or contact (``contact.state``) it is about; may be empty. Stays here."""
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class OperationResult:
    """The server's word on one operation. ``status``: ``done``, ``repeated`` or ``refused``."""

    id: str
    status: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One change on the server, in its order. ``item`` is None when the thing is gone from this seat."""

    seq: int
    kind: str
    """``case``, ``contact``, ``note`` or ``call``."""
    id: str
    item: Case | Contact | Note | Call | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes after a sequence number. ``next`` is what to ask after; ``skipped`` counts those not understood."""

    changes: tuple[Change, ...]
    next: int
    more: bool
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """Operations that still wait, and those that the server refused for good."""

    waiting: int
    refused: int


@dataclass(frozen=True, slots=True)
class OpenCall:
    """What the seat knows of a call that has no record yet; kept on disk, so that a restarted window can go on."""

    call_id: str
    case_id: str
    contact_id: str
    number: str
    line_id: str
    direction: Direction
    started_at: datetime
    answered_at: datetime | None = None
    recording_id: str = ""
