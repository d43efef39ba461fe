"""The line process's refusals as errors that a person is to read."""

from __future__ import annotations

from agent_desktop.services.errors import DeskError, Problem
from telephony.client import LineError

_PROBLEMS = {
    "away": Problem.LINE_AWAY,
    "shutting_down": Problem.LINE_AWAY,
    "no_such_line": Problem.LINE_NOT_READY,
    "line_not_ready": Problem.LINE_NOT_READY,
    "sip_error": Problem.LINE_NOT_READY,
    "line_busy": Problem.LINE_BUSY,
    "bad_number": Problem.BAD_NUMBER,
    "no_such_call": Problem.CALL_GONE,
    "wrong_state": Problem.NOT_NOW,
    "record_failed": Problem.RECORD_FAILED,
    "no_recording": Problem.NOT_RECORDED,
    "not_allowed": Problem.RECORDING_NOT_ALLOWED,
    "unknown_reason": Problem.RECORDING_NOT_ALLOWED,
    "no_such_device": Problem.NO_SUCH_DEVICE,
    "device_busy": Problem.DEVICE_BUSY,
}


def as_desk_error(error: LineError) -> DeskError:
    """The ``DeskError`` for what a command was answered with."""
    return DeskError(_PROBLEMS.get(error.code, Problem.UNEXPECTED), f"line: {error.code}")
