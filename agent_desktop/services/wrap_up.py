"""Wrap-up: outcome, text, promise to pay and next follow-up after a call."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from agent_desktop.domain.amounts import AmountError, parse_amount
from agent_desktop.domain.models import Case, Draft, Money, Note, Outcome, Promise, PromiseState
from agent_desktop.domain.sync import Operation

if TYPE_CHECKING:
    from agent_desktop.services.context import DeskContext

MAX_TEXT = 2000
MAX_FOLLOW_UP_DAYS = 366


class WrapUpService:
    """Saves notes to the local store and the outbox in one transaction; keeps drafts through a crash.

    ``on_saved`` is called with each note that was saved, on the saving thread.
    """

    def __init__(self, desk: DeskContext, on_saved: Callable[[Note], None] = lambda note: None) -> None:
        self._desk = desk
        self._on_saved = on_saved

    def save(self, draft: Draft) -> Note:
        """Turn the draft into a note, with a promise when its outcome is one.

        Raises ``WrapUpInvalid`` naming the field that is missing or wrong. The draft is dropped.
        """
        from agent_desktop.sync.shapes import note_json

        note = self._note(draft)
        operation = Operation(note.id, "note.add", note.created_at, note.case_id, note_json(note))
        self._desk.store.work.add_note(note, operation)
        self._desk.wake()
        self._on_saved(note)
        return note

    def keep_draft(self, draft: Draft) -> None:
        """Keep what the form holds now."""
        self._desk.store.work.keep_draft(draft)

    def draft(self, case_id: str) -> Draft | None:
        """The kept draft of a case, if any."""
        return self._desk.store.work.draft(case_id)

    def _note(self, draft: Draft) -> Note:
        if draft.outcome is None:
            raise WrapUpInvalid("outcome", "missing")
        note_id, now = str(uuid.uuid4()), self._desk.clock()
        promise = self._promise(draft, note_id) if draft.outcome is Outcome.PROMISE else None
        text = _clean(draft.text)
        if len(text) > MAX_TEXT:
            raise WrapUpInvalid("text", "too_long")
        follow_up = draft.next_follow_up_at
        if follow_up is not None and follow_up <= now:
            raise WrapUpInvalid("next_follow_up_at", "in_the_past")
        if follow_up is not None and follow_up > now + timedelta(days=MAX_FOLLOW_UP_DAYS):
            raise WrapUpInvalid("next_follow_up_at", "too_far")
        return Note(
            id=note_id,
            case_id=draft.case_id,
            call_id=draft.call_id,
            contact_id=draft.contact_id,
            author_id=self._desk.user.id,
            author_name=self._desk.user.name,
            created_at=now,
            outcome=draft.outcome,
            text=text,
            next_follow_up_at=follow_up,
            promise=promise,
        )

    def _promise(self, draft: Draft, note_id: str) -> Promise:
        case = self._desk.store.cases.case(draft.case_id)
        amount = _amount(draft.amount_text, case)
        if draft.due is None:
            raise WrapUpInvalid("due", "missing")
        today = self._desk.today()
        if draft.due < today:
            raise WrapUpInvalid("due", "in_the_past")
        if draft.due > today + timedelta(days=self._desk.policy.promise_max_days):
            raise WrapUpInvalid("due", "too_far")
        return Promise(str(uuid.uuid4()), draft.case_id, note_id, amount, draft.due, PromiseState.OPEN)


def _amount(text: str, case: Case | None) -> Money:
    """The promised amount. ``case`` is None for a case that is not held here: the server then checks the rest."""
    try:
        amount = parse_amount(text, case.total.currency if case else "CNY")
    except AmountError as error:
        raise WrapUpInvalid("amount", error.code) from None
    if case is not None and amount.minor > case.total.minor:
        raise WrapUpInvalid("amount", "more_than_owed")
    return amount


def _clean(text: str) -> str:
    """The text as it can be kept and sent: no NUL, no half of a surrogate pair, no blank ends."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8").strip()


class WrapUpInvalid(ValueError):
    """A draft that cannot be saved.

    ``field``: ``outcome``, ``amount``, ``due``, ``text`` or ``next_follow_up_at``; ``code``: ``missing``,
    ``not_a_number``, ``not_positive``, ``more_than_owed``, ``in_the_past``, ``too_far`` (promises: 60 days),
    ``too_long``.
    """

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
