"""What a person chose for the look of this seat: language and theme. Holds nothing personal."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from agent_desktop.ui.language import LANGUAGES, LanguageName, apply_language
from agent_desktop.ui.theme import THEMES, ThemeName, apply_theme, follow_system


class Preferences:
    """Kept in an INI file; ``None`` keeps them only while the program runs. ``language`` and ``theme`` hold until the
    person chooses. Qt main thread only."""

    def __init__(self, file: Path | None = None, *, language: str = "system", theme: str = "system") -> None:
        self._settings = QSettings(str(file), QSettings.Format.IniFormat) if file is not None else None
        self._language = cast(LanguageName, self._read("language", LANGUAGES, language))
        self._theme = cast(ThemeName, self._read("theme", THEMES, theme))

    @property
    def language(self) -> LanguageName:
        return self._language

    @property
    def theme(self) -> ThemeName:
        return self._theme

    def apply(self, app: QApplication) -> None:
        """Dress the application and let it speak as chosen; follows the desktop's theme from now on."""
        apply_language(app, self._language)
        apply_theme(app, self._theme)
        follow_system(app, lambda: self._theme)

    def choose_language(self, app: QApplication, name: LanguageName) -> None:
        """Switch now and remember."""
        self._language = name
        self._write("language", name)
        apply_language(app, name)

    def choose_theme(self, app: QApplication, name: ThemeName) -> None:
        """Switch now and remember."""
        self._theme = name
        self._write("theme", name)
        apply_theme(app, name)

    def _read(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self._settings.value(key, default) if self._settings is not None else default
        return str(value) if value in allowed else "system"

    def _write(self, key: str, value: str) -> None:
        if self._settings is not None:
            self._settings.setValue(key, value)
            self._settings.sync()
