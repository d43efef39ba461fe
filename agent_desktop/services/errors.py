"""Errors that a person is to read."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """What went wrong, as a stable code; ``ui.problems`` has the sentence for each in both languages."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    SIGNED_OUT = "signed_out"
    FORBIDDEN = "forbidden"
    SERVER_AWAY = "server_away"
    SERVER_ERROR = "server_error"
    SERVER_UNTRUSTED = "server_untrusted"
    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    STORE_LOCKED = "store_locked"
    STORE_DAMAGED = "store_damaged"
    DISK_FULL = "disk_full"
    LINE_AWAY = "line_away"
    LINE_NOT_READY = "line_not_ready"
    LINE_BUSY = "line_busy"
    BAD_NUMBER = "bad_number"
    NUMBER_NOT_ALLOWED = "number_not_allowed"
    NO_SUCH_DEVICE = "no_such_device"
    DEVICE_BUSY = "device_busy"
    CALL_GONE = "call_gone"
    NOT_NOW = "not_now"
    RECORD_FAILED = "record_failed"
    NOT_RECORDED = "not_recorded"
    RECORDING_NOT_ALLOWED = "recording_not_allowed"
    DO_NOT_CALL = "do_not_call"
    GRANT_REFUSED = "grant_refused"
    SEAT_OFFLINE = "seat_offline"
    RECORDING_DAMAGED = "recording_damaged"
    BAD_CONFIG = "bad_config"
    UNEXPECTED = "unexpected"


class DeskError(Exception):
    """An error with a code for the person's sentence and a detail (English, no personal data) for the log."""

    def __init__(self, problem: Problem, detail: str = "") -> None:
        super().__init__(f"{problem}: {detail}" if detail else str(problem))
        self.problem = problem
        self.detail = detail
