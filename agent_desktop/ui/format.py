"""Numbers, amounts and times as people read them here."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from PySide6.QtCore import QLocale

from agent_desktop.domain.models import Money
from agent_desktop.ui.language import translate

_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "HKD": "HK$"}
_DIGITS = re.compile(r"\D+")
_SHORT = 5
"""Numbers up to this length are extensions and service numbers: nobody's own, so not masked."""


def money(amount: Money, *, cents: bool = True) -> str:
    """``¥18,462.37``; ``cents=False`` leaves out ``.00`` only."""
    symbol = _SYMBOLS.get(amount.currency, f"{amount.currency} ")
    sign = "-" if amount.minor < 0 else ""
    whole, part = divmod(abs(amount.minor), 100)
    if not cents and part == 0:
        return f"{sign}{symbol}{whole:,}"
    return f"{sign}{symbol}{whole:,}.{part:02d}"


def national(number: str) -> str:
    """The digits one would dial at home: ``+8613812346021`` → ``13812346021``, ``+861088888877`` → ``01088888877``."""
    if not number.startswith("+86"):
        return number
    rest = _DIGITS.sub("", number[3:])
    return rest if re.fullmatch(r"1\d{10}", rest) else f"0{rest}"


def masked(number: str) -> str:
    """The number with its middle hidden: ``138****6021``, landline ``010****8877``. What is odd is hidden more."""
    if not number:
        return ""
    home = national(number)
    digits = _DIGITS.sub("", home)
    if len(digits) <= _SHORT:
        return home if digits == home else "****"
    if len(digits) < 8:
        return f"****{digits[-2:]}"
    if number.startswith("+") and not number.startswith("+86"):
        return f"+{digits[:2]}****{digits[-4:] if len(digits) > 9 else digits[-2:]}"
    return f"{digits[: _area(digits)]}****{digits[-4:]}"


def _area(digits: str) -> int:
    """Length of what may be shown in front: three digits of a mobile number, or a landline's area code."""
    long_code = digits.startswith("0") and not re.match(r"0(10|2\d)", digits)
    return 4 if long_code and len(digits) >= 11 else 3


def clock(seconds: float) -> str:
    """``03:27``; ``1:02:09`` from an hour on."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"


def when(at: datetime, now: datetime | None = None) -> str:
    """Local time: ``Today 14:06``, ``11-20 10:12``, ``2025-11-20 10:12`` in another year."""
    local = at.astimezone()
    today = (now or datetime.now().astimezone()).astimezone().date()
    if local.date() == today:
        return translate("Format", "Today {time}").format(time=f"{local:%H:%M}")
    if local.date() == today + timedelta(days=1):
        return translate("Format", "Tomorrow {time}").format(time=f"{local:%H:%M}")
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def time_of_day(at: datetime) -> str:
    """Local ``14:30``."""
    return f"{at.astimezone():%H:%M}"


def day(value: date, today: date | None = None) -> str:
    """``today``, ``tomorrow``, ``11-25 Wed``; with the year when it is another one."""
    here = today or datetime.now().astimezone().date()
    if value == here:
        return translate("Format", "today")
    if value == here + timedelta(days=1):
        return translate("Format", "tomorrow")
    if value.year != here.year:
        return f"{value:%Y-%m-%d}"
    weekday = QLocale().standaloneDayName(value.isoweekday(), QLocale.FormatType.ShortFormat)
    return f"{value:%m-%d} {weekday}"


def short_day(value: datetime, today: date | None = None) -> str:
    """Local ``11-20``, or the time of day for today."""
    local = value.astimezone()
    here = today or datetime.now().astimezone().date()
    if local.date() == here:
        return f"{local:%H:%M}"
    return f"{local:%m-%d}" if local.year == here.year else f"{local:%Y-%m-%d}"
