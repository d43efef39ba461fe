"""docs/guides/line-protocol.md against telephony/messages: every message, field, code and cause, and no other."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from telephony.causes import Ending, cause_of
from telephony.messages import (
    PROTOCOL_VERSION,
    CallEnded,
    Command,
    Error,
    Event,
    Hello,
    Message,
    MessageError,
    decode,
    encode,
    message_types,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guides" / "line-protocol.md"
NAME = re.compile(r"`([a-z_]+)`")


def _sections(page: str) -> list[tuple[str, str, str]]:
    """Each ``###`` section: the ``##`` it stands under, its name, its text."""
    found, chapter = [], ""
    for part in re.split(r"^(?=##)", page, flags=re.MULTILINE):
        if part.startswith("## "):
            chapter = part.splitlines()[0][3:]
        elif part.startswith("### "):
            title, text = part[4:].split("\n", 1)
            found.append((chapter, title, text))
    return found


def _examples(page: str) -> list[str]:
    return re.findall(r"^```json\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def _table(text: str, heading: str) -> set[str]:
    rows = re.search(rf"^\| {heading} \|.*?\n\|[-|]+\|\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    assert rows is not None, f"no table headed {heading}"
    return {name for row in rows[1].splitlines() for name in NAME.findall(row.split("|")[1])}


def _told_in(docstring: str | None) -> set[str]:
    """What a docstring lists after its colon, in double backticks."""
    assert docstring is not None
    return set(re.findall(r"``([a-z_]+)``", re.split(r"Codes:|``cause``:", docstring)[1]))


def missing_fields(cls: type, body: dict[str, Any], where: str) -> list[str]:
    """Fields of ``cls`` that an example does not show, in what it holds as well."""
    hints = typing.get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        here, hint = f"{where}.{field.name}", hints[field.name]
        if field.name not in body:
            found.append(here)
        elif dataclasses.is_dataclass(hint):
            found += missing_fields(typing.cast(type, hint), body[field.name], here)
        elif typing.get_origin(hint) is tuple and dataclasses.is_dataclass(typing.get_args(hint)[0]):
            assert body[field.name], f"{here}: the example's list is empty"
            for item in body[field.name]:
                found += missing_fields(typing.get_args(hint)[0], item, here)
    return found


def check_page(page: str) -> None:
    """Raises ``AssertionError`` for a page that is not what ``telephony.messages`` says, ``MessageError`` likewise."""
    seen = []
    kinds = {"Commands": Command, "Events": Event}
    for chapter, title, text in _sections(page):
        examples = _examples(text)
        assert len(examples) == 1, f"{title}: {len(examples)} examples"
        message = decode(examples[0])
        assert message.type == title, f"the example below {title} is of {message.type}"
        assert decode(encode(message)) == message
        assert isinstance(message, kinds.get(chapter, Message)), f"{title} stands under {chapter}"
        body = json.loads(examples[0])
        assert missing_fields(type(message), body, title) == []
        meaning = text.split("```json")[0].split("|")[0].strip()
        assert meaning.endswith((".", "`")), f"{title} has no meaning"
        seen.append(title)
    assert sorted(seen) == sorted(message_types())
    assert len(_examples(page)) == len(seen), "there are examples outside the sections"


def test_every_message_has_one_whole_example() -> None:
    check_page(PAGE.read_text("utf-8"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"digit": "5"}', '"digit": "5", "extra": 1}'),
        ('"id": "9", ', ""),
        (', "reason": "busy"}', "}"),
        ('"sealed_ms": 207280, ', ""),
        ("### stopped", "### ended"),
        ('\n{"type": "answer"', '\n{"type": "hang_up"'),
        ("### levels", "### dtmf_received"),
    ],
)
def test_a_wrong_page_is_found(old: str, new: str) -> None:
    page = PAGE.read_text("utf-8")
    assert page.count(old) == 1
    with pytest.raises((AssertionError, MessageError)):
        check_page(page.replace(old, new))


def test_a_page_without_a_message_is_found() -> None:
    page = PAGE.read_text("utf-8")
    start = page.index("### stopped")
    with pytest.raises(AssertionError):
        check_page(page[:start])


def test_the_page_is_of_this_version() -> None:
    page = PAGE.read_text("utf-8")
    assert page.startswith(f"# The line protocol, version {PROTOCOL_VERSION}\n")
    assert Hello("1").version == PROTOCOL_VERSION


def _codes_in_sources() -> set[str]:
    """First arguments of ``CommandError``, and codes of ``Error`` replies, in the line process's sources."""
    found = set()
    for path in [*(ROOT / "telephony").rglob("*.py"), *(ROOT / "agent_desktop").glob("line*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            place = {"CommandError": 0, "Error": 1}.get(node.func.id)
            if place is None or len(node.args) <= place:
                continue
            if isinstance(argument := node.args[place], ast.Constant):
                found.add(str(argument.value))
    return found


def test_the_error_codes_are_the_codes() -> None:
    told = _table(PAGE.read_text("utf-8"), "code")
    assert told == _told_in(Error.__doc__)
    used = _codes_in_sources()
    assert "line_busy" in used
    assert "bad_version" in used
    assert used <= told


def test_the_causes_are_those_that_come() -> None:
    told = _table(PAGE.read_text("utf-8"), "cause")
    assert told == _told_in(CallEnded.__doc__)
    flags = itertools.product((False, True), repeat=5)
    codes = (0, 200, *range(400, 700))
    come = {cause_of(Ending(*each, code, transferred)) for *each, transferred in flags for code in codes}
    assert come == told
