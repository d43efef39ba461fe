"""What a line's PBX is sent for a number: outside and long-distance prefixes, extensions, classes it does not dial.

The practice of Chinese PBXs: ``9`` for an outside line, ``0`` and the area code for another city's landline, ``0``
before a mobile of another city on trunks that charge by distance, ``00`` for abroad, short codes as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_desktop.domain.numbers import TelNumber

CLASSES = ("extension", "local", "mobile", "national", "international", "service", "premium")
"""What a line may be allowed to dial. ``national``: landlines of other areas; ``service``: 400, 95588, 12345.
Emergency numbers are always dialled."""
FORMATS = ("national", "e164", "e164_digits")


@dataclass(frozen=True, slots=True)
class DialPlan:
    """How one line dials. The defaults send national numbers as they are, as most PBXs want them."""

    area_code: str = ""
    """Area code of the line's home (``021``): completes local numbers, and tells what is long-distance."""
    outside_prefix: str = ""
    """What gets an outside line on this PBX, such as ``9``."""
    extension_lengths: tuple[int, ...] = (3, 4)
    """Numbers of so many digits are extensions, dialled without the outside prefix."""
    mobile_prefix: str = ""
    """Put before mobiles whose home is not the line's area, such as ``0``; needs ``area_code``."""
    own_area_code: bool = True
    """Landlines of the line's own area are dialled with their area code, too."""
    national_prefix: str = ""
    """Put before landlines with their area code; empty for the country's own, which is ``0`` in China."""
    international_prefix: str = "00"
    number_format: str = "national"
    """``national``; ``e164`` (``+8613800138000``) or ``e164_digits`` (without the plus) for subscribers' numbers."""
    allowed: tuple[str, ...] = CLASSES
    """Classes that this line dials."""


class NumberRefused(ValueError):
    """The plan does not dial this number. ``kind`` is its class; empty when it is no number at all."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(f"{kind} numbers are not dialled on this line" if kind else "not a number that can be dialled")
        self.kind = kind


def digits_for(number: TelNumber, plan: DialPlan) -> str:
    """What the line's peer is sent for ``number``. Raises ``NumberRefused``. Any thread.

    With ``mobile_prefix`` the tables of home locations are asked: 0.4 s when they are not loaded yet. A mobile whose
    home they do not know is taken to be another city's: the prefix is not in the way of a local call.
    """
    plain = number.plain
    if not number.e164 and not (2 <= len(plain) <= 20 and set(plain) <= set("0123456789*#")):
        raise NumberRefused
    kind = class_of(number, plan)
    if kind != "emergency" and kind not in plan.allowed:
        raise NumberRefused(kind)
    if kind == "extension":
        return plain
    return plan.outside_prefix + (_subscriber(number, plan, kind) if number.e164 else plain)


def class_of(number: TelNumber, plan: DialPlan) -> str:
    """One of ``CLASSES``, or ``emergency``."""
    if not number.e164:
        return _short_class(number, plan)
    if number.kind == "landline":
        return "local" if _of_own_area(number, plan) else "national"
    return number.kind


def _short_class(number: TelNumber, plan: DialPlan) -> str:
    plain = number.plain
    if number.kind == "emergency" or (number.kind == "service" and len(plain) > 4):
        return number.kind
    if len(plain) in plan.extension_lengths or not plain.isdigit():
        return "extension"
    if number.kind == "service":
        return number.kind
    # What cannot be understood must not get round what is not allowed.
    if plain.startswith("00"):
        return "international"
    return "national" if plain.startswith("0") else "local"


def _of_own_area(number: TelNumber, plan: DialPlan) -> bool:
    area = plan.area_code.lstrip("0")
    return bool(area) and number.e164.startswith(f"+86{area}")


def _subscriber(number: TelNumber, plan: DialPlan, kind: str) -> str:
    from agent_desktop.domain.number_places import same_city  # the configuration needs the plan, not the tables

    if plan.number_format == "e164":
        return number.e164
    if plan.number_format == "e164_digits":
        return number.e164.removeprefix("+")
    if kind == "international":
        return plan.international_prefix + number.e164.removeprefix("+")
    significant, trunk = _national(number.e164)
    area = plan.area_code.lstrip("0")
    if kind == "local" and not plan.own_area_code:
        return significant.removeprefix(area)
    if kind == "mobile" and plan.mobile_prefix and area and not same_city(number, area):
        return plan.mobile_prefix + significant
    return ((plan.national_prefix or trunk) if trunk else "") + significant


def _national(e164: str) -> tuple[str, str]:
    """The national significant number, and the trunk prefix that the country itself dials before it; may be empty."""
    import phonenumbers

    parsed = phonenumbers.parse(e164)
    significant = phonenumbers.national_significant_number(parsed)
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return significant, "".join(c for c in national if c.isdigit()).removesuffix(significant)
