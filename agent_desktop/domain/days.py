"""The collector's day: local midnight, not UTC's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo

Clock = Callable[[], datetime]
"""Gives the present moment as an aware datetime in UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def local_date(at: datetime, zone: tzinfo | None = None) -> date:
    """The calendar day of a moment in ``zone``; None is the machine's own."""
    return at.astimezone(zone).date()


def day_start(at: datetime, zone: tzinfo | None = None) -> datetime:
    """Midnight at which the local day of ``at`` began, in UTC."""
    midnight = datetime.combine(local_date(at, zone), time.min)
    return (midnight.replace(tzinfo=zone) if zone else midnight.astimezone()).astimezone(UTC)
