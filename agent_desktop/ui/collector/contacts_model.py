"""Contacts of a case as a table model."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from agent_desktop.domain.models import ContactRow, ContactState
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.places import Places
from agent_desktop.ui.terms import contact_state_text, outcome_text, relation_text, source_text

AnyIndex = QModelIndex | QPersistentModelIndex
ROW_ROLE = int(Qt.ItemDataRole.UserRole)
ACTION_ROLE = ROW_ROLE + 1
_NO_PARENT = QModelIndex()


class Column(IntEnum):
    RELATION = 0
    NUMBER = 1
    HOME = 2
    SOURCE = 3
    STATE = 4
    RESULT = 5
    ACTION = 6


class Action(IntEnum):
    """What the last column offers."""

    NONE = 0
    DIAL = 1
    HANG_UP = 2
    BUSY = 3


class ContactsModel(QAbstractTableModel):
    """``ContactRow`` under ``ROW_ROLE``, ``Action`` under ``ACTION_ROLE``."""

    def __init__(self, places: Places, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._places = places
        self._rows: tuple[ContactRow, ...] = ()
        self._calling = ""
        self._busy = self._ringing = False
        places.changed.connect(self.refresh)

    def set_rows(self, rows: tuple[ContactRow, ...]) -> None:
        if [r.contact.id for r in rows] == [r.contact.id for r in self._rows]:
            self._rows = rows
            self.refresh()
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def set_call(self, contact_id: str, *, busy: bool, ringing: bool) -> None:
        """Which contact is in the call, whether the seat has a call at all, and whether it is not answered yet."""
        if (contact_id, busy, ringing) != (self._calling, self._busy, self._ringing):
            self._calling, self._busy, self._ringing = contact_id, busy, ringing
            self.refresh()

    def refresh(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(Column) - 1))

    def retranslate(self) -> None:
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)
        self.refresh()

    def row(self, index: int) -> ContactRow | None:
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def action(self, row: ContactRow) -> Action:
        if self._calling == row.contact.id:
            return Action.HANG_UP
        if row.contact.state is ContactState.DO_NOT_CALL:
            return Action.NONE
        return Action.BUSY if self._busy else Action.DIAL

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return {
            Column.RELATION: translate("Contacts", "Relation"),
            Column.NUMBER: translate("Contacts", "Number"),
            Column.HOME: translate("Contacts", "Home"),
            Column.SOURCE: translate("Contacts", "Source"),
            Column.STATE: translate("Contacts", "State"),
            Column.RESULT: translate("Contacts", "Today / last result"),
            Column.ACTION: "",
        }[Column(section)]

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row(index.row())
        if row is None:
            return None
        if role == ROW_ROLE:
            return row
        if role == ACTION_ROLE:
            return self.action(row)
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == Column.RELATION:
            return ", ".join(self._text(row, column) for column in list(Column)[:-1])
        if role == Qt.ItemDataRole.ToolTipRole and index.column() in (Column.HOME, Column.RESULT):
            return self._text(row, Column(index.column()))
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(row, Column(index.column()))
        return None

    def _text(self, row: ContactRow, column: Column) -> str:
        contact = row.contact
        match column:
            case Column.RELATION:
                return relation_text(contact.relation)
            case Column.NUMBER:
                return fmt.masked(contact.number)
            case Column.HOME:
                return self._places.line(contact.number)
            case Column.SOURCE:
                return source_text(contact.source)
            case Column.STATE:
                return contact_state_text(contact.state)
            case Column.RESULT:
                return self._result(row)
            case Column.ACTION:
                return action_text(self.action(row))

    def _result(self, row: ContactRow) -> str:
        today = translate("Contacts", "{n}×").format(n=row.attempts_today)
        if self._calling == row.contact.id:
            now = translate("Contacts", "ringing") if self._ringing else translate("Contacts", "on a call")
            return f"{today} · {now}"
        if row.last_outcome is None:
            return today
        last = outcome_text(row.last_outcome)
        return f"{today} · {last} {fmt.short_day(row.last_at)}" if row.last_at else f"{today} · {last}"


def action_text(action: Action) -> str:
    """Words of the last column."""
    match action:
        case Action.HANG_UP:
            return translate("Contacts", "Hang up")
        case Action.NONE:
            return translate("Contacts", "Not callable")
        case _:
            return translate("Contacts", "☎ Dial")
