"""Buttons in rows."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

_SPACING = 8


def button_rows(*rows: tuple[QWidget, ...]) -> QWidget:
    """A widget with the buttons of each row side by side; where one is hidden, the others take its room."""
    holder = QWidget()
    box = QVBoxLayout(holder)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(_SPACING)
    for row in rows:
        line = QHBoxLayout()
        line.setSpacing(_SPACING)
        for button in row:
            line.addWidget(button, 1)
        box.addLayout(line)
    return holder
