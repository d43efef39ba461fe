"""Chinese or English, switchable while running.

Every text is written ``translate("Context", "English")``; ``installer/translations.py`` collects them. A widget
re-reads its texts when Qt sends it ``LanguageChange`` (``widgets.panel.Panel.retranslate``). Qt main thread only.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from agent_desktop.ui.resources import resource

LanguageName = Literal["zh_CN", "en", "system"]
LANGUAGES: tuple[LanguageName, ...] = ("system", "zh_CN", "en")

translate = QCoreApplication.translate

_PROPERTY = "agentDesktopLanguage"
_OURS = "agentDesktopTranslator"


def apply_language(app: QApplication, name: LanguageName) -> None:
    """Speak a language; ``system`` is the desktop's own: Chinese for any Chinese, else English."""
    chosen = _system_language() if name == "system" else name
    if app.property(_PROPERTY) == chosen:
        return
    for old in app.findChildren(QTranslator, _OURS):
        app.removeTranslator(old)
        old.deleteLater()
    app.setProperty(_PROPERTY, chosen)
    QLocale.setDefault(QLocale(chosen))
    if chosen == "en":
        return
    for folder, file in (
        (QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath), f"qtbase_{chosen}.qm"),
        (str(resource("translations")), f"agent_desktop_{chosen}.qm"),
    ):
        translator = QTranslator(app)
        translator.setObjectName(_OURS)
        if translator.load(file, folder):
            app.installTranslator(translator)


def language() -> str:
    """``zh_CN`` or ``en``: what the interface speaks now."""
    app = QApplication.instance()
    chosen = app.property(_PROPERTY) if app is not None else None
    return str(chosen) if chosen else "en"


def _system_language() -> str:
    return "zh_CN" if QLocale.system().language() == QLocale.Language.Chinese else "en"
