"""Choosing one sound device by its name, or the system's default."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QSizePolicy

from agent_desktop.ui.language import translate


class DeviceChoice(QComboBox):
    """``chosen`` when the person picks another device. A device that has gone stays in the list while it is chosen."""

    chosen = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(120)
        self.activated.connect(lambda _index: self.chosen.emit())

    @property
    def value(self) -> str:
        """The device's name; empty for the system's default."""
        return str(self.currentData() or "")

    def show_devices(self, names: tuple[str, ...], chosen: str) -> None:
        """The devices that there are, and the one in use; empty for the system's default."""
        entries = [(translate("Sound", "System default"), "")]
        entries += [(name, name) for name in names]
        if chosen and chosen not in names:
            entries.append((translate("Sound", "{name} (not there)").format(name=chosen), chosen))
        if entries != [(self.itemText(row), self.itemData(row)) for row in range(self.count())]:
            self.clear()
            for text, name in entries:
                self.addItem(text, name)
        self.setCurrentIndex(max(0, self.findData(chosen)))
        self.setToolTip(self.currentText())
