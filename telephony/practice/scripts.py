"""What the debtor says and in which order, read from the folder of sounds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telephony.audio.files import read_wav
from telephony.interfaces import HeadsetError

SCRIPTS_FILE = "scripts.toml"


class ScriptError(Exception):
    """The folder of sounds cannot be used; the text says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Script:
    """A debtor. Sentences are ids; each is a WAV file of that name in the folder."""

    name: str
    numbers: tuple[str, ...]
    """Endings of the numbers that this debtor answers at and calls from."""
    answering: tuple[str, ...]
    calling: tuple[str, ...]
    still_there: str
    """Said when the collector has been silent for long."""

    def sentences(self) -> set[str]:
        return {*self.answering, *self.calling, self.still_there}


@dataclass(frozen=True, slots=True)
class Repertoire:
    """Every script and the PCM of every sentence: signed 16-bit little-endian mono at 16 kHz."""

    scripts: tuple[Script, ...]
    pcm: dict[str, bytes]

    def script_for(self, number: str) -> Script:
        """The debtor with this number; the first one where none claims it."""
        for script in self.scripts:
            if any(number.endswith(ending) for ending in script.numbers):
                return script
        return self.scripts[0]


def load(folder: Path) -> Repertoire:
    """Read scripts and sentences. Raises ``ScriptError``."""
    try:
        data = tomllib.loads((folder / SCRIPTS_FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ScriptError(f"{SCRIPTS_FILE} cannot be read: {error}") from error
    scripts = tuple(_script(entry) for entry in data.get("scripts", ()))
    if not scripts:
        raise ScriptError(f"{SCRIPTS_FILE} holds no script")
    try:
        pcm = {name: read_wav(folder / f"{name}.wav") for script in scripts for name in script.sentences()}
    except HeadsetError as error:
        raise ScriptError(f"a sentence cannot be read: {error.detail}") from error
    return Repertoire(scripts, pcm)


def _script(entry: dict[str, Any]) -> Script:
    try:
        script = Script(
            name=str(entry["name"]),
            numbers=tuple(map(str, entry.get("numbers", ()))),
            answering=tuple(map(str, entry["answering"])),
            calling=tuple(map(str, entry["calling"])),
            still_there=str(entry["still_there"]),
        )
    except (KeyError, TypeError) as error:
        raise ScriptError(f"a script lacks {error}") from error
    if not script.answering or not script.calling:
        raise ScriptError(f"script {script.name} has nothing to say")
    return script
