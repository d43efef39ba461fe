"""The Chinese is complete, compiled, and on the screen."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit

from agent_desktop.domain.models import Role
from agent_desktop.ui.language import apply_language, language, translate
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.resources import resource
from agent_desktop.ui.window import MainWindow, WindowHooks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "installer" / "translations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_are_in_step_with_the_code_and_nothing_is_unfinished(tool: ModuleType, tmp_path: Path) -> None:
    assert tool.build(tmp_path) == []
    for suffix in (".ts", ".qm"):
        built = (tmp_path / f"{tool.NAME}{suffix}").read_bytes()
        assert built == resource("translations", f"{tool.NAME}{suffix}").read_bytes(), "run installer/translations.py"


def test_the_tool_names_what_is_missing_or_wrong(tool: ModuleType, tmp_path: Path) -> None:
    ts = tmp_path / "x.ts"
    ts.write_text(
        "<TS><context><name>C</name>"
        "<message><source>one</source><translation type='unfinished'/></message>"
        "<message><source>{n} two</source><translation type='unfinished'/></message>"
        "</context></TS>",
        encoding="utf-8",
    )
    problems = tool.fill(ts, {("C", "{n} two"): "二", ("C", "gone"): "无"})
    assert problems == [
        "no Chinese: [C] 'one'",
        "placeholders differ: [C] '{n} two'",
        "no longer in the code: [C] 'gone'",
    ]


def test_a_text_may_stand_in_one_file_only(tool: ModuleType, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('[C]\n"one" = "一"\n', encoding="utf-8")
    texts, problems = tool.load(tmp_path)
    assert texts == {("C", "one"): "一"}
    assert problems == ["b.toml: [C] 'one' is in another file too"]


def test_no_text_hides_from_the_tool_in_an_f_string() -> None:
    hidden = []
    for file in sorted((ROOT / "agent_desktop" / "ui").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for text in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
            calls = [n for n in ast.walk(text) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
            hidden += [f"{file.name}:{call.lineno}" for call in calls if call.func.id == "translate"]
    assert hidden == []


def test_switching_speaks_the_language_everywhere_at_once(
    open_window: Callable[..., MainWindow], qapp: QApplication
) -> None:
    window = open_window(WindowHooks(demo=True))
    before = {w.objectName() for w in window.findChildren(QLabel)}
    apply_language(qapp, "zh_CN")
    qapp.processEvents()
    shown = [w.text() for w in window.findChildren(QLabel) + window.findChildren(QAbstractButton) if w.isVisible()]
    shown += [w.placeholderText() for w in window.findChildren(QLineEdit) if w.isVisible()]
    words = [text for text in shown if re.search(r"[A-Za-z]{3,}", text) and not re.search(r"[一-鿿]", text)]
    assert words == []
    assert {w.objectName() for w in window.findChildren(QLabel)} == before
    apply_language(qapp, "en")
    qapp.processEvents()
    assert window.findChild(QAbstractButton, "wrapUp.saveNext").text() == "Save and next"


def test_the_choice_is_remembered(tmp_path: Path, qapp: QApplication) -> None:
    file = tmp_path / "look.ini"
    first = Preferences(file)
    first.choose_language(qapp, "zh_CN")
    first.choose_theme(qapp, "dark")
    assert language() == "zh_CN"
    assert translate("WrapUp", "Save") == "保存"
    again = Preferences(file)
    assert (again.language, again.theme) == ("zh_CN", "dark")
    file.write_text("[General]\nlanguage=klingon\ntheme=\n", encoding="utf-8")
    assert (Preferences(file).language, Preferences(file).theme) == ("system", "system")


def test_the_menu_switches(open_window: Callable[..., MainWindow], qapp: QApplication) -> None:
    opened: list[str] = []
    window = open_window(
        WindowHooks(open_as={Role.QA: lambda: opened.append("qa")}, sign_out=lambda: opened.append("out"))
    )
    menu = window.top.user_button.menu()

    def action(name: str) -> QAction:
        found = menu.findChild(QAction, name)
        assert found is not None
        return found

    action("menu.language.zh_CN").trigger()
    qapp.processEvents()
    assert window.top.user_button.accessibleName() == "李婷的菜单"
    action("menu.theme.dark").trigger()
    assert qapp.palette().window().color().name() == "#14181e"
    action("menu.open.qa").trigger()
    action("menu.signOut").trigger()
    assert opened == ["qa", "out"]
    assert window.windowFlags() & Qt.WindowType.Window
