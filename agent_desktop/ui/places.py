"""Home location (归属地) and carrier of a number, looked up in the background and remembered.

The tables (phonenumbers) take about half a second to load, so they are loaded on a pool thread at the first question.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QObject, QTimer, Signal

from agent_desktop.ui.background import run
from agent_desktop.ui.language import language

_CHINESE = re.compile(r"(?P<province>[^省]+?(?:省|自治区))?(?P<city>[^市]+?)?市?$")

_REGION = re.compile(r"(?:省|(?:壮族|回族|维吾尔)?自治区)$")


class Places(QObject):
    """``of`` answers at once from memory; an unknown number is looked up and ``changed`` says when it is known."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: dict[tuple[str, str], tuple[str, str]] = {}
        self._wanted: set[tuple[str, str]] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(30)
        self._timer.timeout.connect(self._look_up)

    def city(self, number: str) -> str:
        """``北京``, ``Beijing``; empty while unknown."""
        return self._of(number)[0]

    def line(self, number: str) -> str:
        """``北京 移动``, ``Beijing · Mobile``; empty while unknown."""
        place, carrier = self._of(number)
        return (" " if language() == "zh_CN" else " · ").join(part for part in (place, carrier) if part)

    def _of(self, number: str) -> tuple[str, str]:
        key = (number, "zh" if language() == "zh_CN" else "en")
        if key not in self._known and number.startswith("+"):
            self._wanted.add(key)
            if not self._timer.isActive():
                self._timer.start()
        return self._known.get(key, ("", ""))

    def _look_up(self) -> None:
        wanted = tuple(self._wanted)
        run(lambda: {key: look_up(*key) for key in wanted}, self._learn)

    def _learn(self, found: dict[tuple[str, str], tuple[str, str]]) -> None:
        self._known.update(found)
        self._wanted -= set(found)
        self.changed.emit()


def look_up(number: str, lang: str) -> tuple[str, str]:
    """Place and carrier of an E.164 number in ``zh`` or ``en``, short; empty when not known. Any thread; slow once."""
    import phonenumbers
    from phonenumbers import carrier, geocoder

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "", ""
    place = geocoder.description_for_number(parsed, lang)
    name = carrier.name_for_number(parsed, lang)
    if lang == "zh":
        return _short_chinese(place), name.removeprefix("中国")
    return place.split(",")[0], name.removeprefix("China ")


def _short_chinese(place: str) -> str:
    found = _CHINESE.match(place)
    if found is None:
        return place
    province = _REGION.sub("", found["province"] or "")
    return " ".join(part for part in (province, found["city"] or "") if part)
