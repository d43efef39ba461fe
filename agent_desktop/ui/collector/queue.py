"""The queue panel: search, filters, today's work, and the next case with one key."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLineEdit, QListView, QStackedWidget, QVBoxLayout, QWidget

from agent_desktop.domain.models import QueueItem
from agent_desktop.services.cases import CaseService
from agent_desktop.ui.background import Latest
from agent_desktop.ui.collector.queue_model import QueueDelegate, QueueModel
from agent_desktop.ui.language import translate
from agent_desktop.ui.places import Places
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.widgets.chips import ChipBar
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import label
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Panel

_SEARCH_MS = 120
_RELOAD_MS = 150


class QueuePanel(Panel):
    """``chosen(case_id)`` is emitted when the person picks a case, with the mouse, the arrows or F6."""

    chosen = Signal(str)

    def __init__(self, cases: CaseService, places: Places) -> None:
        super().__init__(surface="panel", edge="right")
        self.setObjectName("queue")
        self._cases = cases
        self._current = ""
        self._moving = False
        self._reads = Latest(self)
        self._counts: dict[str, int] = {}
        self._reload_timer = _single_shot(self, _RELOAD_MS, self.load)
        self._search_timer = _single_shot(self, _SEARCH_MS, self.load)
        self.model = QueueModel(self)
        self.search = QLineEdit()
        self.search.setObjectName("queue.search")
        self.search.setMinimumHeight(32)
        self.filters = ChipBar("queue.filter")
        self.list = self._make_list(places)
        self.notice = Notice("queue")
        self.next_button = KeyButton("F6", kind="quiet", name="queue.next")
        self._sorting = label("secondary")
        self._build()
        self.search.textChanged.connect(lambda _text: self._search_timer.start())
        self.search.returnPressed.connect(self._open_first)
        self.filters.chosen.connect(lambda _kind: self.load())
        self.next_button.clicked.connect(self.open_next)
        self.notice.retry.connect(self.load)
        escape = QShortcut(QKeySequence("Esc"), self.search)
        escape.setContext(Qt.ShortcutContext.WidgetShortcut)
        escape.activated.connect(self.search.clear)
        places.changed.connect(self.list.viewport().update)
        self.retranslate()
        self.notice.wait(translate("Queue", "Loading…"))

    def _make_list(self, places: Places) -> QListView:
        view = QListView()
        view.setObjectName("queue.list")
        view.setModel(self.model)
        view.setItemDelegate(QueueDelegate(places, view))
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.selectionModel().currentChanged.connect(self._on_current)
        view.clicked.connect(lambda index: self._emit(index.row()))
        return view

    def _build(self) -> None:
        top = QVBoxLayout()
        top.setContentsMargins(12, 10, 12, 10)
        top.setSpacing(8)
        top.addWidget(self.search)
        top.addWidget(self.filters)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.notice)
        self._stack.setCurrentWidget(self.notice)
        foot = Panel(edge="top")
        bottom = QHBoxLayout(foot)
        bottom.setContentsMargins(6, 4, 12, 4)
        bottom.addWidget(self.next_button)
        bottom.addStretch(1)
        bottom.addWidget(self._sorting)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(top)
        head = Panel(edge="top")
        head.setFixedHeight(1)
        box.addWidget(head)
        box.addWidget(self._stack, 1)
        box.addWidget(foot)

    def retranslate(self) -> None:
        self.search.setPlaceholderText(translate("Queue", "Name, number, case no.    Ctrl K"))
        self.search.setAccessibleName(translate("Queue", "Search cases"))
        self.list.setAccessibleName(translate("Queue", "Today's work"))
        self.next_button.setText(translate("Queue", "Next case"))
        self._sorting.setText(translate("Queue", "Order: today's strategy"))
        self._show_counts()
        if self.model.rowCount() == 0 and self._counts:
            self._say_empty()
        self.list.viewport().update()

    def _show_counts(self) -> None:
        names = {
            "today": translate("Queue", "Today {n}"),
            "promise_due": translate("Queue", "Promises due {n}"),
            "call_back": translate("Queue", "Call back {n}"),
        }
        chips = [(kind, text.format(n=self._counts.get(kind, "")).strip()) for kind, text in names.items()]
        self.filters.set_chips(chips)

    def load_soon(self) -> None:
        """Read the queue again; many changes at once cost one reading."""
        if not self._reload_timer.isActive():
            self._reload_timer.start()

    def load(self) -> None:
        """Read the queue now."""
        kind, text = self.filters.current or "today", self.search.text().strip()
        self._reads.run(lambda: (self._cases.queue(kind, text), self._cases.counts()), self._show, self._fail)

    def _show(self, answer: tuple[list[QueueItem], dict[str, int]]) -> None:
        items, self._counts = answer
        self._show_counts()
        self.model.set_items(items)
        if not items:
            self._say_empty()
        self._stack.setCurrentWidget(self.list if items else self.notice)
        self.mark(self._current)

    def _say_empty(self) -> None:
        if self.search.text().strip():
            self.notice.say(translate("Queue", "No case found"), translate("Queue", "Try fewer letters or digits."))
        else:
            self.notice.say(translate("Queue", "Nothing left here"), translate("Queue", "All of today's work is done."))

    def _fail(self, error: Exception) -> None:
        self.notice.fail(sentence(error))
        self._stack.setCurrentWidget(self.notice)

    def mark(self, case_id: str) -> None:
        """Show which case is open, without opening it again."""
        self._current = case_id
        row = self.model.row_of(case_id)
        self._moving = True
        if row >= 0:
            self.list.setCurrentIndex(self.model.index(row))
        else:
            self.list.selectionModel().clear()
        self._moving = False

    def following(self) -> str:
        """The case after the open one, as the list stands now; the first one when none is open. Empty at the end."""
        item = self.model.item(self.model.row_of(self._current) + 1)
        return item.case.id if item else ""

    def open_next(self) -> None:
        """Open the case after the open one; from the end, the first."""
        following = self.following()
        first = self.model.item(0)
        if following or first is not None:
            self._choose(following or (first.case.id if first else ""))

    def focus_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _open_first(self) -> None:
        first = self.model.item(0)
        if first is not None:
            self._choose(first.case.id)

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if not self._moving:
            self._emit(current.row())

    def _emit(self, row: int) -> None:
        item = self.model.item(row)
        if item is not None and item.case.id != self._current:
            self._choose(item.case.id)

    def _choose(self, case_id: str) -> None:
        self.mark(case_id)
        self.chosen.emit(case_id)


def _single_shot(owner: QWidget, ms: int, slot: Callable[[], None]) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(slot)
    return timer
