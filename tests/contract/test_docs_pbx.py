"""README's settings and its two commands connect a seat to a real registrar, with nothing else done."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_desktop import app
from agent_desktop.config import load_config
from agent_desktop.seat import product_sign_in
from agent_desktop.services.desk import Desk
from tests.support.memory_keyring import MemoryKeyring
from tests.support.memory_keyring import memory_keyring as memory_keyring
from tests.support.registrars import PASSWORD, Registrar
from tests.support.seat import wait_for
from tests.support.server import DEMO_PASSWORD, RunningServer

README = Path(__file__).parents[2] / "README.md"


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
    password: str,
    state: str,
    code: int,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
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
) -> None:
    """The first is refused its password: the second is dialled on, and the window is told of both."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
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
