"""The case at a glance: header, contacts, timeline."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout

from agent_desktop.domain.models import CaseDetail
from agent_desktop.ui.collector.case_header import CaseHeader
from agent_desktop.ui.collector.contacts import ContactsPanel
from agent_desktop.ui.collector.timeline import TimelinePanel
from agent_desktop.ui.language import translate
from agent_desktop.ui.places import Places
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Panel


class CaseView(Panel):
    """Shows one ``CaseDetail``, or a line why there is none."""

    painted = Signal(str, object)
    """``(call_id, monotonic ns)`` once the case that popped for a call is on the screen: painted and flushed."""

    def __init__(self, places: Places) -> None:
        super().__init__(surface="panel")
        self.setObjectName("case")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # or everything behind it is painted first
        self._detail: CaseDetail | None = None
        self._popped = ""
        self._paints = 0
        self.header = CaseHeader()
        self.contacts = ContactsPanel(places)
        self.timeline = TimelinePanel()
        self.notice = Notice("case")
        self._content = Panel(surface="panel")
        inside = QVBoxLayout(self._content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self.header)
        inside.addWidget(self.contacts)
        inside.addWidget(self.timeline, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.notice)
        self._stack.addWidget(self._content)
        self.retranslate()

    @property
    def case_id(self) -> str:
        return self._detail.case.id if self._detail else ""

    @property
    def detail(self) -> CaseDetail | None:
        return self._detail

    def show_detail(self, detail: CaseDetail, call_id: str = "") -> None:
        """Show a case now; with ``call_id``, ``painted`` tells when it is on the screen."""
        keep = detail.case.id == self.case_id
        self._detail = detail
        self._popped = ""
        self.header.show_detail(detail)
        self.contacts.show_rows(detail.contacts, keep=keep)
        self.timeline.show_detail(detail, keep=keep)
        self._stack.setCurrentWidget(self._content)
        if call_id:
            self._paint_now(call_id)

    def _paint_now(self, call_id: str) -> None:
        """Put the case on the screen before the rest of the window, which follows with the next turn of Qt's loop."""
        for layout in (self._stack, self._content.layout()):
            if layout is not None:
                layout.activate()
        self._paints = 0
        self.repaint()
        if self._paints:
            self.painted.emit(call_id, time.monotonic_ns())
        else:  # the window is not on the screen now
            self._popped = call_id

    def show_error(self, error: Exception) -> None:
        self._detail = None
        self.notice.fail(sentence(error))
        self._stack.setCurrentWidget(self.notice)

    def retranslate(self) -> None:
        if self._detail is None:
            self.notice.say(
                translate("Case", "No case is open"), translate("Case", "Choose one in the queue, or press F6.")
            )

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._paints += 1
        if self._popped:
            call_id, self._popped = self._popped, ""
            QTimer.singleShot(0, self, lambda: self.painted.emit(call_id, time.monotonic_ns()))
