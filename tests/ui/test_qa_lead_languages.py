"""Both pages in both languages and themes at the smallest screen: no text cut, none left in the other language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from agent_desktop.domain.models import Role
from agent_desktop.services.playback import Player
from agent_desktop.services.playback_sinks import ClockSink
from agent_desktop.ui.language import LanguageName, apply_language
from agent_desktop.ui.lead.page import LeadPage
from agent_desktop.ui.qa.page import QaPage
from agent_desktop.ui.theme import ThemeName, apply_theme
from agent_desktop.ui.widgets.labels import ElidedLabel
from tests.ui.qa_lead_desk import make_desk


@pytest.fixture
def english_again(qapp: QApplication) -> Iterator[None]:
    yield
    apply_language(qapp, "en")
    apply_theme(qapp, "light")


def cut(page: QWidget) -> list[str]:
    """Texts that do not fit in the widget that shows them."""
    found = []
    for widget in page.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget, ElidedLabel):
            continue
        one_line = isinstance(widget, QLabel) and not widget.wordWrap()
        if not one_line and not (isinstance(widget, QAbstractButton) and widget.text()):
            continue
        wanted = widget.sizeHint().width()
        if widget.width() < wanted:
            found.append(f"{widget.objectName()} {widget.text()!r}: {widget.width()} < {wanted}")
    return found


@pytest.mark.usefixtures("english_again")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_is_cut_at_1366_by_768(
    qtbot: QtBot, qapp: QApplication, theme: ThemeName, language: LanguageName
) -> None:
    apply_theme(qapp, theme)
    apply_language(qapp, language)
    player = Player(ClockSink)
    try:
        qa = QaPage(make_desk(Role.QA), player)
        lead = LeadPage(make_desk(Role.LEAD))
        for page in (qa, lead):
            qtbot.addWidget(page)
            page.resize(1366, 720)
            page.show()
        qtbot.waitUntil(lambda: lead.seats.model.rowCount() > 0)
        lead.seats.select("seat-1")
        qa.recordings.today.setChecked(False)
        qa.recordings.reload()
        qtbot.waitUntil(lambda: qa.recordings.model.rowCount() == 9)
        qa.recordings.list.opened.emit(qa.recordings.model.index(0))
        qtbot.waitUntil(qa.replay.lanes.isVisible)
        player.set_loop((10.0, 290.0))
        qtbot.waitUntil(qa.replay.transport.loop.isVisible)
        assert cut(qa) == []
        assert cut(lead) == []
        header = lead.seats.table.horizontalHeader()
        assert header.length() <= lead.seats.table.viewport().width()
        assert qa.width() == 1366
        assert lead.width() == 1366
    finally:
        player.close()


@pytest.mark.usefixtures("english_again")
def test_a_switch_of_language_reaches_every_text(qtbot: QtBot, qapp: QApplication) -> None:
    apply_language(qapp, "en")
    player = Player(ClockSink)
    try:
        qa, lead = QaPage(make_desk(Role.QA), player), LeadPage(make_desk(Role.LEAD))
        for page in (qa, lead):
            qtbot.addWidget(page)
            page.show()
        qtbot.waitUntil(lambda: lead.seats.model.rowCount() > 0)
        apply_language(qapp, "zh_CN")
        qtbot.waitUntil(lambda: qa.recordings.search.placeholderText().startswith("坐席"))
        lead.seats.select("seat-1")
        english = set("abcdefghijklmnopqrstuvwxyz")
        for page in (qa, lead):
            for widget in page.findChildren(QWidget):
                text = _said(widget).replace("Ctrl+K", "").replace("dB", "").replace("Esc", "")
                assert not english & set(text), f"{widget.objectName()}: {text!r}"
        model = lead.seats.model
        headings = [model.headerData(c, Qt.Orientation.Horizontal) for c in range(model.columnCount())]
        assert headings[:3] == ["坐席", "状态", "时长"]
        assert "通话中" in {model.index(row, 1).data() for row in range(model.rowCount())}
        assert lead.monitor.listen_button.text() == "监听"
        assert qa.replay.transport.play.text() == "播放"
    finally:
        player.close()


def _said(widget: QWidget) -> str:
    if isinstance(widget, QLineEdit):
        return widget.placeholderText()
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text()
    return ""
