"""Colours, fonts and the style sheet: one place, light and dark, switchable while running.

Painting code asks ``tokens()`` each time it paints, so that a switch needs no bookkeeping: the theme lives on the
application object, and Qt repaints everything when the style sheet changes. Qt main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from agent_desktop.ui.resources import resource

ThemeName = Literal["light", "dark", "system"]
THEMES: tuple[ThemeName, ...] = ("system", "light", "dark")

BODY_PX = 13
SECONDARY_PX = 12
SMALL_PX = 11
TITLE_PX = 20
TIMER_PX = 24

RADIUS = 6
RADIUS_CARD = 8
RADIUS_BADGE = 4

_FAMILIES = ["Inter", "Segoe UI", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "Noto Sans", "sans-serif"]
_PROPERTY = "agentDesktopTheme"


class Tone(StrEnum):
    """What a colour means. Never the only sign of it: a word or a mark goes with it."""

    ACCENT = "accent"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    VIOLET = "violet"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme, ``#rrggbb``. ``on_accent`` is text upon a filled accent or red button."""

    name: str
    background: str
    panel: str
    row: str
    line: str
    text: str
    dim: str
    faint: str
    accent: str
    accent_soft: str
    ok: str
    ok_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    violet: str
    violet_soft: str
    on_accent: str

    def tone(self, tone: Tone) -> QColor:
        """Foreground of a meaning."""
        return QColor(self.dim if tone is Tone.GREY else getattr(self, tone.value))

    def soft(self, tone: Tone) -> QColor:
        """Background of a meaning."""
        return QColor(self.background if tone is Tone.GREY else getattr(self, f"{tone.value}_soft"))

    def color(self, name: str) -> QColor:
        """Any token by its field's name."""
        return QColor(getattr(self, name))


# Light ``accent``, ``dim``, ``ok`` and ``warn`` are a shade darker than first drawn, so that they keep 4.5 : 1 on the
# background and on their soft tones too.
LIGHT = Tokens(
    name="light",
    background="#f4f5f7",
    panel="#ffffff",
    row="#f8f9fb",
    line="#e3e6ea",
    text="#1c2430",
    dim="#626d7e",
    faint="#9aa4b2",
    accent="#0d66d0",
    accent_soft="#e8f1fd",
    ok="#127a46",
    ok_soft="#e3f5ea",
    warn="#a85608",
    warn_soft="#fdf1e0",
    bad="#c8322b",
    bad_soft="#fdeaea",
    violet="#6a4fc9",
    violet_soft="#efebfc",
    on_accent="#ffffff",
)

DARK = Tokens(
    name="dark",
    background="#14181e",
    panel="#1b2129",
    row="#1f2630",
    line="#2b333e",
    text="#e6eaf0",
    dim="#97a3b4",
    faint="#6b7788",
    accent="#58a6ff",
    accent_soft="#1a2d45",
    ok="#4cc38a",
    ok_soft="#163126",
    warn="#e5a24a",
    warn_soft="#352a17",
    bad="#f0716a",
    bad_soft="#3a1f20",
    violet="#a995f5",
    violet_soft="#2a2543",
    on_accent="#0d1117",
)


def tokens() -> Tokens:
    """The colours of the theme in use."""
    app = QApplication.instance()
    return DARK if app is not None and app.property(_PROPERTY) == "dark" else LIGHT


def font(px: int = BODY_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The interface's font at a size in pixels, with figures of one width."""
    return QFont(_font(px, weight))


@lru_cache(maxsize=64)
def _font(px: int, weight: QFont.Weight) -> QFont:
    result = QFont(_FAMILIES)
    result.setPixelSize(px)
    result.setWeight(weight)
    result.setFeature(QFont.Tag("tnum"), 1)
    result.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return result


def bold(px: int = BODY_PX) -> QFont:
    """Semi-bold: the weight of names and amounts."""
    return font(px, QFont.Weight.DemiBold)


@lru_cache(maxsize=8192)
def text_width(text: str, px: int = BODY_PX, weight: QFont.Weight = QFont.Weight.Normal) -> int:
    """Pixels that a text takes in the interface's font. Remembered: delegates ask for the same words at every paint."""
    return QFontMetrics(_font(px, weight)).horizontalAdvance(text)


def apply_theme(app: QApplication, name: ThemeName) -> None:
    """Dress the application; call it again to switch. ``system`` follows the desktop's own light or dark."""
    first = app.property(_PROPERTY) is None
    dark = name == "dark" or (name == "system" and _system_is_dark(app))
    chosen = DARK if dark else LIGHT
    if not first and app.property(_PROPERTY) == chosen.name:
        return
    app.setProperty(_PROPERTY, chosen.name)
    if first:
        app.setStyle("Fusion")
        app.setFont(font())
    app.setPalette(palette(chosen))
    app.setStyleSheet(style_sheet(chosen))


def follow_system(app: QApplication, wanted: Callable[[], ThemeName]) -> None:
    """Re-apply ``system`` whenever the desktop changes; ``wanted()`` says which theme the person has chosen."""
    app.styleHints().colorSchemeChanged.connect(lambda _scheme: apply_theme(app, wanted()))


def _system_is_dark(app: QApplication) -> bool:
    return app.styleHints().colorScheme() == Qt.ColorScheme.Dark


def palette(t: Tokens) -> QPalette:
    """The tokens as Fusion's palette."""
    roles = {
        QPalette.ColorRole.Window: t.background,
        QPalette.ColorRole.WindowText: t.text,
        QPalette.ColorRole.Base: t.panel,
        QPalette.ColorRole.AlternateBase: t.row,
        QPalette.ColorRole.Text: t.text,
        QPalette.ColorRole.PlaceholderText: t.dim,
        QPalette.ColorRole.Button: t.panel,
        QPalette.ColorRole.ButtonText: t.text,
        QPalette.ColorRole.BrightText: t.on_accent,
        QPalette.ColorRole.Highlight: t.accent,
        QPalette.ColorRole.HighlightedText: t.on_accent,
        QPalette.ColorRole.Link: t.accent,
        QPalette.ColorRole.ToolTipBase: t.panel,
        QPalette.ColorRole.ToolTipText: t.text,
        QPalette.ColorRole.Mid: t.line,
        QPalette.ColorRole.Light: t.panel,
        QPalette.ColorRole.Midlight: t.row,
        QPalette.ColorRole.Dark: t.line,
        QPalette.ColorRole.Shadow: t.line,
        QPalette.ColorRole.Accent: t.accent,
    }
    result = QPalette()
    for role, value in roles.items():
        result.setColor(role, QColor(value))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(t.faint))
    return result


def style_sheet(t: Tokens) -> str:
    """The style sheet with the tokens filled in (``@name@`` in resources/themes/desk.qss)."""
    text = resource("themes", "desk.qss").read_text(encoding="utf-8")
    values = {**asdict(t), "icons": resource("icons", t.name).as_posix()}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def set_look(widget: QWidget, **properties: object) -> None:
    """Set style-sheet properties (``role``, ``kind``, ``tone``) and make them take effect at once."""
    changed = False
    for name, value in properties.items():
        if widget.property(name) != value:
            widget.setProperty(name, value)
            changed = True
    if changed and widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)
        widget.update()


def families_present() -> bool:
    """Whether a face for Chinese is installed: said by the doctor, not needed to run."""
    return any(f in QFontDatabase.families() for f in _FAMILIES[2:5])
