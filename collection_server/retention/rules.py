"""Rules of retention by client, and when a recording's time is over by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.auth.principal import Principal
from collection_server.problems import not_found
from collection_server.retention.tables import RetentionRule

SHORTEST_DAYS = 731
"""Two years, a leap day included: credit-card rules, article 68."""
ALL_CLIENTS = ""
COOLING = timedelta(days=1)
"""A rule that was set or changed destroys nothing for so long: time to see a slip."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules as they are at one moment."""

    by_client: dict[str, RetentionRule]

    def of(self, client: str | None) -> RetentionRule | None:
        """The rule for a client; None: nothing is ever destroyed. A recording whose client is not known (None) is
        kept as long as any client's, and for ever while there is no rule for all.
        """
        general = self.by_client.get(ALL_CLIENTS)
        if client is not None:
            return self.by_client.get(client, general)
        if general is None:
            return None
        return max(self.by_client.values(), key=lambda rule: rule.days)

    @property
    def shortest(self) -> int | None:
        return min((rule.days for rule in self.by_client.values()), default=None)


def current(session: Session) -> Rules:
    return Rules({rule.client: rule for rule in session.scalars(select(RetentionRule))})


def due_at(stored_at: datetime, rule: RetentionRule) -> datetime:
    """When a recording may go. Its time runs from the store's receipt, which is never before the call's end and
    does not hang on a seat's clock.
    """
    return max(stored_at + timedelta(days=rule.days), rule.set_at + COOLING)


def put(session: Session, who: Principal, client: str, days: int, now: datetime) -> RetentionRule:
    """Set or change the rule of ``client``."""
    rule = session.get(RetentionRule, client, with_for_update=True)
    before = rule.days if rule is not None else None
    if rule is None:
        rule = RetentionRule(client=client)
        session.add(rule)
    rule.days, rule.set_by, rule.set_at = days, who.user_id, now
    _note(session, who, client, {"days": days, "before": before})
    return rule


def remove(session: Session, who: Principal, client: str) -> None:
    """Raises 404."""
    rule = session.get(RetentionRule, client, with_for_update=True)
    if rule is None:
        raise not_found("rule")
    session.delete(rule)
    _note(session, who, client, {"days": None, "before": rule.days})


def _note(session: Session, who: Principal, client: str, detail: dict[str, int | None]) -> None:
    event = audit.Event(audit.Actor.of(who), "retention.rule", "client", client[:64], dict(detail))
    audit.record(session, event)
