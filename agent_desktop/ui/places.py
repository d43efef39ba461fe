"""Home location (归属地) and carrier of a number: found in the background, remembered, and put short."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.ui.background import run
from agent_desktop.ui.language import language, translate

_CHINESE = re.compile(
    r"(?P<province>(?:内蒙古|广西|西藏|宁夏|新疆)(?:(?:壮族|回族|维吾尔)?自治区)?|[^省]+?省)?(?P<city>[^市]+?)?市?$"
)
_REGION = re.compile(r"(?:省|(?:壮族|回族|维吾尔)?自治区)$")


class Places(QObject):
    """``of`` answers at once from memory; an unknown number is looked up and ``changed`` says when it is known."""

    changed = Signal()

    def __init__(self, find: Callable[[str], NumberPlace], parent: QObject | None = None) -> None:
        """``find``: ``PhoneService.place_of``, called in the background; slow the first time."""
        super().__init__(parent)
        self._find = find
        self._known: dict[str, NumberPlace] = {}
        self._wanted: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(30)
        self._timer.timeout.connect(self._look_up)

    def city(self, number: str) -> str:
        """``北京``, ``Beijing``; empty while unknown."""
        return region(self.of(number))

    def line(self, number: str) -> str:
        """``北京 移动``, ``Beijing · Mobile``; empty while unknown."""
        return place(self.of(number))

    def of(self, number: str) -> NumberPlace | None:
        """What is known of a number in E.164; None while it is looked up, and for other numbers."""
        if number not in self._known and number.startswith("+"):
            self._wanted.add(number)
            if not self._timer.isActive():
                self._timer.start()
        return self._known.get(number)

    def _look_up(self) -> None:
        wanted = tuple(self._wanted)
        run(lambda: {number: self._find(number) for number in wanted}, self._learn)

    def _learn(self, found: dict[str, NumberPlace]) -> None:
        self._known.update(found)
        self._wanted -= set(found)
        self.changed.emit()


def region(of: NumberPlace | None) -> str:
    """``浙江 杭州``, ``Hangzhou``; empty where it is not known."""
    if of is None:
        return ""
    return _short_chinese(of.region_zh) if _chinese() else of.region_en.split(",")[0]


def place(of: NumberPlace | None) -> str:
    """``浙江 杭州 移动``, ``Hangzhou · Mobile``; empty where nothing is known."""
    if of is None:
        return ""
    carrier = of.carrier_zh.removeprefix("中国") if _chinese() else of.carrier_en.removeprefix("China ")
    return (" " if _chinese() else " · ").join(part for part in (region(of), carrier) if part)


def kind(of: NumberPlace) -> str:
    """What sort of number it is, in a word; empty for those that the place says enough of."""
    return {
        "mobile": translate("Places", "mobile"),
        "landline": translate("Places", "landline"),
        "service": translate("Places", "service number"),
        "premium": translate("Places", "premium-rate number"),
        "emergency": translate("Places", "emergency number"),
        "extension": translate("Places", "extension"),
        "international": translate("Places", "international"),
    }.get(of.kind, "")


def _chinese() -> bool:
    return language() == "zh_CN"


def _short_chinese(text: str) -> str:
    found = _CHINESE.match(text)
    if found is None:
        return text
    province = _REGION.sub("", found["province"] or "")
    return " ".join(part for part in (province, found["city"] or "") if part)
