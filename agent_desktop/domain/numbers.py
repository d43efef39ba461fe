"""Telephone numbers: as received or typed, as kept (E.164), and as dialled."""

from __future__ import annotations

import re
import unicodedata

TAIL_DIGITS = 9
"""Digits from the end that tell two forms of one number to be the same."""

_NOT_DIALLED = re.compile(r"[\s().\-–—/]+")


def tail(number: str) -> str:
    """The last nine digits, or empty when there are fewer: too short to tell one number from another."""
    digits = "".join(c for c in number if c.isascii() and c.isdigit())
    return digits[-TAIL_DIGITS:] if len(digits) >= TAIL_DIGITS else ""


def clean(text: str) -> str:
    """The text without what people put between digits; full-width digits become plain ones."""
    return _NOT_DIALLED.sub("", unicodedata.normalize("NFKC", text))


class NumberPlan:
    """Turns numbers into E.164 and back by the rules of one region. Any thread.

    The metadata (phonenumbers) is loaded at the first use, some 60 ms: call ``warm_up`` before a call can come in.
    """

    def __init__(self, region: str = "CN") -> None:
        self._region = region

    def warm_up(self) -> None:
        """Load the metadata and the region's rules."""
        self.e164("+8613800000000")
        self.e164("01000000000")

    def e164(self, text: str) -> str:
        """E.164 of a subscriber's number in any usual form; empty for short codes, extensions and what is no number."""
        import phonenumbers

        plain = clean(text)
        if not re.fullmatch(r"\+?[0-9]{5,20}", plain):
            return ""
        try:
            number = phonenumbers.parse(plain, self._region)
        except phonenumbers.NumberParseException:
            return ""
        if not phonenumbers.is_valid_number(number):
            return ""
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    def kept(self, text: str) -> str:
        """E.164 where it is a subscriber's number, else the text as received without its spaces."""
        return self.e164(text) or clean(text)

    def dialled(self, number: str) -> str:
        """Digits as a PBX of this region wants them: national form at home, ``00`` and country code abroad.

        Short codes and extensions stay as they are. Empty when it cannot be dialled.
        """
        import phonenumbers

        e164 = self.e164(number)
        if not e164:
            plain = clean(number)
            return plain if re.fullmatch(r"[0-9*#]{2,20}", plain) else ""
        parsed = phonenumbers.parse(e164, None)
        if phonenumbers.country_code_for_region(self._region) == parsed.country_code:
            national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        else:
            national = phonenumbers.format_out_of_country_calling_number(parsed, self._region)
        return "".join(c for c in national if c.isdigit())
