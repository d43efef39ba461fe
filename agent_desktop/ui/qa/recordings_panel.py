"""QA's left column: search, filters and the list of recordings."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QListView, QStackedWidget, QVBoxLayout

from agent_desktop.domain.models import Outcome, RecordingRow
from agent_desktop.services.recordings import RecordingQuery, RecordingService
from agent_desktop.ui.background import Latest
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.qa.recordings_model import ROW, RecordingDelegate, RecordingsModel
from agent_desktop.ui.widgets.chips import Chip, FlowLayout
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Panel

LIMIT = 200
LONG_SECONDS = 300.0
_PAUSE_MS = 250
_MOVES = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}


class RecordingsList(QListView):
    """Takes the keys that move in it; the others belong to the player. ``opened``: Enter or a click."""

    opened = Signal(QModelIndex)

    def __init__(self) -> None:
        super().__init__()
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self.opened)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.opened.emit(self.currentIndex())
        elif event.key() in _MOVES:
            super().keyPressEvent(event)
        else:
            event.ignore()


class RecordingsPanel(Panel):
    """``chosen(row)``: another row is selected, or none. ``opened(row)``: it is to be fetched."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, recordings: RecordingService) -> None:
        super().__init__(surface="panel", edge="right")
        self._recordings = recordings
        self._latest = Latest(self)
        self._asked = self._answered = self._waiting = False
        self._failure: Exception | None = None
        self._selected = ""
        self.search = QLineEdit()
        self.search.setObjectName("qa.search")
        self.today, self.complaint, self.long = Chip(), Chip(), Chip()
        self.model = RecordingsModel()
        self.list = RecordingsList()
        self.list.setObjectName("qa.list")
        self.list.setModel(self.model)
        self.list.setItemDelegate(RecordingDelegate(self.list))
        self._notice = Notice("qa.list")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._notice)
        self.count = label("secondary", name="qa.count")
        self.refresh = KeyButton("F5", name="qa.refresh")
        self._typing = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._lay_out()
        self._connect()
        self.retranslate()

    def _lay_out(self) -> None:
        chips = FlowLayout()
        for chip, name in ((self.today, "today"), (self.complaint, "complaint"), (self.long, "long")):
            chip.setObjectName(f"qa.filter.{name}")
            chips.addWidget(chip)
        self.today.setChecked(True)
        top = QVBoxLayout()
        top.setContentsMargins(12, 12, 12, 8)
        top.setSpacing(8)
        top.addWidget(self.search)
        top.addLayout(chips)
        foot = Panel(edge="top")
        row = QHBoxLayout(foot)
        row.setContentsMargins(12, 6, 12, 6)
        row.addWidget(self.count, 1)
        row.addWidget(self.refresh)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(top)
        box.addWidget(self._stack, 1)
        box.addWidget(foot)

    def _connect(self) -> None:
        self.search.textEdited.connect(self._type)
        self.search.returnPressed.connect(self._search_now)
        self._typing.timeout.connect(self.reload)
        for chip in (self.today, self.complaint, self.long):
            chip.clicked.connect(self.reload)
        self.refresh.clicked.connect(self.reload)
        self._notice.retry.connect(self.reload)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.opened.connect(lambda index: self.opened.emit(index.data(ROW)))

    def retranslate(self) -> None:
        self.search.setPlaceholderText(translate("Qa", "Agent, case, name, number…  Ctrl+K"))
        self.search.setAccessibleName(translate("Qa", "Search recordings"))
        self.today.setText(translate("Qa", "Today"))
        self.complaint.setText(translate("Qa", "Complaint"))
        self.long.setText(translate("Qa", "> 5 min"))
        self.list.setAccessibleName(translate("Qa", "Recordings"))
        self.refresh.setText(translate("Qa", "Refresh"))
        self._tell()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._asked:
            self.reload()

    # --- searching

    def query(self) -> RecordingQuery:
        """What the search box and the chips say now."""
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        return RecordingQuery(
            text=self.search.text().strip(),
            since=midnight if self.today.isChecked() else None,
            outcome=Outcome.COMPLAINT if self.complaint.isChecked() else None,
            min_seconds=LONG_SECONDS if self.long.isChecked() else 0.0,
            limit=LIMIT,
        )

    def reload(self) -> None:
        """Ask the server again; what is shown stays until it answers."""
        self._asked = True
        self._typing.stop()
        query = self.query()
        self._waiting, self._failure = True, None
        self._tell()
        self._latest.run(lambda: self._recordings.search(query), self._on_rows, self._on_error)

    def _type(self) -> None:
        self._typing.start()

    def leave_search(self) -> None:
        """Empty the search box and go back to the list."""
        if self.search.text():
            self.search.clear()
            self.reload()
        self.list.setFocus()

    def _search_now(self) -> None:
        self.reload()
        self.list.setFocus()

    def _on_rows(self, rows: list[RecordingRow]) -> None:
        selected, first = self._selected, not self._answered
        self._answered, self._waiting = True, False
        self.model.set_rows(rows)
        self._tell()
        if first:
            self._take_focus()
        index = self.model.index_of(selected)
        if index.isValid():
            self.list.setCurrentIndex(index)
        elif selected:
            self._selected = ""
            self.chosen.emit(None)

    def _take_focus(self) -> None:
        # The list was hidden until now; the player's keys would go wherever the focus fell instead.
        focus = QApplication.focusWidget()
        if not isinstance(focus, QLineEdit) or (focus is self.search and not self.search.text()):
            self.list.setFocus()

    def _on_error(self, error: Exception) -> None:
        self._waiting, self._failure = False, error
        self.model.set_rows([])
        self._tell()

    def _tell(self) -> None:
        self._tell_count()
        if self._failure is not None:
            self._notice.fail(sentence(self._failure))
        elif self._waiting:
            self._notice.wait(translate("Qa", "Looking for recordings…"))
        else:
            self._tell_empty()
        self._stack.setCurrentWidget(self.list if self.model.rows else self._notice)

    def _tell_empty(self) -> None:
        query = self.query()
        narrowed = query.text or query.outcome or query.min_seconds
        if narrowed:
            self._notice.say(translate("Qa", "Nothing found"), translate("Qa", "No recording meets these conditions."))
        elif query.since:
            self._notice.say(
                translate("Qa", "No recordings today"),
                translate(
                    "Qa", "Recordings appear here once the store has them. Switch off “Today” to see earlier ones."
                ),
            )
        else:
            self._notice.say(translate("Qa", "No recordings"), translate("Qa", "The store holds no recordings yet."))

    def _tell_count(self) -> None:
        count = len(self.model.rows)
        if count >= LIMIT:
            text = translate("Qa", "The newest {count}: narrow the search to see others")
        elif count == 1:
            text = translate("Qa", "1 recording")
        else:
            text = translate("Qa", "{count} recordings")
        self.count.setText(text.format(count=count) if count else "")

    def _on_current(self, current: QModelIndex) -> None:
        row = current.data(ROW) if current.isValid() else None
        if row is None or row.id == self._selected:
            return
        self._selected = row.id
        # The row that the focus falls on first is made current by Qt, but not selected.
        self.list.selectionModel().select(current, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.chosen.emit(row)
