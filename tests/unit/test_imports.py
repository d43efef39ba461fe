"""The import rule of docs/architecture.md, read from the sources."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent_desktop", "telephony", "recorder", "collection_server")

HOMES = {
    "PySide6": ("agent_desktop/ui/",),
    "shiboken6": ("agent_desktop/ui/",),
    "pyqtgraph": ("agent_desktop/ui/",),
    "pjsua2": ("telephony/",),
    "sounddevice": ("telephony/audio/", "agent_desktop/services/playback.py"),
    "sqlalchemy": ("agent_desktop/store/", "collection_server/"),
    "sqlcipher3": ("agent_desktop/store/",),
    "requests": ("agent_desktop/sync/", "recorder/upload"),
}
"""Third-party packages that live in one place (requests: two)."""

MAY_IMPORT = {
    "telephony": (),
    "recorder": (),
    "collection_server": (),
    "agent_desktop/domain": (),
    "agent_desktop/config.py": ("agent_desktop.config_lines", "agent_desktop.config_table"),
    "agent_desktop/config_lines.py": ("agent_desktop.config_table", "agent_desktop.domain"),
    "agent_desktop/config_table.py": (),
    "agent_desktop/store": ("agent_desktop.domain",),
    "agent_desktop/sync": ("agent_desktop.domain", "agent_desktop.store"),
    "agent_desktop/services": (
        "agent_desktop.domain",
        "agent_desktop.store",
        "agent_desktop.sync",
        "telephony.client",
        "telephony.errors",
        "telephony.messages",
        "recorder",
    ),
    "agent_desktop/ui": (
        "agent_desktop.domain",
        "agent_desktop.services",
        "agent_desktop.config",
        "telephony.messages",
    ),
}
"""What of ours each part may import, besides itself. The composition roots (line.py, app.py, demo/) may import all."""

STORE_AND_SYNC_ERRORS = "agent_desktop.services.errors"
"""The one thing of services that store and sync may import: the errors that a person is to read."""


def _sources() -> list[str]:
    return sorted(str(p.relative_to(ROOT)) for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def _imports(source: str) -> list[tuple[int, str]]:
    path = ROOT / source
    tree = ast.parse(path.read_text("utf-8"))
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno}: relative import"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def _part_of(source: str) -> str | None:
    return next((part for part in MAY_IMPORT if source == part or source.startswith(f"{part}/")), None)


def breaches(source: str, imports: list[tuple[int, str]]) -> list[str]:
    """Imports in ``source`` that the rule forbids."""
    found = []
    part = _part_of(source)
    for line, name in imports:
        top = name.split(".")[0]
        if top in HOMES and not source.startswith(HOMES[top]):
            found.append(f"{source}:{line} imports {name}, whose home is {' or '.join(HOMES[top])}")
        if top not in PACKAGES or part is None:
            continue
        own = part.removesuffix(".py").replace("/", ".")
        allowed = (own, *MAY_IMPORT[part])
        if part in ("agent_desktop/store", "agent_desktop/sync"):
            allowed = (*allowed, STORE_AND_SYNC_ERRORS)
        if not any(name == a or name.startswith(f"{a}.") for a in allowed):
            found.append(f"{source}:{line} imports {name}, which {part} may not")
    return found


@pytest.mark.parametrize("source", _sources())
def test_imports_go_downward_only(source: str) -> None:
    assert breaches(source, _imports(source)) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("agent_desktop/services/cases.py", "PySide6.QtCore"),
        ("agent_desktop/ui/window.py", "pjsua2"),
        ("agent_desktop/ui/window.py", "agent_desktop.store.database"),
        ("agent_desktop/domain/models.py", "agent_desktop.services.cases"),
        ("telephony/engine.py", "recorder.session"),
        ("recorder/session.py", "telephony.interfaces"),
        ("collection_server/app.py", "agent_desktop.domain.models"),
        ("agent_desktop/services/calls.py", "telephony.engine"),
    ],
)
def test_the_rule_finds_a_breach(source: str, name: str) -> None:
    assert breaches(source, [(1, name)])
