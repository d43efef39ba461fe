"""README's settings and its two commands connect a seat to a real registrar, with nothing else done.

The PBX guide says what the settings in resources/pbx say.
"""

from __future__ import annotations

import dataclasses
import getpass
import inspect
import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_desktop import app
from agent_desktop.config import LineSettings, load_config, resources_dir
from agent_desktop.seat import product_sign_in
from agent_desktop.services.desk import Desk
from telephony.messages import LineState
from tests.lab.kamailio import ha1
from tests.lab.seats import Seat
from tests.lab.settings import PBX, filled, words
from tests.support.memory_keyring import MemoryKeyring
from tests.support.memory_keyring import memory_keyring as memory_keyring
from tests.support.registrars import PASSWORD, Registrar
from tests.support.seat import wait_for
from tests.support.server import DEMO_PASSWORD, RunningServer

README = Path(__file__).parents[2] / "README.md"
GUIDE = README.parent / "docs" / "guides" / "pbx.md"


@pytest.fixture
def registrar(tmp_path: Path) -> Iterator[Registrar]:
    started = Registrar(tmp_path / "kamailio")
    yield started
    started.stop()


def _readme_settings(server: RunningServer, registrar: Registrar, data_dir: Path) -> str:
    found = re.search(r"^```toml\n(.*?)^```$", README.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert found is not None
    text = (
        found[1].replace("https://desk.example", server.url).replace("pbx.example:5060", f"127.0.0.1:{registrar.port}")
    )
    assert server.url in text
    return f'data_dir = "{data_dir}"\n{text}'


@pytest.mark.parametrize(("password", "state", "code"), [(PASSWORD, "registered", 200), ("wrong", "failed", 401)])
def test_five_lines_and_a_password_connect_a_seat(
    server: RunningServer,
    registrar: Registrar,
    memory_keyring: MemoryKeyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runtime_dir: str,
    password: str,
    state: str,
    code: int,
) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt: password)
    path = tmp_path / "config.toml"
    path.write_text(_readme_settings(server, registrar, tmp_path / "seat"), "utf-8")
    assert app.main(["--config", str(path), "line-password"]) == 0
    assert list(memory_keyring.kept.values()) == [password]
    desk = product_sign_in(load_config(path))("liting", DEMO_PASSWORD, "")
    assert isinstance(desk, Desk)
    try:
        wait_for(lambda: desk.status.now.line_state == state, 15)
        assert desk.status.now.line_sip_code == code
        assert desk.status.now.line_name == "1001"
    finally:
        desk.close()
    assert not any(password in p.read_text("utf-8", "replace") for p in (tmp_path / "seat").rglob("*") if p.is_file())


def test_several_lines_register_each_with_its_own_password(
    server: RunningServer,
    registrar: Registrar,
    memory_keyring: MemoryKeyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runtime_dir: str,
) -> None:
    """The first is refused its password: the second is dialled on, and the window is told of both."""
    peer = f"127.0.0.1:{registrar.port}"
    lines = "".join(f'[[line]]\nuser = "{user}"\npeer = "{peer}"\nname = "{user} 分机"\n' for user in ("1001", "1002"))
    path = tmp_path / "config.toml"
    path.write_text(f'server_url = "{server.url}"\ndata_dir = "{tmp_path / "seat"}"\n{lines}', "utf-8")
    for user, password in (("1001", "wrong"), ("1002", PASSWORD)):
        monkeypatch.setattr(getpass, "getpass", lambda prompt, password=password: password)
        assert app.main(["--config", str(path), "line-password", user]) == 0
    desk = product_sign_in(load_config(path))("liting", DEMO_PASSWORD, "")
    assert isinstance(desk, Desk)
    try:
        wait_for(lambda: [line.state for line in desk.phone.lines] == ["failed", "registered"], 20)
        refused, registered = desk.phone.lines
        assert (refused.name, refused.problem, refused.sip_code) == ("1001 分机", "wrong_password", 401)
        assert (registered.registrar, registered.problem) == ("primary", "")
        status = desk.status.now
        assert (status.line_state, status.line_name, status.lines_down) == ("registered", "1002 分机", 1)
        desk.calls.dial_number("1003")
        view = desk.calls.current
        assert view is None or view.line_id == "1002"
    finally:
        desk.close()


