"""Collect the interface's texts, fill in their Chinese, compile them, and check that none is missing.

    python installer/translations.py            update the .ts and .qm files; exit 1 and list what has no Chinese
    python installer/translations.py --check    change nothing; exit 1 when the files are not in step with the code

How to translate: write ``translate("Context", "English text")`` in the code (``agent_desktop.ui.language.translate``),
then add ``"English text" = "中文"`` below ``[Context]`` in one of ``resources/translations/zh_CN/*.toml`` (one file for
each part of the interface, merged here; the same text of a context may stand in one file only), and run this.
``{name}`` placeholders must be the same on both sides.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "resources" / "translations"
NAME = "agent_desktop_zh_CN"
_PLACEHOLDER = re.compile(r"\{[^}]*\}|%n")

Texts = dict[tuple[str, str], str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder)
        problems = build(built)
        for suffix in (".ts", ".qm"):
            new, old = built / f"{NAME}{suffix}", FOLDER / f"{NAME}{suffix}"
            if check and (not old.exists() or old.read_bytes() != new.read_bytes()):
                problems.append(f"{old.name} is not in step with the code: run python installer/translations.py")
            elif not check:
                old.write_bytes(new.read_bytes())
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def build(folder: Path) -> list[str]:
    """Write the .ts and .qm into ``folder``; returns what is wrong, a line each."""
    ts = folder / f"{NAME}.ts"
    _collect(ts)
    chinese, problems = load()
    problems += fill(ts, chinese)
    _run("pyside6-lrelease", "-silent", str(ts), "-qm", str(ts.with_suffix(".qm")))
    return problems


def _collect(ts: Path) -> None:
    sources = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "agent_desktop" / "ui").rglob("*.py"))
    sources += [str(p.relative_to(ROOT)) for p in (ROOT / "agent_desktop").glob("app*.py")]
    options = [
        "-silent",
        "-locations",
        "none",
        "-no-obsolete",
        "-sort-messages",
        "-source-language",
        "en",
        "-target-language",
        "zh_CN",
    ]
    _run("pyside6-lupdate", *options, *sources, "-ts", str(ts))


def _run(tool: str, *arguments: str) -> None:
    beside = Path(sys.executable).with_name(tool)
    subprocess.run([str(beside if beside.exists() else tool), *arguments], cwd=ROOT, check=True)


def load(folder: Path = FOLDER / "zh_CN") -> tuple[Texts, list[str]]:
    """All translations by (context, English), and what is said twice."""
    texts: Texts = {}
    problems = []
    for file in sorted(folder.glob("*.toml")):
        for context, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
            for english, chinese in entries.items():
                if (context, english) in texts:
                    problems.append(f"{file.name}: [{context}] {english!r} is in another file too")
                texts[context, english] = chinese
    return texts, problems


def fill(ts: Path, chinese: Texts) -> list[str]:
    """Put the Chinese into the .ts; returns texts without Chinese, Chinese without text, and wrong placeholders."""
    tree = ET.parse(ts)  # noqa: S314
    problems, used = [], set()
    for context in tree.getroot().iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            english = message.findtext("source", "")
            translation = message.find("translation")
            assert translation is not None
            used.add((name, english))
            text = chinese.get((name, english), "")
            if not text:
                problems.append(f"no Chinese: [{name}] {english!r}")
                continue
            if sorted(_PLACEHOLDER.findall(english)) != sorted(_PLACEHOLDER.findall(text)):
                problems.append(f"placeholders differ: [{name}] {english!r}")
            translation.text = text
            translation.attrib.pop("type", None)
    problems += [f"no longer in the code: [{c}] {e!r}" for c, e in sorted(set(chinese) - used)]
    ET.indent(tree, " ")
    header = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'
    ts.write_text(header + ET.tostring(tree.getroot(), encoding="unicode") + "\n", encoding="utf-8")
    return problems


if __name__ == "__main__":
    sys.exit(main())
