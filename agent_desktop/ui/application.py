"""The Qt application: made once, dressed and speaking as the person chose."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from agent_desktop.ui.preferences import Preferences


def make_application(preferences_file: Path | None) -> tuple[QApplication, Preferences]:
    """The application and its preferences. ``None`` keeps what is chosen only while the program runs. Main thread."""
    QGuiApplication.setDesktopFileName("agent-desktop")
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Agent Desktop")
    preferences = Preferences(preferences_file)
    preferences.apply(app)
    return app, preferences
