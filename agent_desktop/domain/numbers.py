"""Telephone numbers: as received or typed in any usual form, and as kept (E.164, an extension, a service code)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

TAIL_DIGITS = 9
"""Digits from the end that tell two forms of one number to be the same."""

_BETWEEN_DIGITS = re.compile(r"[\s().\[\]/·_\-–—‐‑‒―−]+")
_LABEL = re.compile(
    r"^(?:tel|phone|mobile|cell|电话|手机|手机号|固话|座机|联系电话|号码)\s*:?\s*(?=[+(\d])", re.IGNORECASE
)
_EXTENSION = re.compile(
    r"^(?P<base>.*\d.*?)\s*(?:;\s*ext\s*=|(?:转接?|轉|,)?\s*(?:分机号?|內線|内线|extension|ext\.?)|转接?|轉|x|#|,)"
    r"\s*[:.]?\s*(?P<ext>\d{1,6})$",
    re.IGNORECASE,
)
_HYPHENATED = re.compile(r"^(?P<base>.*\d.*)[\-–—‐‑‒―−](?P<ext>\d{1,6})$")
LONGEST_EXTENSION = 6
SHORTEST_LOCAL = 7
"""Digits of a landline without its area code, at least."""
LONGEST_TEXT = 64
"""Longer texts are not looked at: they come from the network, too."""

_LOCAL = re.compile(r"[2-8][0-9]{6,7}")
"""A Chinese landline without its area code."""
_SERVICE = {"CN": re.compile(r"1[0-2][0-9]{3,4}|1010[0-9]{4}|9[56][0-9]{3,6}")}
"""Service codes of a region that the tables of short numbers do not all know."""
_EMERGENCY = {"CN": frozenset({"110", "119", "120", "122"})}
_KINDS = {1: "mobile", 3: "service", 4: "premium", 5: "service", 9: "service"}
"""``phonenumbers.PhoneNumberType`` (mobile, toll-free, premium-rate, shared-cost, UAN) to our kinds; the others are
landlines to a PBX."""


@dataclass(frozen=True, slots=True)
class TelNumber:
    """A number that was read. ``kind``: ``mobile``, ``landline``, ``service`` (400, 800, 95588, 12345), ``premium``,
    ``emergency``, ``extension`` (of the PBX, star codes too), ``international`` or ``unknown``."""

    plain: str
    """Without what people put between digits; a label, an extension behind it and the like are gone."""
    e164: str = ""
    """Empty for short codes, extensions and what is no number."""
    extension: str = ""
    """What is to be dialled behind it, once it has answered."""
    kind: str = "unknown"

    @property
    def kept(self) -> str:
        """E.164 where it is a subscriber's number, else as it was received."""
        return self.e164 or self.plain


def tail(number: str) -> str:
    """The last nine digits, or empty when there are fewer: too short to tell one number from another."""
    digits = "".join(c for c in number if c.isascii() and c.isdigit())
    return digits[-TAIL_DIGITS:] if len(digits) >= TAIL_DIGITS else ""


def clean(text: str) -> str:
    """The text without what people put between digits; full-width digits become plain ones."""
    return unicodedata.normalize("NFKC", _BETWEEN_DIGITS.sub("", _visible(text)))


def _visible(text: str) -> str:
    """In compatibility form, without direction marks and the like that copying from a page or a chat brings along."""
    return "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Cc")
    ).strip()


class NumberPlan:
    """Reads numbers by the rules of one region and, where they are given, of one line. Any thread.

    ``area_code`` completes local numbers that came without one; ``outside_prefix`` is taken off numbers that the PBX
    hands over with it. The metadata (phonenumbers) is loaded at the first use, some 60 ms: call ``warm_up`` before a
    call can come in.
    """

    def __init__(self, region: str = "CN", area_code: str = "", outside_prefix: str = "") -> None:
        self.region = region
        self._area_code = area_code.lstrip("0")
        self._outside_prefix = outside_prefix

    def warm_up(self) -> None:
        """Load the metadata and the region's rules."""
        for text in ("+8613800000000", "01000000000", "95588"):
            self.read(text)

    def read(self, text: str) -> TelNumber:
        """What ``text`` says, as far as it can be understood. Never raises."""
        if len(text) > LONGEST_TEXT:
            return TelNumber(clean(text))
        visible = _LABEL.sub("", _visible(text))
        found = self._whole(_BETWEEN_DIGITS.sub("", visible))
        if found.e164:
            return found
        for pattern in (_EXTENSION, _HYPHENATED):
            match = pattern.match(visible)
            if match is None:
                continue
            base = self._whole(_BETWEEN_DIGITS.sub("", match["base"]))
            if base.e164 or (pattern is _EXTENSION and re.fullmatch(r"\+?[0-9]{7,20}", base.plain)):
                return TelNumber(base.plain, base.e164, match["ext"], base.kind)
        return found if found.kind != "unknown" else TelNumber(clean(text))

    def e164(self, text: str) -> str:
        """E.164 of a subscriber's number in any usual form; empty for short codes, extensions and what is no number."""
        return self.read(text).e164

    def kept(self, text: str) -> str:
        """E.164 where it is a subscriber's number, else the text as received without its spaces."""
        return self.read(text).kept

    def _whole(self, plain: str) -> TelNumber:
        """A number that has nothing behind it."""
        if not re.fullmatch(r"\+?[0-9]{2,20}", plain):
            return TelNumber(plain, kind="extension" if re.fullmatch(r"[0-9*#]{2,20}", plain) else "unknown")
        found = self._subscriber(plain) or self._code(plain)
        if found is None and self._outside_prefix and plain.startswith(self._outside_prefix):
            rest = plain.removeprefix(self._outside_prefix)
            found = self._subscriber(rest) or (self._code(rest) if len(rest) >= 5 else None)
        if found is None and plain.isdigit() and len(plain) <= LONGEST_EXTENSION:
            return TelNumber(plain, kind="extension")
        return found or TelNumber(plain)

    def _subscriber(self, plain: str) -> TelNumber | None:
        import phonenumbers

        if len(plain) < 5:
            return None
        local = self._area_code and self.region == "CN" and _LOCAL.fullmatch(plain)
        try:
            number = phonenumbers.parse(f"+86{self._area_code}{plain}" if local else plain, self.region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_valid_number(number):
            return None
        home = number.country_code == phonenumbers.country_code_for_region(self.region)
        kind = _KINDS.get(phonenumbers.number_type(number), "landline") if home else "international"
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return TelNumber(plain, e164, kind=kind)

    def _code(self, plain: str) -> TelNumber | None:
        """A short code that everybody can dial."""
        if plain in _EMERGENCY.get(self.region, ()):
            return TelNumber(plain, kind="emergency")
        service = _SERVICE.get(self.region)
        if (service is not None and service.fullmatch(plain)) or self._known_short(plain):
            return TelNumber(plain, kind="service")
        return None

    def _known_short(self, plain: str) -> bool:
        from phonenumbers import NumberParseException, parse, shortnumberinfo

        try:
            number = parse(plain, self.region)
        except NumberParseException:
            return False
        return shortnumberinfo.is_valid_short_number_for_region(number, self.region)
