"""Wrap-up: outcome, text, promise to pay and next follow-up after a call."""

from __future__ import annotations

from agent_desktop.domain.models import Draft, Note


class WrapUpService:
    """Saves notes to the local store and the outbox in one transaction; keeps drafts through a crash."""

    def save(self, draft: Draft) -> Note:
        """Turn the draft into a note, with a promise when its outcome is one.

        Raises ``WrapUpInvalid`` naming the field that is missing or wrong. The draft is dropped.
        """
        raise NotImplementedError

    def keep_draft(self, draft: Draft) -> None:
        """Keep what the form holds now."""
        raise NotImplementedError

    def draft(self, case_id: str) -> Draft | None:
        """The kept draft of a case, if any."""
        raise NotImplementedError


class WrapUpInvalid(ValueError):
    """``field``: ``outcome``, ``amount``, ``due``, ``text`` or ``next_follow_up_at``; ``code``: ``missing``, ``not_a_number``,
    ``not_positive``, ``more_than_owed``, ``in_the_past``, ``too_far`` (promises: 60 days), ``too_long``."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
