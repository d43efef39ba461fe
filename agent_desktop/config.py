"""The seat's one configuration file (TOML) and the places where the seat keeps its things."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

APP_NAME = "agent-desktop"


class ConfigError(ValueError):
    """The configuration file cannot be used; the text is one sentence for the person who wrote the file."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path = path
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class LineSettings:
    """The seat's SIP line. Its password is kept in the OS keyring, never here."""

    user: str = ""
    """Extension or number; empty for a seat without a line."""
    peer: str = ""
    """``host:port`` of the PBX, or of a direct peer."""
    register: bool = True
    auth_user: str = ""
    transport: str = "udp"
    allowed_peers: tuple[str, ...] = ()
    ca_file: str = ""
    """PEM file of the authority behind the PBX's certificate, for ``tls``; empty for this machine's authorities."""
    local_host: str = ""
    """Address to be called at; empty for all."""
    local_port: int = 0


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """As ``telephony.messages.AudioConfig``."""

    kind: str = "auto"
    microphone: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a seat; every one has a usable default but the server."""

    server_url: str = "http://127.0.0.1:8460"
    ca_file: str = ""
    """PEM file of a private CA for the server's certificate."""
    data_dir: str = ""
    language: str = "system"
    """``system``, ``zh`` or ``en``."""
    theme: str = "system"
    """``system``, ``light`` or ``dark``."""
    line: LineSettings = field(default_factory=LineSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)

    @property
    def data_path(self) -> Path:
        """Where the store, the spool and the logs are."""
        return Path(self.data_dir) if self.data_dir else Path(platformdirs.user_data_dir(APP_NAME, False))


CHOICES = {
    "language": ("system", "zh", "en"),
    "theme": ("system", "light", "dark"),
    "line.transport": ("udp", "tcp", "tls"),
    "audio.kind": ("auto", "device", "files", "null"),
}


def default_config_path() -> Path:
    """Where the configuration file is looked for when none is named."""
    return Path(platformdirs.user_config_dir(APP_NAME, False)) / "config.toml"


def load_config(path: Path | None = None) -> Config:
    """Read the file; a file that is not there and was not named gives the defaults. Raises ``ConfigError``."""
    chosen = path or default_config_path()
    try:
        text = chosen.read_text("utf-8")
    except FileNotFoundError as error:
        if path is None:
            return Config()
        raise ConfigError(chosen, "there is no such file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(chosen, "the file cannot be read as UTF-8 text.") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(chosen, f"not valid TOML: {error}.") from error
    config = _build(chosen, Config, table, "")
    assert isinstance(config, Config)
    return config


def _build(path: Path, cls: type, table: dict[str, Any], prefix: str) -> object:
    hints = typing.get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls)]
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = prefix + key
        if key not in names:
            raise ConfigError(path, f"unknown key “{where}”{_suggestion(key, names, prefix)}")
        values[key] = _checked(path, hints[key], value, where)
    return cls(**values)


def _suggestion(key: str, names: list[str], prefix: str) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    return f"; did you mean “{prefix}{near[0]}”?" if near else f"; known keys are {', '.join(names)}."


def _checked(path: Path, hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(path, f"“{where}” must be a table, written [{where}].")
        assert isinstance(hint, type)
        return _build(path, hint, value, f"{where}.")
    if typing.get_origin(hint) is tuple:
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ConfigError(path, f"“{where}” must be a list of texts.")
        return tuple(value)
    if type(value) is not hint:
        words = {str: "a text in quotes", int: "a whole number", bool: "true or false"}
        raise ConfigError(path, f"“{where}” must be {words[hint]}.")
    if where in CHOICES and value not in CHOICES[where]:
        raise ConfigError(path, f"“{where}” must be one of {', '.join(CHOICES[where])}.")
    return value


def resources_dir() -> Path:
    """Where sounds, translations and themes are: beside the sources, or inside the installed package."""
    package = Path(__file__).parent
    installed = package / "resources"
    return installed if installed.is_dir() else package.parent / "resources"
