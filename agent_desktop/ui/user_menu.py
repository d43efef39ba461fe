"""The person's menu: language, theme, sound, other windows, sign out.

Names of its actions: ``menu.language.zh_CN``, ``menu.theme.dark``, ``menu.sound``, ``menu.open.qa``, ``menu.signOut`` …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from PySide6.QtCore import QEvent
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from agent_desktop.domain.models import Role
from agent_desktop.ui.language import LANGUAGES, translate
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.terms import role_text
from agent_desktop.ui.theme import THEMES

Key = TypeVar("Key", bound=str)


class UserMenu(QMenu):
    """What concerns the person and not the work."""

    def __init__(
        self,
        preferences: Preferences,
        sign_out: Callable[[], None],
        open_as: Mapping[Role, Callable[[], None]],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._languages, self._language_actions = self._choice(
            "menu.language", LANGUAGES, preferences.language, lambda name: preferences.choose_language(app, name)
        )
        self._themes, self._theme_actions = self._choice(
            "menu.theme", THEMES, preferences.theme, lambda name: preferences.choose_theme(app, name)
        )
        self.sound = self.addAction("")
        """Opens the sound devices; hidden at a seat without a line."""
        self.sound.setObjectName("menu.sound")
        self.sound.setShortcut(QKeySequence("Ctrl+Shift+S"))
        self._open: dict[Role, QAction] = {}
        if open_as:
            self.addSeparator()
        for role, opener in open_as.items():
            self._open[role] = self.addAction("", opener)
            self._open[role].setObjectName(f"menu.open.{role.value}")
        self.addSeparator()
        self._sign_out = self.addAction("", sign_out)
        self._sign_out.setObjectName("menu.signOut")
        self.retranslate()

    def _choice(
        self, name: str, keys: tuple[Key, ...], now: Key, choose: Callable[[Key], None]
    ) -> tuple[QMenu, dict[Key, QAction]]:
        menu = self.addMenu("")
        group = QActionGroup(menu)
        actions = {}
        for key in keys:
            action = menu.addAction("")
            action.setObjectName(f"{name}.{key}")
            action.setCheckable(True)
            action.setChecked(key == now)
            action.triggered.connect(lambda _checked=False, k=key: choose(k))
            group.addAction(action)
            actions[key] = action
        return menu, actions

    def retranslate(self) -> None:
        self._languages.setTitle(translate("Menu", "Language"))
        self._themes.setTitle(translate("Menu", "Theme"))
        texts = {"system": translate("Menu", "As the system"), "zh_CN": "中文", "en": "English"}
        for language, action in self._language_actions.items():
            action.setText(texts[language])
        themes = {
            "system": translate("Menu", "As the system"),
            "light": translate("Menu", "Light"),
            "dark": translate("Menu", "Dark"),
        }
        for theme, action in self._theme_actions.items():
            action.setText(themes[theme])
        self.sound.setText(translate("Menu", "Sound…"))
        for role, action in self._open.items():
            action.setText(translate("Menu", "Open window: {role}").format(role=role_text(role)))
        self._sign_out.setText(translate("Menu", "Sign out"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
