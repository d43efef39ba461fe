"""What the documentation says, held to the sources: links, commands, packages, settings, modules."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

from agent_desktop import app as desktop
from agent_desktop.config import AudioSettings, Config, LineSettings, load_config
from agent_desktop.domain.dial_plan import DialPlan
from collection_server import cli as server_cli
from collection_server.settings import Settings
from recorder import cli as recorder_cli

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDES = ROOT / "docs" / "guides"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "resources").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SCRIPTS: dict[str, str] = PROJECT["project"]["scripts"]
PACKAGES = ("agent_desktop", "telephony", "recorder", "collection_server")


def blocks(page: Path, *languages: str) -> list[str]:
    """Fenced blocks of a page in one of ``languages``."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def _ids(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


# --- links ---


def broken_links(page: Path, text: str) -> list[str]:
    """Relative links to what is not there, and to headings that the page they lead to does not have."""
    bare = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", bare):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        missing = not place.exists() or not place.is_relative_to(ROOT)
        if missing or (heading and heading not in _anchors(place.read_text("utf-8"))):
            found.append(target)
    return found


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_ids(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text("utf-8")) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    text = (
        "[a](LICENSE) [b](docs/none.md) ![c](docs/images/none.png) [d](README.md#limits) [e](README.md#none) [f](../x)"
    )
    assert broken_links(README, text) == ["docs/none.md", "docs/images/none.png", "README.md#none", "../x"]


