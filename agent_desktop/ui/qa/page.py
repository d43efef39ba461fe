"""QA's page: recordings at the left, the one that is looked at in the centre."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QWidget

from agent_desktop.domain.models import RecordingRow
from agent_desktop.services.desk import Desk
from agent_desktop.services.playback import Player
from agent_desktop.ui.qa.recordings_panel import RecordingsPanel
from agent_desktop.ui.qa.replay import ReplayPanel
from agent_desktop.ui.theme import set_look

LIST_WIDTH = 318


class QaPage(QWidget):
    """Made for a signed-in QA; owns the player, which ends with it. Keys that no field takes belong to the player."""

    def __init__(self, desk: Desk, player: Player | None = None) -> None:
        super().__init__()
        self.setObjectName("qa.page")
        set_look(self, surface="background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.player = player or Player()
        self.recordings = RecordingsPanel(desk.recordings)
        self.recordings.setFixedWidth(LIST_WIDTH)
        self.replay = ReplayPanel(desk.recordings, self.player)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.recordings)
        row.addWidget(self.replay, 1)
        self.recordings.chosen.connect(self.replay.show_row)
        self.recordings.opened.connect(self._open)
        search = QShortcut(QKeySequence("Ctrl+K"), self)
        search.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        search.activated.connect(self._search)
        player_here = self.player
        self.destroyed.connect(lambda: player_here.close(wait=False))
        self._keys = self._key_table()
        self.setFocusProxy(self.recordings.list)

    def _key_table(self) -> dict[Qt.Key, Callable[[], None]]:
        replay = self.replay
        return {
            Qt.Key.Key_Space: replay.toggle,
            Qt.Key.Key_Left: lambda: replay.jump(-5.0),
            Qt.Key.Key_Right: lambda: replay.jump(5.0),
            Qt.Key.Key_Home: lambda: replay.seek(0.0),
            Qt.Key.Key_BracketLeft: lambda: replay.change_speed(-1),
            Qt.Key.Key_BracketRight: lambda: replay.change_speed(1),
            Qt.Key.Key_1: lambda: replay.toggle_mute(0),
            Qt.Key.Key_2: lambda: replay.toggle_mute(1),
            Qt.Key.Key_3: lambda: replay.toggle_solo(0),
            Qt.Key.Key_4: lambda: replay.toggle_solo(1),
            Qt.Key.Key_K: replay.toggle_skip,
            Qt.Key.Key_Escape: self._escape,
            Qt.Key.Key_Plus: lambda: replay.zoom(0.5),
            Qt.Key.Key_Equal: lambda: replay.zoom(0.5),
            Qt.Key.Key_Minus: lambda: replay.zoom(2.0),
            Qt.Key.Key_F5: self.recordings.reload,
        }

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self._keys.get(Qt.Key(event.key()))
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
            Qt.KeyboardModifier.ShiftModifier,
        )
        if action is None or not plain:
            super().keyPressEvent(event)
            return
        action()

    def _open(self, row: RecordingRow) -> None:
        self.replay.show_row(row)
        self.replay.open()

    def _search(self) -> None:
        self.recordings.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.recordings.search.selectAll()

    def _escape(self) -> None:
        if self.recordings.search.hasFocus():
            self.recordings.leave_search()
        else:
            self.replay.end_loop()
