"""The case's history with filter chips."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QListView, QSizePolicy, QStackedWidget, QVBoxLayout

from agent_desktop.domain.models import CaseDetail, TimelineKind
from agent_desktop.ui.collector.timeline_model import TimelineDelegate, TimelineModel
from agent_desktop.ui.language import translate
from agent_desktop.ui.widgets.chips import ChipBar
from agent_desktop.ui.widgets.labels import SectionHeader
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Panel


class TimelinePanel(Panel):
    """Newest first. Names: ``timeline.list``, ``timeline.filter.note`` …"""

    def __init__(self) -> None:
        super().__init__(surface="panel")
        self.setObjectName("timeline")
        self.model = TimelineModel(self)
        self._header = SectionHeader()
        self._header.hint.hide()
        self.filters = ChipBar("timeline.filter")
        self.filters.setSizePolicy(QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Fixed)
        self._header.row.insertWidget(1, self.filters, 1)
        self.list = QListView()
        self.list.setObjectName("timeline.list")
        self.list.setModel(self.model)
        self.list.setItemDelegate(TimelineDelegate(self.list, self.model))
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.notice = Notice("timeline")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.notice)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._header)
        box.addWidget(self._stack, 1)
        self.filters.chosen.connect(self._on_filter)
        self.retranslate()

    def show_detail(self, detail: CaseDetail, *, keep: bool) -> None:
        """Show a case's history; ``keep`` the filter when it is the same case."""
        if not keep:
            self.filters.choose("all")
            self.model.set_kind("")
        self.model.set_detail(detail)
        self._show_counts()
        if not keep:
            self.list.scrollToTop()

    def _on_filter(self, key: str) -> None:
        self.model.set_kind("" if key == "all" else key)
        self._show_empty()

    def _show_empty(self) -> None:
        self.notice.say(translate("Timeline", "Nothing here yet"))
        self._stack.setCurrentWidget(self.list if self.model.rowCount() else self.notice)

    def retranslate(self) -> None:
        self._header.title.setText(translate("Timeline", "Timeline"))
        self.list.setAccessibleName(translate("Timeline", "Timeline"))
        self.model.retranslate()
        self._show_counts()

    def _show_counts(self) -> None:
        counts = self.model.counts()
        names = {
            TimelineKind.NOTE: translate("Timeline", "Notes {n}"),
            TimelineKind.CALL: translate("Timeline", "Calls {n}"),
            TimelineKind.PROMISE: translate("Timeline", "Promises {n}"),
        }
        chips = [("all", translate("Timeline", "All"))]
        chips += [(kind.value, text.format(n=counts[kind])) for kind, text in names.items()]
        self.filters.set_chips(chips)
        self._show_empty()
