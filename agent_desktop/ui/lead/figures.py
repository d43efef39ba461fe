"""Figures of the team, worked out from its seats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from agent_desktop.domain.models import SeatState
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.lead import words
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.panel import Card, Panel


@dataclass(frozen=True, slots=True)
class Figure:
    """A card: its name, the figure, a line below it, and the tone of that line."""

    key: str
    name: str
    value: str
    below: str
    tone: Tone = Tone.GREY


def figures(seats: Sequence[SeatState], now: datetime) -> list[Figure]:
    """The cards in their order. Averages are over the seats that are online."""
    online = [seat for seat in seats if seat.state != "offline"]
    return [
        _online(seats, online),
        _on_call(seats, now),
        _sum("handled", translate("Lead", "Handled today"), sum(s.cases_handled for s in seats), len(online)),
        _sum("talk", translate("Lead", "Talk, minutes"), sum(s.talk_seconds for s in seats) // 60, len(online)),
        _sum("promises", translate("Lead", "Promises"), sum(s.promises for s in seats), len(online)),
        _recording(seats),
    ]


def _online(seats: Sequence[SeatState], online: Sequence[SeatState]) -> Figure:
    away = len(seats) - len(online)
    if away:
        below, tone = translate("Lead", "{count} offline").format(count=away), Tone.GREY
    else:
        below, tone = (translate("Lead", "all here"), Tone.OK) if seats else ("", Tone.GREY)
    return Figure("online", translate("Lead", "Seats online"), f"{len(online)} / {len(seats)}", below, tone)


def _on_call(seats: Sequence[SeatState], now: datetime) -> Figure:
    times = [words.seconds_in_state(seat, now) for seat in seats if seat.state == "on_call"]
    below = translate("Lead", "longest {time}").format(time=fmt.clock(max(times))) if times else ""
    return Figure("on_call", translate("Lead", "On a call"), str(len(times)), below)


def _sum(key: str, name: str, total: int, people: int) -> Figure:
    below = translate("Lead", "{count} a seat").format(count=f"{total / people:.0f}") if people else ""
    return Figure(key, name, f"{total:,}", below)


def _recording(seats: Sequence[SeatState]) -> Figure:
    name = translate("Lead", "Recording")
    calls = [seat for seat in seats if seat.state == "on_call"]
    healthy = [seat for seat in calls if seat.recording and not seat.recording_problem]
    if not calls:
        return Figure("recording", name, "–", translate("Lead", "no calls now"))
    below = translate("Lead", "{good} of {all} calls healthy").format(good=len(healthy), all=len(calls))
    tone = Tone.OK if len(healthy) == len(calls) else Tone.BAD
    return Figure("recording", name, f"{100 * len(healthy) // len(calls)}%", below, tone)


class FigureCard(Card):
    """One figure."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._name = label("secondary")
        self.value = label("figure", name=f"lead.figure.{key}")
        set_look(self.value, role="title")
        self.below = label("secondary")
        box = QVBoxLayout(self)
        box.setContentsMargins(14, 8, 14, 8)
        box.setSpacing(0)
        for text in (self._name, self.value, self.below):
            box.addWidget(text)

    def show_figure(self, figure: Figure) -> None:
        self._name.setText(figure.name)
        self.value.setText(figure.value)
        self.value.setAccessibleName(f"{figure.name} {figure.value} {figure.below}")
        self.below.setText(figure.below)
        set_look(self.below, tone=figure.tone.value)


class FigureRow(Panel):
    """The cards side by side."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: dict[str, FigureCard] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(10)

    def show_seats(self, seats: Sequence[SeatState], now: datetime) -> None:
        for figure in figures(seats, now):
            card = self._cards.get(figure.key)
            if card is None:
                card = self._cards[figure.key] = FigureCard(figure.key)
                self._row.addWidget(card, 1)
            card.show_figure(figure)
