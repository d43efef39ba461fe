"""Filter chips, one of which is chosen, and the layout that wraps them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QLayout, QLayoutItem, QPushButton, QSizePolicy, QWidget

from agent_desktop.ui.theme import set_look


class FlowLayout(QLayout):
    """Left to right, then on to the next line: for chips whose words differ in length between languages."""

    def __init__(self, parent: QWidget | None = None, *, spacing: int = 6) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            hint = item.sizeHint()
            if x + hint.width() > rect.right() + 1 and x > rect.x():
                x, y, line = rect.x(), y + line + self.spacing(), 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), hint))
            x += hint.width() + self.spacing()
            line = max(line, hint.height())
        return y + line - rect.y()


class Chip(QPushButton):
    """A small round toggle."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_look(self, kind="chip")


class ChipBar(QWidget):
    """Chips of which exactly one is chosen. ``chosen(key)`` is emitted when a person picks another."""

    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._chips: dict[str, Chip] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._flow = FlowLayout(self)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def current(self) -> str:
        return next((key for key, chip in self._chips.items() if chip.isChecked()), "")

    def set_chips(self, chips: Sequence[tuple[str, str]]) -> None:
        """Show ``(key, text)`` chips; the first one is chosen when there was none. Keeps chips and choice by key."""
        for key, text in chips:
            chip = self._chips.get(key) or self._add(key)
            if chip.text() != text:
                chip.setText(text)
        if not self.current and chips:
            self._chips[chips[0][0]].setChecked(True)
        self._flow.invalidate()
        self.updateGeometry()

    def choose(self, key: str) -> None:
        """Choose a chip without emitting."""
        self._chips[key].setChecked(True)

    def _add(self, key: str) -> Chip:
        chip = Chip(parent=self)
        chip.setObjectName(f"{self.objectName()}.{key}")
        chip.setCursor(Qt.CursorShape.PointingHandCursor)
        chip.clicked.connect(lambda: self.chosen.emit(key))
        self._chips[key] = chip
        self._group.addButton(chip)
        self._flow.addWidget(chip)
        return chip