@pytest.mark.parametrize("page", PAGES, ids=_ids(PAGES))
def test_files_that_are_named_exist(page: Path) -> None:
    """Paths in backticks that begin with a folder of the project."""
    folders = "agent_desktop|telephony|recorder|collection_server|resources|installer|tests|docs"
    named = re.findall(rf"`((?:{folders})/[\w./-]*)`", page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


# --- commands ---


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        lines = [line for block in blocks(page, "", "sh", "bash") for line in block.replace("\\\n", " ").splitlines()]
        lines += re.findall(rf"`((?:{'|'.join(SCRIPTS)}) [^`]+)`", text)
        for line in lines:
            words = shlex.split(line, comments=True)
            if words and words[0] in SCRIPTS:
                found.append((str(page.relative_to(ROOT)), " ".join(words)))
    return sorted(set(found))


def _parse(words: list[str]) -> None:
    """Read a command line as its program would, without doing anything."""
    if words[0] == "agent-desktop":
        desktop._parser().parse_args(words[1:])
        return
    app = {"collection-server": server_cli.app, "recorder": recorder_cli.app}[words[0]]
    group = typer.main.get_command(app)
    command = group.commands[words[1]]  # type: ignore[attr-defined]
    try:
        command.make_context(words[1], words[2:])
    except Exception as error:  # typer brings a click of its own, so its errors have no public home
        raise ValueError(f"{type(error).__name__}: {error}") from error


def test_commands_are_found() -> None:
    assert len(_commands()) >= 8


@pytest.mark.parametrize(("page", "command"), _commands())
def test_commands_are_understood(page: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _parse(shlex.split(command))


@pytest.mark.parametrize(
    "command",
    [
        "agent-desktop dance",
        "agent-desktop demo --loud",
        "recorder verify x --key y",
        "recorder verify",
        "collection-server mow",
    ],
)
def test_a_command_that_does_not_exist_is_found(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, KeyError, ValueError)):
        _parse(shlex.split(command))


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    for page in PAGES:
        text = page.read_text("utf-8")
        named = set(re.findall(r"`make ([a-z-]+)", text))
        named |= {m for block in blocks(page, "", "sh") for m in re.findall(r"^make ([a-z-]+)", block, re.MULTILINE)}
        assert named <= targets, f"{page.name}: {sorted(named - targets)}"
    assert {"demo", "test"} <= targets


def test_the_readme_has_the_test_command_on_a_line_of_its_own() -> None:
    assert "make test" in README.read_text("utf-8").splitlines()
    assert "make demo" in README.read_text("utf-8").splitlines()


def test_console_scripts_are_named_in_the_readme_and_can_be_run() -> None:
    text = README.read_text("utf-8")
    for script in SCRIPTS:
        assert f"`{script}`" in text
    modules = sorted({target.split(":")[0] for target in SCRIPTS.values()})
    imports = "; ".join(f"import {m}; assert callable({m}.main)" for m in modules)
    subprocess.run([sys.executable, "-c", imports], check=True, timeout=60)


# --- packages ---


def test_debian_packages_are_those_of_the_file() -> None:
    lines = (ROOT / "installer" / "debian-packages.txt").read_text("utf-8").splitlines()
    wanted = sorted(line.split()[1] for line in lines if line.startswith("run "))
    (install,) = [b for b in blocks(README, "sh") if "apt-get install" in b]
    words = shlex.split(install.replace("\\\n", " ").splitlines()[0])
    assert words[:2] == ["apt-get", "install"]
    assert sorted(word for word in words[2:] if not word.startswith("-")) == wanted


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_pinned() -> None:
    pins = {}
    for line in (ROOT / "installer" / "constraints.txt").read_text("utf-8").splitlines():
        name, _, version = line.partition("==")
        assert version, f"not a pin: {line}"
        pins[_canonical(name)] = version
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {_canonical(re.split(r"[\[<>=!~ ;]", requirement)[0]) for requirement in wanted}
    assert names <= set(pins), sorted(names - set(pins))


# --- settings ---


SETTINGS_PAGES = [README, GUIDES / "operator.md", GUIDES / "pbx.md"]


@pytest.mark.parametrize("page", SETTINGS_PAGES, ids=_ids(SETTINGS_PAGES))
def test_the_seats_settings_load(page: Path, tmp_path: Path) -> None:
    examples = blocks(page, "toml")
    assert examples
    for number, text in enumerate(examples):
        path = tmp_path / f"{number}.toml"
        path.write_text(text, "utf-8")
        config = load_config(path)
        assert config.server_url == "https://desk.example"
        line = config.lines[-1]
        assert (line.user, line.peer.split(":")[0], line.register) == ("1001", "pbx.example", True)


def test_the_readmes_settings_are_five_lines() -> None:
    (text,) = blocks(README, "toml")
    assert len(text.splitlines()) == 5


def test_every_setting_of_a_seat_is_documented() -> None:
    text = (GUIDES / "operator.md").read_text("utf-8") + (GUIDES / "pbx.md").read_text("utf-8")
    tables = (Config, LineSettings, DialPlan, AudioSettings)
    names = [str(field.metadata.get("key", name)) for t in tables for name, field in t.__dataclass_fields__.items()]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_every_setting_of_the_server_is_documented() -> None:
    text = (GUIDES / "collection-server.md").read_text("utf-8")
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(Settings.model_fields)


# --- architecture and decisions ---


def _folder_map() -> str:
    (text,) = [b for b in blocks(ROOT / "docs" / "architecture.md", "") if "composition" in b]
    return text


def _mapped() -> set[str]:
    """Modules (``package/name.py``) and folders (``package/name/``) that the map names."""
    found, top, folder = set(), "", ""
    for line in _folder_map().splitlines():
        if not line.startswith(" "):
            top, folder = line.split("/")[0], ""
        elif match := re.match(r"  (\w+)/", line):
            folder = f"{match[1]}/"
            found.add(f"{top}/{folder}")
        names = re.findall(r"(?<![\w/])(\w+\.py|\w+/)", line if folder else line.removeprefix(f"{top}/"))
        found |= {f"{top}/{folder}{name}" for name in names if f"{top}/{folder}" != f"{top}/{name}"}
    return found


def test_the_folder_map_names_every_module_and_no_other() -> None:
    mapped = _mapped()
    there = set()
    for package in PACKAGES:
        base = ROOT / package
        for path in [*base.glob("*.py"), *base.glob("*/*.py")]:
            relative = path.relative_to(ROOT)
            deep = len(relative.parts) == 3
            listed = any(m.startswith(f"{package}/{relative.parts[1]}/") and m.endswith(".py") for m in mapped)
            if path.stem.startswith("__"):
                continue
            there.add(str(relative) if not deep or listed else f"{package}/{relative.parts[1]}/")
    named = {m for m in mapped if m.startswith(PACKAGES)}
    assert [m for m in sorted(named) if not (ROOT / m).exists()] == []
    ui = {m for m in there if m.startswith("agent_desktop/ui/")}  # the map ends its modules with an ellipsis
    assert sorted(there - ui - named) == []


def test_the_line_process_imports_none_of_the_heavy_packages() -> None:
    heavy = ("PySide6", "sqlalchemy", "requests", "numpy", "fastapi")
    check = f"import sys, agent_desktop.line; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_decisions_are_numbered_dated_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(p for p in folder.glob("*.md") if p.name != "README.md")
    index = (folder / "README.md").read_text("utf-8")
    for number, page in enumerate(pages, 1):
        lines = page.read_text("utf-8").splitlines()
        assert page.name.startswith(f"{number:04d}-")
        assert lines[0].startswith(f"# {number}. ")
        assert re.match(r"\d{4}-\d\d-\d\d · (accepted|superseded)", lines[2])
        assert {"**Chosen.**", "**Why.**"} <= {line.split("** ")[0] + "**" for line in lines if line.startswith("**")}
        assert f"[{number}]({page.name}) | {lines[0].split('. ', 1)[1]} |" in index
