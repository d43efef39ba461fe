"""The Qt application: made once, dressed and speaking as the person chose."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox

from agent_desktop.ui.garbage import MainThreadCollector
from agent_desktop.ui.language import translate
from agent_desktop.ui.preferences import Preferences

WAKE_MS = 500
_NOISE = "This plugin does not support"


def quiet_offscreen() -> None:
    """Keep the offscreen plugin from saying, for each window, what a screen that is not there cannot do."""

    def show(_kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if not text.startswith(_NOISE):
            print(text, file=sys.stderr)  # noqa: T201

    qInstallMessageHandler(show)


def heed_signals(app: QApplication) -> None:
    """Let Python look for signals while Qt waits; without it a SIGTERM is seen at the next event only."""
    timer = QTimer(app)
    timer.timeout.connect(lambda: None)
    timer.start(WAKE_MS)


def make_application(
    preferences_file: Path | None, language: str = "system", theme: str = "system"
) -> tuple[QApplication, Preferences]:
    """The application and its preferences. Main thread.

    ``language`` and ``theme`` are the configuration's; what the person chose at this seat goes before them. Without
    a file the choice lasts only while the program runs.
    """
    QGuiApplication.setDesktopFileName("agent-desktop")
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Agent Desktop")
    MainThreadCollector(app)
    preferences = Preferences(preferences_file, language="zh_CN" if language == "zh" else language, theme=theme)
    preferences.apply(app)
    return app, preferences


def show_config_error(path: str, sentence: str) -> None:
    """Say in a window that the configuration file cannot be used; returns when it is closed."""
    make_application(None)
    box = QMessageBox(
        QMessageBox.Icon.Critical,
        translate("Start", "Agent Desktop"),
        translate("Start", "The configuration file cannot be used. Correct it and start again."),
    )
    box.setInformativeText(f"{path}\n{sentence}")
    box.exec()
