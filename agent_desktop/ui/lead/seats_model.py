"""The team's seats as a table that keeps its rows, and so their selection, when they change."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt

from agent_desktop.domain.models import SeatState
from agent_desktop.ui.language import translate
from agent_desktop.ui.lead import words

AnyIndex = QModelIndex | QPersistentModelIndex
SEAT = Qt.ItemDataRole.UserRole
FRESH = Qt.ItemDataRole.UserRole + 1
"""1.0 just after a change, falling to 0.0."""
SORT = Qt.ItemDataRole.UserRole + 2
FLASH_SECONDS = 1.6
_NO_PARENT = QModelIndex()


class Column(IntEnum):
    AGENT = 0
    STATE = 1
    TIME = 2
    CASE = 3
    STAGE = 4
    LINE = 5
    RECORDING = 6
    HANDLED = 7
    TALK = 8
    PROMISES = 9
    PROBLEM = 10


NUMBERS = (Column.HANDLED, Column.TALK, Column.PROMISES)


class SeatsModel(QAbstractTableModel):
    """Rows in the order that the service gives; a row that changed is fresh for a moment."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._now, self._monotonic = now, monotonic
        self._rows: list[SeatState] = []
        self._changed_at: dict[str, float] = {}

    @property
    def seats(self) -> list[SeatState]:
        return self._rows

    def seat(self, seat_id: str) -> SeatState | None:
        return next((seat for seat in self._rows if seat.seat_id == seat_id), None)

    def row_of(self, seat_id: str) -> int:
        """Row of a seat; −1 when it is not here."""
        return next((row for row, seat in enumerate(self._rows) if seat.seat_id == seat_id), -1)

    # --- changing

    def set_seats(self, seats: list[SeatState]) -> None:
        """Take the seats as they are now: only what differs is told to views."""
        wanted = {seat.seat_id: seat for seat in seats}
        self._drop([row for row, seat in enumerate(self._rows) if seat.seat_id not in wanted])
        known = {seat.seat_id for seat in self._rows}
        self._append([seat for seat in seats if seat.seat_id not in known])
        self._change(wanted)
        self._reorder([seat.seat_id for seat in seats])

    def _drop(self, rows: list[int]) -> None:
        for row in reversed(rows):
            self.beginRemoveRows(QModelIndex(), row, row)
            self._changed_at.pop(self._rows.pop(row).seat_id, None)
            self.endRemoveRows()

    def _append(self, seats: list[SeatState]) -> None:
        if seats:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(seats) - 1)
            self._rows.extend(seats)
            self.endInsertRows()

    def _change(self, wanted: dict[str, SeatState]) -> None:
        for row, old in enumerate(self._rows):
            new = wanted[old.seat_id]
            if new != old:
                self._rows[row] = new
                if _worth_a_look(old, new):
                    self._changed_at[new.seat_id] = self._monotonic()
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))

    def _reorder(self, order: list[str]) -> None:
        if [seat.seat_id for seat in self._rows] == order:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        held = [self._rows[index.row()].seat_id for index in before]
        by_id = {seat.seat_id: seat for seat in self._rows}
        self._rows = [by_id[seat_id] for seat_id in order]
        place = {seat_id: row for row, seat_id in enumerate(order)}
        after = [self.index(place[seat_id], index.column()) for seat_id, index in zip(held, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def tick(self) -> None:
        """A second has passed: the times in state go on."""
        if self._rows:
            self.dataChanged.emit(self.index(0, Column.TIME), self.index(len(self._rows) - 1, Column.TIME))

    @property
    def fresh(self) -> bool:
        """Whether any row still shows that it changed."""
        limit = self._monotonic() - FLASH_SECONDS
        self._changed_at = {seat_id: at for seat_id, at in self._changed_at.items() if at > limit}
        return bool(self._changed_at)

    # --- reading

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(Column)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        seat = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(seat, Column(index.column()))
        if role == SEAT:
            return seat
        if role == FRESH:
            since = self._monotonic() - self._changed_at.get(seat.seat_id, -FLASH_SECONDS)
            return max(0.0, 1.0 - since / FLASH_SECONDS)
        if role == SORT:
            return self._sort_key(seat, Column(index.column()))
        return None

    def _text(self, seat: SeatState, column: Column) -> str:
        problem = words.problem_of(seat)
        return {
            Column.AGENT: lambda: seat.agent_name,
            Column.STATE: lambda: words.state_text(seat),
            Column.TIME: lambda: words.time_text(seat, self._now()),
            Column.CASE: lambda: words.case_text(seat),
            Column.STAGE: lambda: seat.stage,
            Column.LINE: lambda: words.line_of(seat),
            Column.RECORDING: lambda: words.recording_text(seat),
            Column.HANDLED: lambda: str(seat.cases_handled),
            Column.TALK: lambda: str(seat.talk_seconds // 60),
            Column.PROMISES: lambda: str(seat.promises),
            Column.PROBLEM: lambda: problem[0] if problem else "",
        }[column]()

    def _sort_key(self, seat: SeatState, column: Column) -> object:
        numbers = {
            Column.TIME: words.seconds_in_state(seat, self._now()),
            Column.HANDLED: seat.cases_handled,
            Column.TALK: seat.talk_seconds,
            Column.PROMISES: seat.promises,
        }
        return numbers.get(column, self._text(seat, column))

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in NUMBERS else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return {
            Column.AGENT: translate("Lead", "Agent"),
            Column.STATE: translate("Lead", "State"),
            Column.TIME: translate("Lead", "Time"),
            Column.CASE: translate("Lead", "Current case"),
            Column.STAGE: translate("Lead", "Stage"),
            Column.LINE: translate("Lead", "Line"),
            Column.RECORDING: translate("Lead", "Recording"),
            Column.HANDLED: translate("Lead", "Handled"),
            Column.TALK: translate("Lead", "Talk, min"),
            Column.PROMISES: translate("Lead", "Promises"),
            Column.PROBLEM: translate("Lead", "Problem"),
        }[Column(section)]


def _worth_a_look(old: SeatState, new: SeatState) -> bool:
    """Counters that creep up are no news; state, call, line and recording are."""
    return any(
        getattr(old, name) != getattr(new, name)
        for name in ("state", "call_id", "case_number", "line_state", "recording", "recording_problem")
    )


class SeatsFilter(QSortFilterProxyModel):
    """Narrows by chip (``all``, ``on_call``, ``problem``) and by text: agent, case, debtor, client."""

    def __init__(self) -> None:
        super().__init__()
        self._kind, self._words = "all", [""]
        self.setSortRole(SORT)
        self.setSortLocaleAware(True)

    def narrow(self, kind: str, text: str) -> None:
        self.beginFilterChange()
        self._kind, self._words = kind, text.casefold().split()
        self.endFilterChange()

    def filterAcceptsRow(self, source_row: int, source_parent: AnyIndex) -> bool:
        model = self.sourceModel()
        assert isinstance(model, SeatsModel)
        seat = model.seats[source_row]
        if self._kind == "on_call" and seat.state not in words.BUSY:
            return False
        if self._kind == "problem" and words.problem_of(seat) is None:
            return False
        said = f"{seat.agent_name} {seat.case_number} {seat.debtor_name} {seat.client} {seat.seat_id}".casefold()
        return all(word in said for word in self._words)
