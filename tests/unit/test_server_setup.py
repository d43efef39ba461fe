"""Migrations, the OpenAPI document, settings, keys and the command line of the collection server."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from collection_server import migrations
from collection_server.cli import OPENAPI, main, openapi_text
from collection_server.db import make_engine
from collection_server.keys import BadKeys, load_keys, make_keys
from collection_server.settings import BadSettings, load_settings
from collection_server.tables import metadata


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The command line, in this process; the contract tests start it as a process."""

    def run(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


def test_the_migrations_make_what_the_tables_say_and_go_back(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'm.db'}")
    assert not migrations.is_current(engine)
    migrations.upgrade(engine)
    assert migrations.is_current(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrations.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    migrations.upgrade(engine)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_sqlite_is_opened_durably(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'd.db'}")
    with engine.connect() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    engine.dispose()
    assert values == ["wal", 2, 1, 10_000]


def test_the_checked_in_openapi_document_is_this_codes() -> None:
    assert OPENAPI.read_text("utf-8") == openapi_text(), "run: collection-server openapi"


def test_every_operation_of_the_document_can_fail_as_a_problem() -> None:
    document = json.loads(OPENAPI.read_text("utf-8"))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)
            assert "422" not in operation["responses"]


def test_settings_come_from_the_file_under_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server.toml").write_text('port = 9000\nhost = "10.0.0.1"\nidle_seconds = 600\n', "utf-8")
    monkeypatch.setenv("COLLECTION_HOST", "10.0.0.2")
    settings = load_settings(data=tmp_path, idle_seconds=700)
    assert (settings.port, settings.host, settings.idle_seconds) == (9000, "10.0.0.2", 700)
    assert settings.policy()["idle_seconds"] == 700


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "unknown key: prot"),
        ("port = 70000", "port in server.toml cannot be used"),
        ('timezone = "Mars/Base"', "timezone in server.toml cannot be used"),
        ("port = ", "not valid TOML"),
    ],
)
def test_a_bad_key_gives_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "server.toml").write_text(text, "utf-8")
    with pytest.raises(BadSettings) as wrong:
        load_settings(data=tmp_path)
    assert words in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_bad_variable_gives_one_sentence(
    tmp_path: Path, run_cli: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("COLLECTION_PROT", "1"), ("COLLECTION_PORT", "many"), ("COLLECTION_CONFIG", "/nowhere.toml")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            done = run_cli("serve", "--data", str(tmp_path))
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert value not in done.stderr or name == "COLLECTION_CONFIG"


def test_keys_are_private_and_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    make_keys(folder)
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
    before = load_keys(folder).public()
    with pytest.raises(FileExistsError):
        make_keys(folder)
    assert load_keys(folder).public() == before
    assert "PrivateKey" not in repr(load_keys(folder))


def test_keys_that_others_can_read_or_that_are_damaged_are_refused(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    path = tmp_path / "keys" / "receipt.key"
    path.chmod(0o640)
    with pytest.raises(BadKeys, match="0600"):
        load_keys(tmp_path / "keys")
    path.chmod(0o600)
    path.write_bytes(b"c2hvcnQ=")
    with pytest.raises(BadKeys, match="damaged"):
        load_keys(tmp_path / "keys")
    path.unlink()
    with pytest.raises(BadKeys, match="init"):
        load_keys(tmp_path / "keys")


def test_a_plain_init_makes_one_administrator_and_is_not_repeated(tmp_path: Path, run_cli: Callable[..., Done]) -> None:
    data = tmp_path / "data"
    first = run_cli("init", "--data", str(data))
    assert first.returncode == 0
    assert "login admin, password " in first.stdout
    again = run_cli("init", "--demo", "--data", str(data))
    assert (again.returncode, "nothing was changed" in again.stderr) == (1, True)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    added = [run_cli("user-add", "neu", "--name", "新人", "--role", "collector", "--data", str(data)) for _ in range(2)]
    assert [done.returncode for done in added] == [0, 1]
    assert "taken" in added[1].stderr


def test_serving_what_was_not_set_up_says_so(tmp_path: Path, run_cli: Callable[..., Done]) -> None:
    done = run_cli("serve", "--data", str(tmp_path / "none"), "--port", "0")
    assert (done.returncode, "collection-server init" in done.stderr) == (1, True)
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_says_so(tmp_path: Path, run_cli: Callable[..., Done]) -> None:
    import socket

    assert run_cli("init", "--data", str(tmp_path / "data")).returncode == 0
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        done = run_cli("serve", "--data", str(tmp_path / "data"), "--port", port)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {port}" in done.stderr
