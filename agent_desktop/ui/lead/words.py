"""The lead's words for lines, recordings and what is wrong at a seat."""

from __future__ import annotations

from datetime import datetime

from agent_desktop.domain.models import SeatState
from agent_desktop.services.errors import Problem
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import problem_text
from agent_desktop.ui.terms import agent_state_text
from agent_desktop.ui.theme import Tone

BUSY = ("on_call", "ringing")


def line_text(state: str) -> str:
    """Of ``telephony.messages.LineState.state``."""
    return {
        "ready": translate("Lead", "Ready"),
        "registered": translate("Lead", "Registered"),
        "registering": translate("Lead", "Registering…"),
        "failed": translate("Lead", "Line failed"),
        "removed": translate("Lead", "No line"),
        "away": translate("Lead", "Line away"),
        "none": translate("Lead", "No line"),
        "": translate("Lead", "No line"),
    }.get(state, state)


def state_text(seat: SeatState) -> str:
    """What the seat is doing, or that the collector has none."""
    return agent_state_text(seat.state) if seat.seated else translate("Lead", "Not signed in")


def time_text(seat: SeatState, now: datetime) -> str:
    """Time in the state; empty for a collector who has no seat."""
    return fmt.clock(seconds_in_state(seat, now)) if seat.seated else ""


def line_of(seat: SeatState) -> str:
    """The seat's line; empty when nobody is there to use it."""
    return "" if seat.state == "offline" else line_text(seat.line_state)


def recording_text(seat: SeatState) -> str:
    return translate("Lead", "Two channels") if seat.recording else ""


def problem_of(seat: SeatState) -> tuple[str, Tone] | None:
    """The worst thing that is wrong at a seat, in words."""
    if seat.state == "offline":
        return None
    said = _recording_problem(seat.recording_problem)
    if said:
        return said
    if seat.state == "on_call" and not seat.recording:
        return translate("Lead", "Not recorded"), Tone.BAD
    if seat.line_state in ("failed", "away"):
        return line_text(seat.line_state), Tone.BAD
    return None


def _recording_problem(code: str) -> tuple[str, Tone] | None:
    """Of ``telephony.messages.RecordingState.problem``, and what ``services.seat_publisher`` adds."""
    if not code:
        return None
    return {
        "paused": (translate("Lead", "Recording paused"), Tone.WARN),
        "on_demand": (translate("Lead", "On demand, not recorded"), Tone.GREY),
        "upload_problem": (translate("Lead", "Recordings not uploaded"), Tone.WARN),
        "far_silent": (translate("Lead", "Other side silent"), Tone.WARN),
        "agent_silent": (translate("Lead", "Agent silent"), Tone.WARN),
        "disk_low": (translate("Lead", "Disk nearly full"), Tone.WARN),
        "disk_full": (translate("Lead", "Disk full"), Tone.BAD),
        "spool_unwritable": (translate("Lead", "Cannot write recording"), Tone.BAD),
    }.get(code, (translate("Lead", "Recording problem"), Tone.BAD))


def case_text(seat: SeatState) -> str:
    """Current case and client."""
    return " · ".join(part for part in (seat.debtor_name or seat.case_number, seat.client) if part)


def seconds_in_state(seat: SeatState, now: datetime) -> float:
    return max(0.0, (now - seat.since).total_seconds())


def monitor_problem(code: str) -> str:
    """A sentence for ``MonitorView.problem``: a ``Problem``'s code or the cause that the leg ended with."""
    if code in ("busy", "declined", "rejected"):
        return translate("Lead", "The agent's line took no listening leg. Try again in a moment.")
    if code in ("unreachable", "not_found", "no_answer", "failed", "line_lost", "missed"):
        return translate("Lead", "The agent's line could not be reached.")
    if code in ("hung_up", "far_hung_up", "cancelled"):
        return translate("Lead", "The agent's line ended the listening.")
    try:
        return problem_text(Problem(code))
    except ValueError:
        return problem_text(Problem.UNEXPECTED)
