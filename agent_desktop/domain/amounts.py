"""Amounts as people type them."""

from __future__ import annotations

import re
import unicodedata

from agent_desktop.domain.models import Money

_AMOUNT = re.compile(r"(-?)(\d{1,12}|\d{1,3}(?:,\d{3}){1,3})(?:\.(\d{1,2}))?")
_SIGN = re.compile(r"^(¥|rmb|cny)|(元|块)$", re.IGNORECASE)


class AmountError(ValueError):
    """The text is no amount; ``code`` is ``missing``, ``not_a_number`` or ``not_positive``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_amount(text: str, currency: str = "CNY") -> Money:
    """Read ``3,000``, ``3000.5``, ``¥3,000.00`` or ``３０００元`` exactly, without floats.

    Raises ``AmountError``; a comma that does not group thousands is an error, not a guess.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    plain = _SIGN.sub("", plain)
    if not plain:
        raise AmountError("missing")
    found = _AMOUNT.fullmatch(plain)
    if found is None or not plain.isascii():
        raise AmountError("not_a_number")
    sign, whole, cents = found.groups()
    minor = int(whole.replace(",", "")) * 100 + int((cents or "").ljust(2, "0"))
    if sign or minor <= 0:
        raise AmountError("not_positive")
    return Money(minor, currency)
