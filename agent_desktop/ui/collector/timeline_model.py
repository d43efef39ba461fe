"""The case's history as a list model: what each line says, and how it is painted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from agent_desktop.domain.models import Call, CaseDetail, Contact, Note, Promise, TimelineEntry, TimelineKind
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.terms import (
    cause_text,
    direction_mark,
    outcome_text,
    outcome_tone,
    promise_state_text,
    relation_text,
    timeline_text,
    timeline_tone,
)
from agent_desktop.ui.theme import BODY_PX, SECONDARY_PX, Tone, font, text_width, tokens
from agent_desktop.ui.widgets.badge import badge_width, paint_badge

AnyIndex = QModelIndex | QPersistentModelIndex
LINE_ROLE = int(Qt.ItemDataRole.UserRole)
_NO_PARENT = QModelIndex()
_LEFT = 16
_PAD = 9
_GAP = 12
_MEASURED = 40
_WRAP = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere


@dataclass(frozen=True, slots=True)
class Line:
    """One painted line: time, kind, what happened, and by whom."""

    when: str
    badge: str
    tone: Tone
    text: str
    extra: str


class TimelineModel(QAbstractListModel):
    """Entries of one case, optionally of one kind only; ``Line`` under ``LINE_ROLE``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._detail: CaseDetail | None = None
        self._kind = ""
        self._shown: list[TimelineEntry] = []
        self._lines: dict[int, Line] = {}
        self._widths: tuple[int, int] | None = None

    def set_detail(self, detail: CaseDetail) -> None:
        self._detail = detail
        self._filter()

    def set_kind(self, kind: str) -> None:
        """Show one ``TimelineKind`` only; empty shows all."""
        self._kind = kind
        self._filter()

    def counts(self) -> dict[TimelineKind, int]:
        entries = self._detail.timeline if self._detail else ()
        return {kind: sum(e.kind is kind for e in entries) for kind in TimelineKind}

    def _filter(self) -> None:
        entries = self._detail.timeline if self._detail else ()
        shown = [e for e in entries if not self._kind or e.kind == self._kind]
        self._widths = None
        self._lines.clear()  # also when the entries are the same: contacts and today's date may have changed
        if shown != self._shown:
            self.beginResetModel()
            self._shown = shown
            self.endResetModel()

    def retranslate(self) -> None:
        self._widths = None
        self._lines.clear()
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self._shown):
            return None
        if role == LINE_ROLE:
            return self.line(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            line = self.line(index.row())
            return " ".join(part for part in (line.when, line.badge, line.text, line.extra) if part)
        return None

    def line(self, row: int) -> Line:
        """What a row says. Remembered until the entries or the language change: painting asks many times."""
        if row not in self._lines:
            self._lines[row] = self._line(self._shown[row])
        return self._lines[row]

    def widths(self) -> tuple[int, int]:
        """Pixels of the time column and of the badge column: those of the widest of the first rows."""
        if self._widths is None:
            self._widths = self._measured_widths()
        return self._widths

    def _measured_widths(self) -> tuple[int, int]:
        lines = [self.line(row) for row in range(min(len(self._shown), _MEASURED))]
        times = [text_width(line.when, SECONDARY_PX) for line in lines] or [0]
        return max(times), max([badge_width(line.badge) for line in lines] or [0])

    def _line(self, entry: TimelineEntry) -> Line:
        when, kind, tone = fmt.when(entry.at), timeline_text(entry.kind), timeline_tone(entry.kind)
        by = f"— {entry.author_name}" if entry.author_name else ""
        if entry.note is not None:
            badge = outcome_text(entry.note.outcome)
            return Line(when, badge, outcome_tone(entry.note.outcome), self._note(entry.note), by)
        if entry.call is not None:
            return Line(when, f"{kind} {direction_mark(entry.call.direction)}", tone, self._call(entry.call), by)
        if entry.promise is not None:
            return Line(when, kind, tone, _promise(entry.promise), by)
        return Line(when, kind, tone, "", by)

    def _contact(self, contact_id: str) -> Contact | None:
        rows = self._detail.contacts if self._detail else ()
        return next((r.contact for r in rows if r.contact.id == contact_id), None)

    def _note(self, note: Note) -> str:
        contact = self._contact(note.contact_id)
        about = f"{relation_text(contact.relation)} · " if contact and contact.relation.third_party else ""
        follow = ""
        if note.next_follow_up_at is not None:
            at = fmt.when(note.next_follow_up_at)
            follow = " · " + translate("Timeline", "follow up {time}").format(time=at)
        return f"{about}{note.text}{follow}"

    def _call(self, call: Call) -> str:
        contact = self._contact(call.contact_id)
        who = f"{relation_text(contact.relation)} " if contact else ""
        number = fmt.masked(call.number)
        length = fmt.clock(call.talk_ms / 1000) if call.answered_at is not None else ""
        return " · ".join(part for part in (f"{who}{number}", length, cause_text(call.cause)) if part)


def _promise(promise: Promise) -> str:
    return translate("Timeline", "{amount} by {day} · {state}").format(
        amount=fmt.money(promise.amount, cents=False),
        day=fmt.day(promise.due),
        state=promise_state_text(promise.state),
    )


class TimelineDelegate(QStyledItemDelegate):
    """Time, badge, then the text in as many lines as it needs."""

    def __init__(self, view: QListView, model: TimelineModel) -> None:
        super().__init__(view)
        self._view = view
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        line = index.data(LINE_ROLE)
        width = self._view.viewport().width()
        if not isinstance(line, Line):
            return QSize(width, 0)
        when, badge = self._model.widths()
        room = max(80, width - _LEFT - when - badge - 2 * _GAP - _LEFT)
        return QSize(width, _text_height(_whole(line), room) + 2 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        line = index.data(LINE_ROLE)
        if not isinstance(line, Line):
            return
        theme, rect = tokens(), QRect(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected and self._view.hasFocus():
            painter.fillRect(rect, theme.color("row"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))
        when, badge = self._model.widths()
        line_height = _line_height()
        # Beside the first line of a long text, in the middle of a short one.
        height = rect.height() if rect.height() < 2 * (line_height + _PAD) else line_height + 2 * _PAD
        first = QRect(rect.left() + _LEFT, rect.top(), when, height - 1)
        painter.setFont(font(SECONDARY_PX))
        painter.setPen(theme.color("dim"))
        painter.drawText(first, Qt.AlignmentFlag.AlignVCenter, line.when)
        paint_badge(painter, first.right() + _GAP, first.center().y() + 1, line.badge, line.tone)
        left = first.right() + _GAP + badge + _GAP
        room = QRect(left, rect.top(), rect.right() - _LEFT - left, rect.height() - 1)
        painter.setFont(font(BODY_PX))
        painter.setPen(theme.color("text"))
        painter.drawText(room, _WRAP | Qt.AlignmentFlag.AlignVCenter, _whole(line))
        painter.restore()


@cache
def _line_height() -> int:
    return QFontMetrics(font(BODY_PX)).height()


def _text_height(text: str, room: int) -> int:
    """Pixels of a text wrapped to a width; measuring one line is cheaper than wrapping it."""
    if "\n" not in text and text_width(text) <= room:
        return _line_height()
    wrapped = QFontMetrics(font(BODY_PX)).boundingRect(QRect(0, 0, room, 10_000), _WRAP, text)
    return max(_line_height(), wrapped.height())


def _whole(line: Line) -> str:
    return f"{line.text} {line.extra}".strip()