# --- the guide and the settings that come with the product ---

SHARED = [
    *(f"asterisk/{name}.conf" for name in ("pjsip", "extensions", "rtp", "modules")),
    "kamailio/kamailio.cfg",
]
REPEATED = ["asterisk/pjsip_seats.conf", "asterisk/extensions_seats.conf", "kamailio/subscriber", "kamailio/dbaliases"]


def _rows(heading: str) -> list[list[str]]:
    """Cells of the table below this head row, the words in backticks of the first cell first."""
    lines = GUIDE.read_text("utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _named(heading: str) -> set[str]:
    """What the first column of a table names in backticks."""
    return {name for row in _rows(heading) for name in re.findall(r"`([^`]+)`", row[0])}


def _block(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_settings_are_where_the_guide_says() -> None:
    there = {str(p.relative_to(resources_dir() / "pbx")) for p in (resources_dir() / "pbx").rglob("*") if p.is_file()}
    assert there == {*SHARED, *REPEATED}


def test_every_word_to_fill_in_is_in_the_guides_table() -> None:
    wanted = {f"@{word}@" for file in (*SHARED, *REPEATED) for word in words((PBX / file).read_text("utf-8"))}
    assert _named("word") == wanted


def test_the_guides_replacements_fill_every_file_in(tmp_path: Path) -> None:
    script = tmp_path / "site.sed"
    script.write_text(_block("sed"))
    for file in SHARED:
        done = subprocess.run(["sed", "-f", script, PBX / file], capture_output=True, text=True, check=True)
        assert words(done.stdout) == set(), file
        assert len(done.stdout.splitlines()) == len((PBX / file).read_text("utf-8").splitlines())


def test_the_guides_seat_is_the_file_filled_in() -> None:
    seat = Seat("1001", "a-long-random-password", transport="tls", numbers="02161234567 02161234568")
    text = filled("asterisk/pjsip_seats.conf", seat.words)
    plain = [line for line in text.splitlines() if line and not line.startswith(";")]
    assert [line for line in _block("ini").splitlines() if line] == plain


def test_the_settings_that_matter_are_in_the_file() -> None:
    lines = (PBX / "asterisk" / "pjsip.conf").read_text("utf-8").splitlines()
    assert len(_named("setting")) > 10
    assert [setting for setting in _named("setting") if setting not in lines] == []
    assert "tcp_connection_lifetime=3660" in (PBX / "kamailio" / "kamailio.cfg").read_text("utf-8").splitlines()


def test_the_codes_that_the_guide_names_are_dialled() -> None:
    plan = (PBX / "asterisk" / "extensions.conf").read_text("utf-8")
    codes = set(re.findall(r"`(\*\d+)`", GUIDE.read_text("utf-8")))
    assert codes == set(re.findall(r"^exten => _?(\*\d\d)", plan, flags=re.MULTILINE))


def test_every_setting_of_a_line_has_its_place_in_a_pbx() -> None:
    assert _named("`[[line]]`") == {field.name for field in dataclasses.fields(LineSettings)}


def test_every_problem_of_a_line_is_explained() -> None:
    source = inspect.getsource(LineState)
    told = set(re.findall(r"``(\w+)``", source[source.index("Why it is not registered") :]))
    assert len(told) > 10
    assert _named("problem") == told


def test_the_guides_ha1_is_what_kamailio_wants() -> None:
    (command,) = re.findall(r"^(printf .* \| md5sum)$", GUIDE.read_text("utf-8"), flags=re.MULTILINE)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == ha1(Seat("1001", "a-long-random-password"))
