"""The words of the trade for the domain's codes, and the tone that each is shown in."""

from __future__ import annotations

from agent_desktop.domain.models import (
    ContactSource,
    ContactState,
    Direction,
    Outcome,
    PromiseState,
    QueueItem,
    Relation,
    Role,
    TimelineKind,
)
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone


def outcome_text(outcome: Outcome) -> str:
    return {
        Outcome.PROMISE: translate("Terms", "Promise to pay"),
        Outcome.WILLING: translate("Terms", "Willing"),
        Outcome.UNABLE: translate("Terms", "Unable to pay"),
        Outcome.REFUSED: translate("Terms", "Refused"),
        Outcome.THIRD_PARTY: translate("Terms", "Third party"),
        Outcome.NO_ANSWER: translate("Terms", "No answer"),
        Outcome.DEAD_NUMBER: translate("Terms", "Dead number"),
        Outcome.COMPLAINT: translate("Terms", "Complaint"),
    }[outcome]


def outcome_tone(outcome: Outcome) -> Tone:
    return {
        Outcome.PROMISE: Tone.VIOLET,
        Outcome.WILLING: Tone.ACCENT,
        Outcome.UNABLE: Tone.WARN,
        Outcome.REFUSED: Tone.WARN,
        Outcome.THIRD_PARTY: Tone.VIOLET,
        Outcome.COMPLAINT: Tone.BAD,
    }.get(outcome, Tone.GREY)


def relation_text(relation: Relation) -> str:
    return {
        Relation.SELF: translate("Terms", "Debtor"),
        Relation.SELF_WORK: translate("Terms", "Debtor, work"),
        Relation.SPOUSE: translate("Terms", "Spouse"),
        Relation.PARENT: translate("Terms", "Parent"),
        Relation.SIBLING: translate("Terms", "Sibling"),
        Relation.CHILD: translate("Terms", "Child"),
        Relation.COLLEAGUE: translate("Terms", "Colleague"),
        Relation.FRIEND: translate("Terms", "Friend"),
    }[relation]


def source_text(source: ContactSource) -> str:
    if source is ContactSource.ORIGINAL:
        return translate("Terms", "Original")
    return translate("Terms", "Traced")


def contact_state_text(state: ContactState) -> str:
    return {
        ContactState.VALID: translate("Terms", "Valid"),
        ContactState.INVALID: translate("Terms", "Invalid"),
        ContactState.UNREACHED: translate("Terms", "Unreached"),
        ContactState.DO_NOT_CALL: translate("Terms", "Do not call"),
    }[state]


def contact_state_tone(state: ContactState) -> Tone:
    return {
        ContactState.VALID: Tone.OK,
        ContactState.UNREACHED: Tone.WARN,
        ContactState.DO_NOT_CALL: Tone.BAD,
    }.get(state, Tone.GREY)


def role_text(role: Role) -> str:
    return {
        Role.COLLECTOR: translate("Terms", "Collector"),
        Role.LEAD: translate("Terms", "Team lead"),
        Role.QA: translate("Terms", "QA"),
        Role.DATA_OFFICER: translate("Terms", "Data officer"),
        Role.ADMINISTRATOR: translate("Terms", "Administrator"),
    }[role]


def direction_text(direction: Direction) -> str:
    if direction is Direction.INBOUND:
        return translate("Terms", "inbound")
    return translate("Terms", "outbound")


def direction_mark(direction: Direction) -> str:
    return "↙" if direction is Direction.INBOUND else "↗"


def agent_state_text(state: str) -> str:
    """Of ``domain.models.SeatState.state``."""
    return {
        "ready": translate("Terms", "Ready"),
        "ringing": translate("Terms", "Ringing"),
        "on_call": translate("Terms", "On a call"),
        "wrap_up": translate("Terms", "Wrap-up"),
        "break": translate("Terms", "Break"),
        "offline": translate("Terms", "Offline"),
    }.get(state, state)


def agent_state_tone(state: str) -> Tone:
    tones = {"ready": Tone.OK, "ringing": Tone.ACCENT, "on_call": Tone.BAD, "wrap_up": Tone.WARN}
    return tones.get(state, Tone.GREY)


def stage_tone(stage: str) -> Tone:
    return {"M1": Tone.OK, "M2": Tone.WARN}.get(stage, Tone.BAD)


def timeline_text(kind: TimelineKind) -> str:
    return {
        TimelineKind.NOTE: translate("Terms", "Note"),
        TimelineKind.CALL: translate("Terms", "Call"),
        TimelineKind.PROMISE: translate("Terms", "Promise"),
    }[kind]


def timeline_tone(kind: TimelineKind) -> Tone:
    return {TimelineKind.CALL: Tone.ACCENT, TimelineKind.PROMISE: Tone.VIOLET}.get(kind, Tone.GREY)


def promise_state_text(state: PromiseState) -> str:
    return {
        PromiseState.OPEN: translate("Terms", "open"),
        PromiseState.KEPT: translate("Terms", "kept"),
        PromiseState.BROKEN: translate("Terms", "broken"),
    }[state]


def cause_text(cause: str) -> str:
    """Why a call ended, of ``telephony.messages.CallEnded.cause``."""
    return {
        "hung_up": translate("Terms", "hung up"),
        "far_hung_up": translate("Terms", "the other side hung up"),
        "cancelled": translate("Terms", "cancelled"),
        "missed": translate("Terms", "missed"),
        "rejected": translate("Terms", "rejected"),
        "busy": translate("Terms", "busy"),
        "declined": translate("Terms", "declined"),
        "no_answer": translate("Terms", "no answer"),
        "unreachable": translate("Terms", "unreachable"),
        "not_found": translate("Terms", "no such number"),
        "failed": translate("Terms", "failed"),
        "line_lost": translate("Terms", "the line was lost"),
        "transferred": translate("Terms", "transferred"),
    }.get(cause, cause)


def reason_text(item: QueueItem) -> str:
    """Why a case stands where it does in today's work."""
    amount = fmt.money(item.reason_amount, cents=False) if item.reason_amount else ""
    match item.reason:
        case "promise_due":
            return translate("Terms", "Promise due today {amount}").format(amount=amount).strip()
        case "promise_broken":
            return translate("Terms", "Promise broken {amount}").format(amount=amount).strip()
        case "call_back":
            at = fmt.time_of_day(item.reason_at) if item.reason_at else ""
            return translate("Terms", "Call back at {time}").format(time=at)
        case "not_contacted":
            return translate("Terms", "Not contacted for {days} days").format(days=item.reason_days)
        case "new":
            return translate("Terms", "New case")
        case "last_outcome" if item.reason_outcome is not None:
            return translate("Terms", "Last: {outcome}").format(outcome=outcome_text(item.reason_outcome))
        case _:
            return ""


def reason_tone(item: QueueItem) -> Tone:
    tones = {"promise_due": Tone.VIOLET, "promise_broken": Tone.BAD, "call_back": Tone.ACCENT}
    return tones.get(item.reason, Tone.GREY)
