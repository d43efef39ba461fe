"""The things a seat works with. Immutable; ids are UUID strings; times are aware datetimes in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (分), with its ISO 4217 currency."""

    minor: int
    currency: str = "CNY"


class Role(StrEnum):
    COLLECTOR = "collector"
    LEAD = "lead"
    QA = "qa"
    DATA_OFFICER = "data_officer"
    ADMINISTRATOR = "administrator"


class Outcome(StrEnum):
    """Disposition of a contact attempt (催收结果), in the order of its number keys 1–8."""

    PROMISE = "promise"  # 承诺还款
    WILLING = "willing"  # 有意愿
    UNABLE = "unable"  # 无力偿还
    REFUSED = "refused"  # 拒绝还款
    THIRD_PARTY = "third_party"  # 他人接听
    NO_ANSWER = "no_answer"  # 无人接听
    DEAD_NUMBER = "dead_number"  # 空号停机
    COMPLAINT = "complaint"  # 投诉

    @property
    def reached(self) -> bool:
        """Somebody answered."""
        return self not in (Outcome.NO_ANSWER, Outcome.DEAD_NUMBER)


class Relation(StrEnum):
    SELF = "self"  # 本人
    SELF_WORK = "self_work"  # 本人 单位
    SPOUSE = "spouse"  # 配偶
    PARENT = "parent"  # 父母
    SIBLING = "sibling"  # 兄弟姐妹
    CHILD = "child"  # 子女
    COLLEAGUE = "colleague"  # 同事
    FRIEND = "friend"  # 朋友

    @property
    def third_party(self) -> bool:
        """Anyone but the debtor."""
        return self not in (Relation.SELF, Relation.SELF_WORK)


class ContactSource(StrEnum):
    ORIGINAL = "original"  # 原资
    TRACED = "traced"  # 调资


class ContactState(StrEnum):
    VALID = "valid"  # 有效
    INVALID = "invalid"  # 无效
    UNREACHED = "unreached"  # 未接通
    DO_NOT_CALL = "do_not_call"  # 禁止拨打


class Direction(StrEnum):
    OUTBOUND = "outbound"
    INBOUND = "inbound"


class PromiseState(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    login: str
    name: str
    role: Role
    team: str


@dataclass(frozen=True, slots=True)
class Case:
    """One debt given to us to collect."""

    id: str
    number: str
    client: str
    product: str
    batch: str
    debtor_name: str
    debtor_sex: str
    """``male``, ``female`` or empty."""
    debtor_age: int | None
    id_number_masked: str
    account_tail: str
    stage: str
    """``M1`` … ``M6``: months overdue, rounded up."""
    days_overdue: int
    due_back: date
    """When the case returns to its client."""
    total: Money
    principal: Money
    minimum_due: Money
    paid: Money
    relief: str
    """What reduction may be offered, in the client's words; may be empty."""
    owner_id: str
    linked_cases: int
    """How many cases the same debtor has here, this one included (共案)."""
    last_contact_at: datetime | None
    next_follow_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who can be called about a case."""

    id: str
    case_id: str
    name: str
    relation: Relation
    number: str
    """E.164; shown masked."""
    source: ContactSource
    state: ContactState


@dataclass(frozen=True, slots=True)
class Promise:
    """Promise to pay (承诺还款)."""

    id: str
    case_id: str
    note_id: str
    amount: Money
    due: date
    state: PromiseState


@dataclass(frozen=True, slots=True)
class Note:
    """Case note (催记). Append-only."""

    id: str
    case_id: str
    call_id: str
    """Empty when not about a call."""
    contact_id: str
    author_id: str
    author_name: str
    created_at: datetime
    outcome: Outcome
    text: str
    next_follow_up_at: datetime | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Record of one call, as the line process reported it."""

    id: str
    case_id: str
    """Empty when the number belongs to no case here."""
    contact_id: str
    agent_id: str
    line_id: str
    direction: Direction
    number: str
    """E.164, or as received when it is not a number."""
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    cause: str
    """One of ``telephony.messages.CallEnded``'s causes."""
    talk_ms: int
    recording_id: str
    quality: dict[str, object]
    sip_code: int = 0


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A row of today's work: the case and why it stands where it does."""

    case: Case
    number: str
    """The debtor's first callable number, E.164; may be empty."""
    reason: str
    """``promise_due``, ``promise_broken``, ``call_back``, ``not_contacted`` (with days), ``new``, ``last_outcome``."""
    reason_days: int = 0
    reason_amount: Money | None = None
    reason_at: datetime | None = None
    reason_outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact with what the collector needs beside it."""

    contact: Contact
    attempts_today: int
    last_outcome: Outcome | None
    last_at: datetime | None


class TimelineKind(StrEnum):
    NOTE = "note"
    CALL = "call"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the case's history, newest first. Exactly one of note, call and promise is set."""

    kind: TimelineKind
    at: datetime
    note: Note | None = None
    call: Call | None = None
    promise: Promise | None = None
    author_name: str = ""


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """All of one case that the case view shows."""

    case: Case
    contacts: tuple[ContactRow, ...]
    timeline: tuple[TimelineEntry, ...]
    open_promise: Promise | None


@dataclass(frozen=True, slots=True)
class CaseMatch:
    """A case that a calling number belongs to."""

    case: Case
    contact: Contact


@dataclass(frozen=True, slots=True)
class Draft:
    """What the wrap-up form held when it was last touched; survives a crash."""

    case_id: str
    call_id: str
    contact_id: str
    outcome: Outcome | None
    text: str
    amount_text: str
    due: date | None
    next_follow_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A collector's own figures today (C9)."""

    cases_handled: int
    talk_seconds: int
    promises: int
    promised: Money
    cases_target: int = 90
    talk_target_seconds: int = 12_000


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording in QA's list."""

    id: str
    call_id: str
    number: int
    """The seat's number of this recording (R7)."""
    case_id: str
    case_number: str
    debtor_name: str
    number_masked: str
    agent_id: str
    agent_name: str
    direction: Direction
    started_at: datetime
    seconds: float
    outcome: Outcome | None
    promised: Money | None
    state: str
    """``verified``, ``recovered`` or ``failed``: what the store found when it checked the upload."""


@dataclass(frozen=True, slots=True)
class SeatState:
    """A row of the lead's wallboard (L1)."""

    seat_id: str
    """``user:`` and the agent's id for a collector who has no seat."""
    agent_id: str
    agent_name: str
    team: str
    state: str
    """``ready``, ``ringing``, ``on_call``, ``wrap_up``, ``break``, ``offline``."""
    since: datetime
    call_id: str
    case_number: str
    debtor_name: str
    client: str
    stage: str
    line_state: str
    """As ``telephony.messages.LineState``."""
    recording: bool
    recording_problem: str
    cases_handled: int
    talk_seconds: int
    promises: int

    @property
    def seated(self) -> bool:
        """Whether there is a seat where the agent has signed in."""
        return not self.seat_id.startswith("user:")
