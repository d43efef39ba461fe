"""What has happened on the demo's cases: calls and the notes on them, promises, follow-ups."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from collection_server.calls.tables import Call
from collection_server.cases.tables import Case, Contact
from collection_server.demo.people import People
from collection_server.demo.words import PROMISE, TEXTS
from collection_server.notes.tables import Note, Promise

REACHED = ("willing", "unable", "refused", "third_party", "complaint", "promise")
_OUTCOMES = ("no_answer", "willing", "unable", "refused", "third_party", "dead_number", "complaint")
_WEIGHTS = (38, 24, 12, 9, 12, 4, 1)

_PLAN_COUNTS = {
    "promise_due": 5,
    "promise_broken": 4,
    "promise_ahead": 8,
    "promise_kept": 3,
    "call_back": 8,
    "new": 20,
    "worked": 52,
}
PLANS = tuple(plan for plan, count in _PLAN_COUNTS.items() for _ in range(count))
"""What each of a collector's hundred cases is about, in the order of their making."""


@dataclass(slots=True)
class History:
    calls: list[Call] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class HistoryMaker:
    """Writes the past of case after case. Nothing happens today: the day is before its user."""

    def __init__(self, people: People, today: date, zone: tzinfo | None) -> None:
        self.made = History()
        self._people = people
        self._random = people.random
        self._today = today
        self._zone = zone

    def write(self, case: Case, contacts: list[Contact], plan: str) -> None:
        """Give the case the past that its plan asks for."""
        if plan == "new":
            return
        attempts = self._random.randint(0, 3) if plan.startswith("promise") else self._random.randint(1, 4)
        days = sorted(self._random.sample(range(8, 40), attempts), reverse=True)
        for days_ago in days:
            outcome = self._random.choices(_OUTCOMES, _WEIGHTS)[0]
            self._attempt(case, contacts, days_ago, outcome)
        if plan == "call_back":
            self._attempt(case, contacts, self._random.randint(1, 6), "willing")
            case.next_follow_up_at = self._at(self._today, self._random.choice((9, 10, 11, 14, 15, 16, 17, 19)), 30)
        elif plan.startswith("promise"):
            self._promise(case, contacts, plan)
        elif self._random.random() < 0.25:
            day = self._today + timedelta(days=self._random.randint(1, 6))
            case.next_follow_up_at = self._at(day, self._random.randint(9, 19), 0)

    def zhang(self, case: Case, contacts: list[Contact]) -> None:
        """The case of the pictures: ¥3,000 promised for today."""
        self._attempt(case, contacts, 15, "no_answer")
        self._attempt(case, contacts, 11, "third_party")
        self._promise(case, contacts, "promise_due", amount=300_000)

    def _promise(self, case: Case, contacts: list[Contact], plan: str, amount: int = 0) -> None:
        made_ago = self._random.randint(3, 6)
        due_in = {
            "promise_due": 0,
            "promise_broken": -self._random.randint(1, 2),
            "promise_ahead": self._random.randint(1, 12),
            "promise_kept": -self._random.randint(1, 2),
        }[plan]
        due = self._today + timedelta(days=due_in)
        amount = amount or min(self._random.randint(6, 56) * 5_000, max(10_000, case.total // 200 * 100))
        call, contact = self._call(case, contacts, made_ago, "promise")
        text = self._random.choice(PROMISE).format(day=due.day, amount=f"{amount // 100:,}")
        note = self._note(case, contact, call, "promise", text)
        note.next_follow_up_at = case.next_follow_up_at = self._at(due, self._random.randint(9, 11), 0)
        note.promise = Promise(
            id=self._people.new_id(),
            note_id=note.id,
            case_id=case.id,
            amount=amount,
            currency=case.currency,
            due=due,
            state={"promise_kept": "kept", "promise_broken": "broken"}.get(plan, "open"),
        )
        if plan == "promise_kept":
            case.paid += min(amount, (case.total - case.paid) // 2)
            case.next_follow_up_at = self._at(self._today + timedelta(days=self._random.randint(2, 8)), 10, 0)

    def _attempt(self, case: Case, contacts: list[Contact], days_ago: int, outcome: str) -> None:
        call, contact = self._call(case, contacts, days_ago, outcome)
        self._note(case, contact, call, outcome, self._random.choice(TEXTS[outcome]))

    def _call(self, case: Case, contacts: list[Contact], days_ago: int, outcome: str) -> tuple[Call, Contact]:
        contact = self._whom(contacts, outcome)
        day = self._today - timedelta(days=days_ago)
        started = self._at(day, self._random.randint(9, 19), self._random.randrange(60)) + self._seconds(0, 59)
        answered = started + self._seconds(6, 18) if outcome in REACHED else None
        ended = answered + self._seconds(25, 320) if answered else started + self._seconds(20, 45)
        cause = self._random.choice(("hung_up", "far_hung_up")) if answered else "no_answer"
        cause = "not_found" if outcome == "dead_number" else cause
        call = Call(
            id=self._people.new_id(),
            case_id=case.id,
            contact_id=contact.id,
            agent_id=case.owner_id or "",
            line_id="practice",
            direction="outbound",
            number=contact.number,
            started_at=started,
            answered_at=answered,
            ended_at=ended,
            received_at=ended,
            cause=cause,
            sip_code={"no_answer": 480, "not_found": 404}.get(cause, 200),
            talk_ms=int((ended - answered).total_seconds() * 1000) if answered else 0,
            recording_id=None,
            quality={},
            not_owner=False,
        )
        self.made.calls.append(call)
        return call, contact

    def _whom(self, contacts: list[Contact], outcome: str) -> Contact:
        callable_ = [c for c in contacts if c.state != "do_not_call"]
        others = [c for c in callable_ if c.relation not in ("self", "self_work")]
        if outcome in ("third_party", "dead_number") and others:
            return self._random.choice(others)
        return contacts[0]

    def _note(self, case: Case, contact: Contact, call: Call, outcome: str, text: str) -> Note:
        written = call.ended_at + self._seconds(15, 70)
        note = Note(
            id=self._people.new_id(),
            case_id=case.id,
            call_id=call.id,
            contact_id=contact.id,
            author_id=case.owner_id or "",
            created_at=written,
            received_at=written,
            outcome=outcome,
            text=text,
            next_follow_up_at=None,
            not_owner=False,
            promise=None,
        )
        self.made.notes.append(note)
        if outcome in REACHED and (case.last_contact_at is None or case.last_contact_at < written):
            case.last_contact_at = written
        return note

    def _at(self, day: date, hour: int, minute: int) -> datetime:
        local = datetime.combine(day, time(hour, minute))
        return (local.replace(tzinfo=self._zone) if self._zone else local.astimezone()).astimezone(UTC)

    def _seconds(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self._random.randint(least, most))
