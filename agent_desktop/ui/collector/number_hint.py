"""A line below a field: where the number that is being typed is at home, and whose network it is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer

from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.ui import places
from agent_desktop.ui.background import Latest
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import set_look
from agent_desktop.ui.widgets.labels import ElidedLabel

_PAUSE_MS = 120
_FEWEST = 3
"""Digits from which on there is something to say."""


class NumberHint(ElidedLabel):
    """Looks in the background, a moment after the last key; hidden while there is nothing to say."""

    def __init__(self, name: str, place_of: Callable[[str], NumberPlace]) -> None:
        super().__init__("secondary")
        self.setObjectName(name)
        self._place_of = place_of
        self._reads = Latest(self)
        self._number = ""
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        self.hide()

    def ask(self, number: str) -> None:
        """The field now holds this."""
        self._number = number.strip()
        self._reads.forget()
        if sum(c.isdigit() for c in self._number) < _FEWEST:
            self._pause.stop()
            self.hide()
        else:
            self._pause.start()

    def _look(self) -> None:
        number = self._number
        self._reads.run(lambda: self._place_of(number), self._show, lambda _error: self.hide())

    def _show(self, place: NumberPlace) -> None:
        said = " · ".join(part for part in (places.place(place), places.kind(place)) if part)
        if not place.valid:
            said = said or translate("CallPanel", "Not a complete number yet")
        set_look(self, tone="grey")
        self.setText(said)
        self.setVisible(bool(said))
