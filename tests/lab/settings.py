"""The settings in ``resources/pbx``, filled in as an administrator would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PBX = Path(__file__).parents[2] / "resources" / "pbx"
_WORD = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def words(text: str) -> set[str]:
    """The site's own words that a file asks for."""
    return set(_WORD.findall(text))


def filled(file: str, values: Mapping[str, object]) -> str:
    """A file of ``resources/pbx`` with every ``@WORD@`` in it replaced; a word that has no value is an error."""
    text = (PBX / file).read_text("utf-8")
    return _WORD.sub(lambda found: str(values[found[1]]), text)
