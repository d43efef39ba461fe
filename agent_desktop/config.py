"""The seat's one configuration file (TOML) and the places where the seat keeps its things."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from agent_desktop.config_lines import LineSettings as LineSettings
from agent_desktop.config_lines import read_lines, with_seat_keys_above
from agent_desktop.config_table import WrongSetting, build

APP_NAME = "agent-desktop"


class ConfigError(ValueError):
    """The configuration file cannot be used; the text is one sentence for the person who wrote the file."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path = path
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """As ``telephony.messages.AudioConfig``."""

    kind: str = "auto"
    microphone: str = ""
    speaker: str = ""
    ringer: str = ""


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
    local_host: str = ""
    """Address that the lines are called at; empty for all of this machine's."""
    local_port: int = 0
    """SIP port; 0 for a free one."""
    lines: tuple[LineSettings, ...] = field(default=(), metadata={"key": "line", "read": read_lines})
    """Written ``[line]``, or ``[[line]]`` each; the first that is usable is dialled on."""
    audio: AudioSettings = field(default_factory=AudioSettings)

    @property
    def data_path(self) -> Path:
        """Where the store, the spool and the logs are."""
        return Path(self.data_dir) if self.data_dir else Path(platformdirs.user_data_dir(APP_NAME, False))


CHOICES = {
    "language": ("system", "zh", "en"),
    "theme": ("system", "light", "dark"),
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
    try:
        return _config(table)
    except WrongSetting as error:
        raise ConfigError(chosen, str(error)) from error


def _config(table: dict[str, Any]) -> Config:
    config = build(Config, with_seat_keys_above(table), "", CHOICES)
    assert isinstance(config, Config)
    if not 0 <= config.local_port < 65536:
        raise WrongSetting("“local_port” must be a port, 1 to 65535, or 0 for a free one.")
    return config


def resources_dir() -> Path:
    """Where sounds, translations and themes are: beside the sources, or inside the installed package."""
    package = Path(__file__).parent
    installed = package / "resources"
    return installed if installed.is_dir() else package.parent / "resources"
