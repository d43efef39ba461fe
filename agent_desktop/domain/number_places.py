"""Home location (归属地) and carrier (运营商) of a number, by the tables of phonenumbers."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import lru_cache

from agent_desktop.domain.numbers import TelNumber

REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class NumberPlace:
    """What is known of a number. Texts are empty where the tables do not say."""

    region_zh: str = ""
    """``浙江省杭州市``; of a foreign number its country."""
    region_en: str = ""
    """``Hangzhou, Zhejiang``."""
    carrier_zh: str = ""
    """``中国移动``: to whom the block was allotted; a number that was ported to another carrier keeps it."""
    carrier_en: str = ""
    kind: str = "unknown"
    """As ``TelNumber``."""
    valid: bool = False
    """It can be a number: of the right length and in a block that is in use, or a known code."""


class NumberPlaces:
    """The tables, 110 MB once loaded, which takes about 0.4 s: on a thread of its own, before a call can come in.

    Any thread.
    """

    def __init__(self) -> None:
        self._loaded = threading.Event()

    def warm_up(self) -> None:
        """Load the tables."""
        place_of(TelNumber("", "+8613800000000", kind="mobile"))
        self._loaded.set()

    def at_once(self, number: TelNumber) -> NumberPlace | None:
        """What is known of a number; None while the tables are not loaded."""
        return place_of(number) if self._loaded.is_set() else None


@lru_cache(REMEMBERED)
def place_of(number: TelNumber) -> NumberPlace:
    """What is known of a number. Microseconds once the tables are loaded; loads them otherwise. Any thread."""
    if not number.e164:
        return NumberPlace(kind=number.kind, valid=number.kind in ("service", "emergency", "extension"))
    import phonenumbers
    from phonenumbers import carrier, geocoder

    parsed = phonenumbers.parse(number.e164)
    nowhere = number.kind in ("service", "premium")  # of the whole country
    return NumberPlace(
        region_zh="" if nowhere else _region(geocoder.description_for_valid_number(parsed, "zh"), "中国"),
        region_en="" if nowhere else _region(geocoder.description_for_valid_number(parsed, "en"), "China"),
        carrier_zh=carrier.name_for_valid_number(parsed, "zh"),
        carrier_en=carrier.name_for_valid_number(parsed, "en"),
        kind=number.kind,
        valid=True,
    )


def same_city(number: TelNumber, area_code: str) -> bool | None:
    """Whether a number's home is the place of an area code (``021``); None when the tables do not know. Loads them.

    Some area codes serve two cities (``0771``: 南宁市、崇左市): either is home.
    """
    theirs, ours = _cities(place_of(number).region_zh), _cities(_area(area_code.lstrip("0")))
    return bool(theirs & ours) if theirs and ours else None


@lru_cache(64)
def _area(area_code: str) -> str:
    """The place of a Chinese area code without its 0; empty when there is none such."""
    import phonenumbers
    from phonenumbers import geocoder

    for subscriber in ("88888888", "8888888"):
        number = phonenumbers.parse(f"+86{area_code}{subscriber}")
        if phonenumbers.is_valid_number(number):
            return _region(geocoder.description_for_valid_number(number, "zh"), "中国")
    return ""


def _cities(region: str) -> frozenset[str]:
    """``广西壮族自治区南宁市、崇左市`` → 南宁市, 崇左市; ``北京市`` → 北京市."""
    without_province = re.sub(r"^.*?(?:省|自治区)", "", region)
    return frozenset(part for part in without_province.split("、") if part)


def _region(text: str, country: str) -> str:
    return "" if text == country else text
