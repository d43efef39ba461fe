from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from agent_desktop.app import main
from agent_desktop.config import Config, ConfigError, LineSettings, load_config
from agent_desktop.seat import seat_settings
from telephony.messages import LineConfig
from tests.support.memory_keyring import MemoryKeyring
from tests.support.memory_keyring import memory_keyring as memory_keyring


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
        [line.dial_plan]
        outside_prefix = "9"
        extension_lengths = [4]
        allowed = ["extension", "local", "mobile"]
        [audio]
        kind = "device"
        microphone = "Jabra"
        """,
    )
    config = load_config(path)
    assert config.server_url == "https://desk.example"
    assert config.data_path == Path("/srv/seat")
    (line,) = config.lines
    assert (line.line_id, line.allowed_peers, line.dial_plan.outside_prefix) == ("1001", ("10.0.0.7",), "9")
    assert line.dial_plan.extension_lengths == (4,)
    assert config.audio.microphone == "Jabra"


def test_defaults_without_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_config() == Config()


LINE = "[line]\nuser = '1001'\npeer = 'pbx.example'\n"
PLAN = LINE + "[line.dial_plan]\n"
TWO = "[[line]]\nuser = '1001'\npeer = 'pbx.example'\n[[line]]\nuser = '1002'\npeer = 'pbx.example'\n"


def test_every_choice_of_a_line_has_the_defaults_of_the_line_protocol() -> None:
    line, wire = LineSettings(), LineConfig("", "", "", "")
    shared = set(LineSettings.__dataclass_fields__) & set(LineConfig.__dataclass_fields__) - {"register"}
    assert {name: getattr(line, name) for name in shared} == {name: getattr(wire, name) for name in shared}


def test_several_lines_each_with_its_own_settings(tmp_path: Path) -> None:
    text = """
        local_port = 5070
        [[line]]
        user = "02161234567"
        peer = "sbc.example:5061"
        name = "直线"
        transport = "tls"
        srtp = "mandatory"
        register = false
        [line.dial_plan]
        number_format = "e164"
        allowed = ["local", "mobile", "national", "service"]
        [[line]]
        user = "1001"
        id = "extension"
        peer = "pbx.example"
        backup_peer = "pbx2.example:5060"
        [line.dial_plan]
        outside_prefix = "9"
    """
    config = load_config(_write(tmp_path, text))
    assert [(line.line_id, line.name) for line in config.lines] == [("02161234567", "直线"), ("extension", "")]
    assert (config.local_port, config.lines[1].dial_plan.outside_prefix) == (5070, "9")
    direct, extension = seat_settings(config).lines
    assert (direct.name, direct.config.srtp, direct.plan.number_format) == ("直线", "mandatory", "e164")
    assert "直线" not in repr(direct.config)  # the far side is not told how a line is called here
    assert (extension.config.line_id, extension.config.backup_peer) == ("extension", "pbx2.example:5060")


@pytest.mark.parametrize("text", ["", "[line]\n", "[line]\nregister = false", "line = []"])
def test_a_seat_may_have_no_line(tmp_path: Path, text: str) -> None:
    assert load_config(_write(tmp_path, text)).lines == ()


def test_the_seats_address_may_stand_in_the_line(tmp_path: Path) -> None:
    """As it did when a seat had one line."""
    config = load_config(_write(tmp_path, LINE + "local_host = '10.0.0.7'\nlocal_port = 5060"))
    assert (config.local_host, config.local_port, len(config.lines)) == ("10.0.0.7", 5060, 1)


@pytest.mark.parametrize("text", [LINE + "password = 'hunter2'", TWO + "password = 'hunter2'"])
def test_a_password_in_the_file_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(_write(tmp_path, text))
    assert "agent-desktop line-password" in caught.value.sentence
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def kept(memory_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    monkeypatch.setattr(getpass, "getpass", lambda prompt: f"secret of {prompt.split()[-1]}")
    return memory_keyring.kept


def test_each_lines_password_is_kept_by_its_name(tmp_path: Path, kept: dict[tuple[str, str], str]) -> None:
    path = _write(tmp_path, TWO + "auth_user = 'auth-1002'\nid = 'second'")
    assert main(["--config", str(path), "line-password", "second"]) == 0
    assert kept == {("agent-desktop-line", "auth-1002@pbx.example"): "secret of second:"}
    passwords = [line.config.password for line in seat_settings(load_config(path)).lines]
    assert passwords == ["", "secret of second:"]
    assert "secret" not in repr(seat_settings(load_config(path)))


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        (TWO, [], "There are several lines: say which one, 1001, 1002."),
        (TWO, ["1003"], "There is no such line; the configuration has 1001, 1002."),
        ("", [], "The configuration has no [line] with a user."),
    ],
)
def test_a_line_that_is_not_meant_gets_no_password(
    tmp_path: Path,
    kept: dict[tuple[str, str], str],
    capsys: pytest.CaptureFixture[str],
    text: str,
    name: list[str],
    sentence: str,
) -> None:
    assert main(["--config", str(_write(tmp_path, text)), "line-password", *name]) == 2
    assert (capsys.readouterr().err, kept) == (f"{sentence}\n", {})


def test_without_a_keyring_the_lines_have_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "secret")
    path = _write(tmp_path, LINE)
    assert main(["--config", str(path), "line-password"]) == 1
    assert "no keyring service" in capsys.readouterr().err
    assert seat_settings(load_config(path)).lines[0].config.password == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('sever_url = "x"', "unknown key “sever_url”; did you mean “server_url”?"),
        ("[line]\npear = 'x'", "unknown key “line.pear”; did you mean “line.peer”?"),
        ("zzz = 1", "unknown key “zzz”; known keys are server_url"),
        ("server_url = 5", "“server_url” must be a text in quotes"),
        ("line = 5", "“line” must be a table"),
        ("[line]\nregister = 1", "“line.register” must be true or false"),
        ("[line]\nlocal_port = true", "“local_port” must be a whole number"),
        ("local_port = 70000", "“local_port” must be a port"),
        ("[[lines]]\nuser = '1'", "unknown key “lines”; did you mean “line”?"),
        ("line = [1]", "“line” must be a table, written [line], or [[line]] for each of several."),
        (LINE + "transport = 'tsl'", "“line.transport” must be one of udp, tcp, tls; did you mean “tls”?"),
        (LINE + "transport = 'TLS'", "must be one of udp, tcp, tls; did you mean “tls”?"),
        (LINE + "srtp = 'yes'", "“line.srtp” must be one of off, optional, mandatory."),
        (LINE + "dtmf = 'rfc2833'", "“line.dtmf” must be one of rfc4733, info; did you mean “rfc4733”?"),
        (LINE + "reliable_provisional = 'on'", "must be one of supported, required, off"),
        (LINE + "session_timer_s = 20", "“line.session_timer_s” must be 0 or at least 90."),
        (LINE + "presented_number = 'agency'", "“line.presented_number” must be a number"),
        (LINE + "backup_peer = 'pbx2:99999'", "“line.backup_peer” must be a host, or host:port"),
        (LINE + "backup_peer = 'pbx2'\nregister = false", "“line.backup_peer” is a registrar's: it needs register"),
        ("[line]\nuser = '1001'", "“line.peer” is missing."),
        ("[line]\npeer = 'pbx.example'", "“line.user” is missing."),
        ("[line]\nuser = '1001'\npeer = 'sip:pbx.example'", "“line.peer” must be a host, or host:port"),
        (PLAN + "outside_prefix = 9", "“line.dial_plan.outside_prefix” must be a text in quotes."),
        (PLAN + "outside_prefix = 'nine'", "“line.dial_plan.outside_prefix” must be the digits that are dialled"),
        (PLAN + "outside_perfix = '9'", "did you mean “line.dial_plan.outside_prefix”?"),
        (PLAN + "area_code = 'Shanghai'", "“line.dial_plan.area_code” must be an area code such as “021”."),
        (PLAN + "mobile_prefix = '0'", "“line.dial_plan.mobile_prefix” needs area_code"),
        (PLAN + "own_area_code = false", "“line.dial_plan.own_area_code” needs area_code"),
        (PLAN + "extension_lengths = ['4']", "“line.dial_plan.extension_lengths” must be a list of whole numbers."),
        (PLAN + "extension_lengths = [40]", "must be numbers of digits, 1 to 8"),
        (PLAN + "allowed = ['mobiles']", "must be one of extension, local, mobile, national, international, service,"),
        (PLAN + "number_format = 'E164'", "did you mean “e164”?"),
        (LINE + LINE.replace("[line]", "[[line]]"), "not valid TOML"),
        (TWO + "transport = 'x'", "“line 2, transport” must be one of udp, tcp, tls."),
        (TWO + "srpt = 'off'", "unknown key “line 2, srpt”; did you mean “line 2, srtp”?"),
        (TWO + "[line.dial_plan]\nallowed = 1", "“line 2, dial_plan.allowed” must be a list of texts."),
        (TWO.replace("1002", "1001"), "line “1001” is there twice."),
        (TWO.replace("pbx.example'\n[[", "pbx.other'\n[[").replace("1002", "1001"), "two lines are called “1001”"),
        (TWO + "id = '1001'", "two lines are called “1001”: give one of them an “id” of its own."),
        ("local_port = 5060\n" + TWO + "local_port = 5061", "“local_port” is the whole seat's"),
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
