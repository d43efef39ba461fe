"""End-to-end tests are held to the same as widget tests: Qt must not warn."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.support.qt import collected_on_the_main_thread as collected_on_the_main_thread
from tests.support.qt import no_qt_warnings as no_qt_warnings
