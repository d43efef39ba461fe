"""What a line's PBX is sent for a number: outside and long-distance prefixes, extensions, classes it does not dial."""

from __future__ import annotations

from dataclasses import dataclass

from agent_desktop.domain.numbers import NumberPlan


@dataclass(frozen=True, slots=True)
class DialPlan:
    """How one line dials. The defaults send national numbers as they are, as most PBXs want them."""

    area_code: str = ""
    """Area code of the line's home (``021``), for local numbers without one and for what is long-distance."""
    outside_prefix: str = ""
    """What gets an outside line on this PBX, such as ``9``."""


class NumberRefused(ValueError):
    """The plan does not dial this number. ``kind`` is its class; empty when it is no number at all."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(kind or "not a number that can be dialled")
        self.kind = kind


def digits_for(number: str, plan: DialPlan, numbers: NumberPlan) -> str:
    """What the line's peer is sent for ``number`` in any form. Raises ``NumberRefused``. Any thread."""
    digits = numbers.dialled(number)
    if not digits:
        raise NumberRefused
    return digits
