from __future__ import annotations

from pathlib import Path

import pytest

from agent_desktop.config import Config, ConfigError, load_config


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return path


def test_every_key_can_be_set(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        """
        server_url = "https://desk.example"
        language = "zh"
        data_dir = "/srv/seat"
        [line]
        user = "1001"
        peer = "pbx.example:5061"
        transport = "tls"
        allowed_peers = ["10.0.0.7"]
        [audio]
        kind = "device"
        microphone = "Jabra"
        """,
    )
    config = load_config(path)
    assert config.server_url == "https://desk.example"
    assert config.data_path == Path("/srv/seat")
    assert config.line.allowed_peers == ("10.0.0.7",)
    assert config.audio.microphone == "Jabra"


def test_defaults_without_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_config() == Config()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('sever_url = "x"', "unknown key “sever_url”; did you mean “server_url”?"),
        ("[line]\npear = 'x'", "unknown key “line.pear”; did you mean “line.peer”?"),
        ("zzz = 1", "unknown key “zzz”; known keys are server_url"),
        ("server_url = 5", "“server_url” must be a text in quotes"),
        ("line = 5", "“line” must be a table"),
        ("[line]\nregister = 1", "“line.register” must be true or false"),
        ("[line]\nlocal_port = true", "“line.local_port” must be a whole number"),
        ("[line]\nallowed_peers = [1]", "“line.allowed_peers” must be a list of texts"),
        ("theme = 'pink'", "“theme” must be one of system, light, dark"),
        ("server_url = ", "not valid TOML"),
    ],
)
def test_a_bad_file_gives_one_clear_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in caught.value.sentence


def test_a_named_file_must_be_there_and_be_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "nowhere.toml")
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(path)
