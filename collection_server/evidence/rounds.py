"""What is done for the evidence from time to time: the chain takes in what is older than it, and alarms are raised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import Session

from collection_server.auth.tables import User
from collection_server.calls.tables import Call
from collection_server.context import Server
from collection_server.evidence import alarms, service
from collection_server.evidence.finalising import finalise_journals
from collection_server.settings import Settings

EVERY = timedelta(minutes=5)
_AT_ONCE = 100


def run(server: Server) -> str:
    """One round; what came of it in a few words. Two processes may do it at once."""
    adopted = 0
    while True:
        with server.db.write() as session:  # a few at a time: the chain is locked meanwhile
            found = service.adopt(session, server.clock(), server.keys.receipt, _AT_ONCE)
        adopted += found
        if found < _AT_ONCE:
            break
    with server.db.write() as session:
        raised = look(session, server)
    made = finalise_journals(server)
    return f"alarms {raised}, journals finalised {made}, adopted {adopted}"


def look(session: Session, server: Server) -> int:
    """Raise the alarms that are due; how many are new."""
    grace = timedelta(hours=server.settings.gap_grace_hours)
    return alarms.look(session, server.clock(), grace, _recorded_as_a_whole(server.settings))


def _recorded_as_a_whole(settings: Settings) -> ColumnElement[bool]:
    """Calls whose line, else whose agent's role, else this server's setting is to record all of each call."""
    lines, roles = settings.recording_lines, settings.recording_roles
    by_default = true() if settings.recording_mode == "automatic" else false()
    by_role = or_(User.role.in_(_automatic(roles)), and_(User.role.not_in(list(roles)), by_default))
    return or_(Call.line_id.in_(_automatic(lines)), and_(Call.line_id.not_in(list(lines)), by_role))


def _automatic(modes: Mapping[str, str]) -> list[str]:
    return [name for name, mode in modes.items() if mode == "automatic"]
