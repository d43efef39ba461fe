"""How a contact's row is painted, and its one button."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from agent_desktop.domain.models import ContactRow, ContactState
from agent_desktop.ui.collector.contacts_model import ACTION_ROLE, ROW_ROLE, Action, Column, action_text
from agent_desktop.ui.language import translate
from agent_desktop.ui.terms import contact_state_text, contact_state_tone
from agent_desktop.ui.theme import BODY_PX, RADIUS, Tone, bold, font, text_width, tokens
from agent_desktop.ui.widgets.badge import badge_width, paint_badge
from agent_desktop.ui.widgets.key_cap import cap_width, paint_key_cap
from agent_desktop.ui.widgets.labels import elided

AnyIndex = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 36
_PAD = 8
_LEFT = 16
_BUTTON_HEIGHT = 26
_STRONG = QFont.Weight.DemiBold


class ContactsDelegate(QStyledItemDelegate):
    """``pressed(row)`` when the button of a row is clicked."""

    pressed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hot = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        row, column = index.data(ROW_ROLE), Column(index.column())
        text = str(index.data() or "")
        # The wider of both weights: a bold space is narrower than a regular one.
        width = max(text_width(text), text_width(text, BODY_PX, _STRONG)) + 2 * _PAD + 2
        if column is Column.RELATION and isinstance(row, ContactRow):
            width += _LEFT - _PAD + (badge_width(_mark(row)) + 6 if _mark(row) else 0)
        elif column is Column.STATE:
            width = badge_width(text) + 2 * _PAD
        elif column is Column.ACTION:
            width = max(_button_width(a) for a in Action) + 2 * _PAD
        return QSize(width, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row = index.data(ROW_ROLE)
        if not isinstance(row, ContactRow):
            return
        rect: QRect = option.rect
        theme = tokens()
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.soft(Tone.ACCENT))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))
        callable_ = row.contact.state is not ContactState.DO_NOT_CALL
        painter.setPen(theme.color("text") if callable_ else theme.color("dim"))
        painter.setFont(font(BODY_PX))
        inner = rect.adjusted(_PAD, 0, -_PAD, 0)
        match Column(index.column()):
            case Column.RELATION:
                self._relation(painter, rect.adjusted(_LEFT, 0, 0, 0), row, str(index.data()))
            case Column.STATE:
                tone = contact_state_tone(row.contact.state)
                paint_badge(painter, inner.left(), inner.center().y() + 1, contact_state_text(row.contact.state), tone)
            case Column.ACTION:
                self._action(painter, inner, Action(index.data(ACTION_ROLE)), hot=self._hot == index.row())
            case _:
                text = elided(painter.fontMetrics(), str(index.data() or ""), inner.width())
                painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()

    @staticmethod
    def _relation(painter: QPainter, rect: QRect, row: ContactRow, text: str) -> None:
        if not row.contact.relation.third_party:
            painter.setFont(bold(BODY_PX))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, text)
        if mark := _mark(row):
            left = rect.left() + painter.fontMetrics().horizontalAdvance(text) + 6
            paint_badge(painter, left, rect.center().y() + 1, mark, Tone.VIOLET)

    @staticmethod
    def _action(painter: QPainter, rect: QRect, action: Action, *, hot: bool) -> None:
        theme = tokens()
        if action is Action.NONE:
            painter.setPen(theme.color("dim"))
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, action_text(action))
            return
        box = QRect(rect.left(), rect.center().y() - _BUTTON_HEIGHT // 2 + 1, _button_width(action), _BUTTON_HEIGHT)
        red = action is Action.HANG_UP
        ground = theme.bad if red else theme.row if hot and action is Action.DIAL else theme.panel
        ink = theme.on_accent if red else theme.text if action is Action.DIAL else theme.faint
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.bad if red else theme.faint if hot else theme.line), 1))
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(box.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setPen(QColor(ink))
        painter.setFont(bold(BODY_PX) if red else font(BODY_PX))
        text = action_text(action)
        painter.drawText(box.adjusted(10, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
        if red:
            left = box.left() + 16 + painter.fontMetrics().horizontalAdvance(text)
            paint_key_cap(painter, left, box.center().y() + 1, "F4", filled=True)

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: AnyIndex
    ) -> bool:
        if index.column() == Column.ACTION and isinstance(event, QMouseEvent):
            action = Action(index.data(ACTION_ROLE))
            box = QRect(option.rect.left() + _PAD, option.rect.top(), _button_width(action), option.rect.height())
            inside = box.contains(event.position().toPoint())
            left = event.button() is Qt.MouseButton.LeftButton
            if inside and left and event.type() is QEvent.Type.MouseButtonRelease:
                self.pressed.emit(index.row())
                return True
        return super().editorEvent(event, model, option, index)

    def set_hot(self, row: int) -> bool:
        """Which row's button the mouse is over; True when that has changed."""
        changed, self._hot = row != self._hot, row
        return changed


def _mark(row: ContactRow) -> str:
    return translate("Contacts", "3rd party") if row.contact.relation.third_party else ""


def _button_width(action: Action) -> int:
    width = text_width(action_text(action), BODY_PX, _STRONG) + 20
    return width + cap_width("F4") + 6 if action is Action.HANG_UP else width
