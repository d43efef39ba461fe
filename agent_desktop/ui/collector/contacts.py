"""The contacts of a case: dial with Enter, F2 or a click; mark one or many as valid, invalid …"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QVBoxLayout

from agent_desktop.domain.models import Contact, ContactRow, ContactState
from agent_desktop.ui.collector.contacts_delegate import ROW_HEIGHT, ContactsDelegate
from agent_desktop.ui.collector.contacts_model import Action, Column, ContactsModel
from agent_desktop.ui.language import translate
from agent_desktop.ui.places import Places
from agent_desktop.ui.terms import contact_state_text
from agent_desktop.ui.widgets.key_cap import KeyCap
from agent_desktop.ui.widgets.labels import SectionHeader
from agent_desktop.ui.widgets.panel import Panel

_MOST_ROWS = 6
_LEAST_RESULT = 150
_LEAST_HOME = 60


class ContactsPanel(Panel):
    """``dial(contact)``, ``hang_up()``, ``marked(contact ids, state)``."""

    dial = Signal(object)
    hang_up = Signal()
    marked = Signal(object, object)

    def __init__(self, places: Places) -> None:
        super().__init__(surface="panel")
        self.setObjectName("contacts")
        self.model = ContactsModel(places, self)
        self.table = QTableView()
        self._delegate = ContactsDelegate(self.table)
        self._header = SectionHeader()
        self._header.add(KeyCap("F2"))
        self._set_up_table()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._header)
        box.addWidget(self.table)
        self._delegate.pressed.connect(self._on_pressed)
        self.table.doubleClicked.connect(lambda index: self._on_pressed(index.row()))
        self.table.customContextMenuRequested.connect(self._menu)
        self.model.modelReset.connect(self._fit)
        self.model.dataChanged.connect(self._fit_columns)
        self.retranslate()
        self._fit()

    def _set_up_table(self) -> None:
        table = self.table
        table.setObjectName("contacts.table")
        table.setModel(self.model)
        table.setItemDelegate(self._delegate)
        table.setShowGrid(False)
        table.setMouseTracking(True)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(Column.RESULT, QHeaderView.ResizeMode.Stretch)
        table.installEventFilter(self)
        table.viewport().installEventFilter(self)

    def retranslate(self) -> None:
        self.model.retranslate()
        self._show_title()
        self._header.hint.setText(translate("Contacts", "click or Enter to dial"))
        self.table.setAccessibleName(translate("Contacts", "Contacts"))

    def _show_title(self) -> None:
        count = self.model.rowCount() or ""
        self._header.title.setText(translate("Contacts", "Contacts {n}").format(n=count).strip())

    def show_rows(self, rows: tuple[ContactRow, ...], *, keep: bool) -> None:
        """Show a case's contacts; ``keep`` the row that is chosen, when it is the same case."""
        chosen = self.current()
        self.model.set_rows(rows)
        ids = [r.contact.id for r in rows]
        row = ids.index(chosen.contact.id) if keep and chosen and chosen.contact.id in ids else 0
        if rows and (not keep or row != self.table.currentIndex().row()):
            self.table.selectRow(row)
        self._show_title()

    def current(self) -> ContactRow | None:
        """The contact that F2 dials."""
        return self.model.row(self.table.currentIndex().row())

    def choose(self, contact_id: str) -> None:
        """Put the mark on a contact."""
        for index in range(self.model.rowCount()):
            row = self.model.row(index)
            if row is not None and row.contact.id == contact_id:
                self.table.selectRow(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def dial_current(self) -> None:
        row = self.current()
        if row is not None and self.model.action(row) is Action.DIAL:
            self.dial.emit(row.contact)

    def _on_pressed(self, index: int) -> None:
        row = self.model.row(index)
        if row is None:
            return
        action = self.model.action(row)
        if action is Action.DIAL:
            self.dial.emit(row.contact)
        elif action is Action.HANG_UP:
            self.hang_up.emit()

    def _fit(self) -> None:
        rows = min(max(self.model.rowCount(), 1), _MOST_ROWS)
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + rows * ROW_HEIGHT)
        self._fit_columns()

    def _fit_columns(self) -> None:
        for column in Column:
            if column is not Column.RESULT:
                self.table.resizeColumnToContents(column)
        table = self.table
        short = _LEAST_RESULT - table.columnWidth(Column.RESULT)
        if short > 0:
            table.setColumnWidth(Column.HOME, max(_LEAST_HOME, table.columnWidth(Column.HOME) - short))

    def _menu(self, at: QPoint) -> None:
        chosen = [self.model.row(i.row()) for i in self.table.selectionModel().selectedRows()]
        contacts = [row.contact for row in chosen if row is not None]
        if not contacts:
            return
        menu = QMenu(self)
        for state in ContactState:
            text = translate("Contacts", "Mark as: {state}").format(state=contact_state_text(state))
            action = menu.addAction(text)
            action.setObjectName(f"contacts.mark.{state.value}")
            action.setEnabled(any(c.state is not state for c in contacts))
            action.triggered.connect(lambda _checked=False, s=state: self._mark(contacts, s))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.table.viewport().mapToGlobal(at))

    def _mark(self, contacts: list[Contact], state: ContactState) -> None:
        self.marked.emit([c.id for c in contacts if c.state is not state], state)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.table and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                self.dial_current()
                return True
        elif event.type() is QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            index = self.table.indexAt(event.position().toPoint())
            self._hover(index.row() if index.column() == Column.ACTION else -1)
        elif event.type() is QEvent.Type.Leave:
            self._hover(-1)
        return super().eventFilter(watched, event)

    def _hover(self, row: int) -> None:
        if self._delegate.set_hot(row):
            self.table.viewport().update()
