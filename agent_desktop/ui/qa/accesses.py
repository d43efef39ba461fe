"""Who replayed or exported this recording, from the audit log."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from agent_desktop.services.recordings import Access, RecordingService
from agent_desktop.ui import format as fmt
from agent_desktop.ui.background import Latest
from agent_desktop.ui.language import translate
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.qa import words
from agent_desktop.ui.theme import Tone, font, tokens
from agent_desktop.ui.widgets.badge import paint_badge
from agent_desktop.ui.widgets.labels import SectionHeader
from agent_desktop.ui.widgets.notice import Notice
from agent_desktop.ui.widgets.panel import Panel

AnyIndex = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
ROW = Qt.ItemDataRole.UserRole
_HEIGHT = 32


class AccessModel(QAbstractListModel):
    """When, who and what, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Access] = []

    def set_rows(self, rows: list[Access]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{fmt.when(row.at)} {row.who} {words.access_text(row.what)}"
        return None


class AccessDelegate(QStyledItemDelegate):
    """Time, what was done and by whom, in one line."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(200, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row: Access = index.data(ROW)
        theme = tokens()
        whole: QRect = option.rect
        painter.save()
        painter.fillRect(QRect(whole.left(), whole.bottom(), whole.width(), 1), theme.color("line"))
        room = whole.adjusted(16, 0, -16, 0)
        painter.setFont(font())
        painter.setPen(theme.color("dim"))
        when = fmt.when(row.at)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, when)
        left = room.left() + max(112, QFontMetrics(font()).horizontalAdvance(when) + 16)
        tone = Tone.WARN if row.what == "exported" else Tone.ACCENT
        left += paint_badge(painter, left, room.center().y() + 1, words.access_text(row.what), tone) + 12
        painter.setPen(theme.color("text"))
        painter.drawText(room.adjusted(left - room.left(), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, row.who)
        painter.restore()


class AccessesPanel(Panel):
    """The log with its heading, or why it is empty."""

    def __init__(self, recordings: RecordingService) -> None:
        super().__init__(surface="panel")
        self._recordings = recordings
        self._latest = Latest(self)
        self._recording_id = ""
        self._read = False
        self._failure: Exception | None = None
        self.header = SectionHeader()
        self.model = AccessModel()
        self.list = QListView()
        self.list.setObjectName("qa.accesses")
        self.list.setModel(self.model)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setItemDelegate(AccessDelegate(self.list))
        self._notice = Notice("qa.accesses")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._notice)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.header)
        box.addWidget(self._stack, 1)
        self._notice.retry.connect(self.reload)
        self.retranslate()

    def retranslate(self) -> None:
        self.header.title.setText(translate("Qa", "Who played this"))
        self.header.hint.setText(translate("Qa", "Every replay and export is logged"))
        self.list.setAccessibleName(translate("Qa", "Who played this"))
        self.list.viewport().update()
        self._tell()

    def show_recording(self, recording_id: str) -> None:
        """Read the log of another recording; none for an empty id."""
        self._recording_id = recording_id
        self._latest.forget()
        self._failure, self._read = None, False
        self.model.set_rows([])
        self._tell()
        if recording_id:
            self.reload()

    def reload(self) -> None:
        """Read the log again."""
        wanted = self._recording_id
        if wanted:
            self._latest.run(lambda: self._recordings.accesses(wanted), self._on_rows, self._on_error)

    def _on_rows(self, rows: list[Access]) -> None:
        self.model.set_rows(rows)
        self._failure, self._read = None, True
        self._tell()

    def _on_error(self, error: Exception) -> None:
        self.model.set_rows([])
        self._failure = error
        self._tell()

    def _tell(self) -> None:
        if self._failure is not None:
            self._notice.fail(sentence(self._failure))
        else:
            self._notice.say(translate("Qa", "Nobody has played this yet.") if self._read else "")
        self._stack.setCurrentWidget(self.list if self.model.rowCount() else self._notice)
