"""The theme: contrast, completeness of the style sheet, switching while running."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication, QLabel

from agent_desktop.ui import theme
from agent_desktop.ui.theme import DARK, LIGHT, Tokens, Tone, apply_theme, set_look, style_sheet, tokens


def _luminance(color: QColor) -> float:
    parts = (color.redF(), color.greenF(), color.blueF())
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: QColor, other: QColor) -> float:
    """WCAG 2 contrast ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(colors: Tokens) -> None:
    surfaces = [colors.color(name) for name in ("background", "panel", "row", "accent_soft")]
    for ink in ("text", "dim"):
        assert min(_contrast(colors.color(ink), s) for s in surfaces) >= 4.5, ink
    for tone in Tone:
        grounds = [colors.color("panel"), colors.soft(tone)]
        assert min(_contrast(colors.tone(tone), g) for g in grounds) >= 4.5, tone
    for fill in ("accent", "bad", "ok"):
        assert _contrast(colors.color("on_accent"), colors.color(fill)) >= 4.5, fill


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_style_sheet_has_every_token_filled_in(colors: Tokens) -> None:
    text = style_sheet(colors)
    comments_gone = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    assert "@" not in comments_gone
    for path in re.findall(r"url\(([^)]+)\)", text):
        assert Path(path).read_bytes().startswith(b"<svg")


def test_switching_repaints_what_is_on_screen(qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    label = QLabel("x")
    label.show()
    set_look(label, tone="bad")
    light = label.palette().color(label.foregroundRole())
    assert (tokens(), light) == (LIGHT, QColor(LIGHT.bad))
    apply_theme(qapp, "dark")
    qapp.processEvents()
    assert (tokens(), label.palette().color(label.foregroundRole())) == (DARK, QColor(DARK.bad))
    set_look(label, tone="ok")
    assert label.palette().color(label.foregroundRole()) == QColor(DARK.ok)
    apply_theme(qapp, "light")


def test_figures_have_one_width() -> None:
    face = theme.font(13)
    assert face.featureValue(QFont.Tag("tnum")) == 1
    assert face.families()[0] == "Inter"
    assert theme.families_present()
