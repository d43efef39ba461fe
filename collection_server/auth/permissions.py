"""What each role may do. Least privilege: a role has what its work needs and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    COLLECTOR = "collector"
    LEAD = "lead"
    QA = "qa"
    DATA_OFFICER = "data_officer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    SYNC = "sync"
    CASES_READ = "cases.read"
    CASES_MOVE = "cases.move"
    OPERATE = "operate"
    LOOKUP = "lookup"
    UPLOAD = "recordings.upload"
    RECORDINGS_SEARCH = "recordings.search"
    RECORDINGS_REPLAY = "recordings.replay"
    RECORDINGS_EXPORT = "recordings.export"
    RECORDINGS_ACCESSES = "recordings.accesses"
    RECORDINGS_RETRIEVE = "recordings.retrieve"
    RETENTION = "retention"
    SEAT_STATE = "seat.state"
    WALLBOARD = "wallboard"
    MONITOR = "monitor"
    AUDIT_READ = "audit.read"
    EVIDENCE_READ = "evidence.read"
    EVIDENCE_ALARMS = "evidence.alarms"


P = Permission

# Whoever sits at a seat may bring home what that seat recorded and say what it is doing.
_AT_A_SEAT = frozenset({P.SYNC, P.UPLOAD, P.SEAT_STATE})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.COLLECTOR: _AT_A_SEAT | {P.CASES_READ, P.OPERATE, P.LOOKUP},
    Role.LEAD: _AT_A_SEAT
    | {P.CASES_READ, P.CASES_MOVE, P.OPERATE, P.LOOKUP, P.WALLBOARD, P.MONITOR}
    | {P.RECORDINGS_SEARCH, P.RECORDINGS_REPLAY, P.RECORDINGS_ACCESSES},
    Role.QA: _AT_A_SEAT
    | {P.CASES_READ, P.RECORDINGS_SEARCH, P.RECORDINGS_REPLAY, P.RECORDINGS_ACCESSES}
    | {P.EVIDENCE_READ, P.EVIDENCE_ALARMS},
    Role.DATA_OFFICER: _AT_A_SEAT
    | {P.CASES_READ, P.CASES_MOVE, P.RECORDINGS_SEARCH, P.RECORDINGS_EXPORT}
    | {P.RECORDINGS_RETRIEVE, P.RETENTION, P.EVIDENCE_READ},
    Role.ADMINISTRATOR: _AT_A_SEAT | {P.AUDIT_READ, P.EVIDENCE_READ},
}
