"""README's settings and its two commands connect a seat to a real registrar, with nothing else done."""

from __future__ import annotations

import getpass
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from agent_desktop import app
from agent_desktop.config import load_config
from agent_desktop.seat import product_sign_in
from agent_desktop.services.desk import Desk
from tests.line.test_engine_register import PASSWORD, Registrar
from tests.support.seat import wait_for
from tests.support.server import DEMO_PASSWORD, RunningServer

README = Path(__file__).parents[2] / "README.md"


class _MemoryKeyring(KeyringBackend):
    """Stands for the desktop's keyring service, which a test machine has not."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def kept() -> Iterator[_MemoryKeyring]:
    before, memory = keyring.get_keyring(), _MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def registrar(tmp_path: Path) -> Iterator[Registrar]:
    assert shutil.which("kamailio"), "kamailio is in installer/debian-packages.txt"
    folder = tmp_path / "kamailio"
    folder.mkdir()
    started = Registrar(folder)
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
    kept: _MemoryKeyring,
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
    assert list(kept.kept.values()) == [password]
    desk = product_sign_in(load_config(path))("liting", DEMO_PASSWORD, "")
    assert isinstance(desk, Desk)
    try:
        wait_for(lambda: desk.status.now.line_state == state, 15)
        assert desk.status.now.line_sip_code == code
        assert desk.status.now.line_name == "1001"
    finally:
        desk.close()
    assert not any(password in p.read_text("utf-8", "replace") for p in (tmp_path / "seat").rglob("*") if p.is_file())
