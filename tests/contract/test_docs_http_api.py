"""docs/guides/http-api.md against the server: every call, field and error code, and no other."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from collection_server.app import openapi_document
from collection_server.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guides" / "http-api.md").read_text("utf-8")
OPENAPI: dict[str, Any] = json.loads(json.dumps(openapi_document()))
SCHEMAS: dict[str, Any] = OPENAPI["components"]["schemas"]


def _column(table: str, number: int) -> list[str]:
    rows = PAGE.split(f"| {table} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [row.split(" | ")[number].strip("| ") for row in rows]


def _plain(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path.split("?")[0])


def _documented_calls(cells: list[str]) -> set[tuple[str, str]]:
    found = set()
    for cell in cells:
        methods = re.findall(r"\b(GET|POST|PUT|DELETE|WS)\b", cell)
        found |= {(method, _plain(path)) for method in methods for path in re.findall(r"/v1/[^\s`,]+", cell)}
    return found


def _served_calls() -> set[tuple[str, str]]:
    calls = {(method.upper(), _plain(path)) for path, item in OPENAPI["paths"].items() for method in item}
    return calls | {("WS", "/v1/events")}  # OpenAPI has no word for it


def test_every_call_is_documented_and_no_other() -> None:
    assert _documented_calls(_column("call", 0)) == _served_calls()


def test_a_call_that_is_not_served_is_found() -> None:
    assert _documented_calls(["`GET`, `PUT /v1/none?x=`"]) == {("GET", "/v1/none"), ("PUT", "/v1/none")}


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("Case", "CaseOut"),
        ("Contact", "ContactOut"),
        ("Note", "NoteOut"),
        ("Call", "CallOut"),
        ("Recording row", "RecordingRow"),
        ("Seat row", "SeatRow"),
    ],
)
def test_shapes_have_these_fields(name: str, schema: str) -> None:
    listed = re.search(rf"\b{name}: `([^`]+)`", PAGE)
    assert listed is not None
    flat = re.sub(r":.*", "", re.sub(r"\s+", " ", listed[1]))  # a note ends with its promise: null | {…}
    assert {field.strip() for field in flat.split(",")} == set(SCHEMAS[schema]["properties"])


def test_the_policys_fields_and_defaults() -> None:
    text = re.search(r"`policy` of the session: `(\{[^`]+\})`", PAGE)
    assert text is not None
    assert json.loads(text[1]) == Settings().policy()


def _raised() -> set[tuple[int, str]]:
    """Status and code of every ``Problem`` and ``problem_response`` in the server's sources."""
    found = set()
    for path in (ROOT / "collection_server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) >= 2):
                continue
            status, code = node.args[:2]
            known = isinstance(status, ast.Constant) and isinstance(code, ast.Constant)
            if node.func.id in ("Problem", "problem_response") and known:
                found.add((status.value, code.value))  # type: ignore[attr-defined]
    return found


def test_the_errors_are_those_that_are_answered() -> None:
    told = set()
    for statuses, codes in zip(_column("status", 0), _column("status", 1), strict=True):
        names = set(re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)|`(errors|missing)`", "", codes)))
        told |= {(int(status), name) for status in statuses.split(",") for name in names}
    raised = _raised()
    assert (409, "seat_key_changed") in raised
    assert told == raised | {(405, "bad_request")}
