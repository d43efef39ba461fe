"""Home location (归属地) and carrier (运营商) of a number, by the tables of phonenumbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberPlace:
    """What is known of a number. Texts are empty where the tables do not say."""

    region_zh: str = ""
    """``浙江省杭州市``."""
    region_en: str = ""
    """``Hangzhou, Zhejiang``."""
    carrier_zh: str = ""
    """``中国移动``: to whom the block was allotted; a number that was ported to another carrier keeps it."""
    carrier_en: str = ""
    kind: str = "unknown"
    """``mobile``, ``landline``, ``service``, ``premium``, ``emergency``, ``extension``, ``international`` or
    ``unknown``."""
    valid: bool = False
    """It can be a number: of the right length and in a block that is in use."""
