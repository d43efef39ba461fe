"""How the lab's root is made: whole or not at all, once for all, and without a trace of what ran in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.lab.asterisk import Asterisk
from tests.lab.asterisk_root import LabUnavailable, asterisk_root, check_machine, debian_mirrors
from tests.lab.certificates import Authority
from tests.lab.seats import SEATS
from tests.line.parts import ROOT, wait_until

ONE_LINE = """
# deb http://off.example/debian sid main
deb [arch=amd64 signed-by=/k.gpg] http://tools.example/node stable main
deb http://security.example/debian-security bookworm-security main
deb-src http://sources.example/debian bookworm main
deb http://one.example/debian/ bookworm main contrib
deb http://flat.example/debian ./
"""
DEB822 = """Types: deb
# a note
URIs: http://two.example/debian http://one.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /k.gpg

Types: deb
URIs: http://three.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb
URIs: http://four.example/debian
Suites: bookworm
Components: contrib
"""


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    """Sources of apt with one mirror, a folder, in which the suite is there."""
    release = tmp_path / "mirror" / "dists" / "sid" / "InRelease"
    release.parent.mkdir(parents=True)
    release.write_text("")
    folder = tmp_path / "apt"
    folder.mkdir()
    (folder / "sources.list").write_text(f"deb file:{tmp_path}/mirror bookworm main\n")
    return folder


@pytest.fixture
def able() -> None:
    try:
        check_machine()
    except LabUnavailable as reason:
        pytest.skip(str(reason))


def test_apts_mirrors_are_read_in_both_styles(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "old.sources.disabled").write_text(DEB822.replace("two", "five"))
    assert debian_mirrors(tmp_path) == [
        "http://one.example/debian",
        "http://two.example/debian",
        "http://tools.example/node",
    ]


@pytest.mark.usefixtures("able")
def test_a_recipe_that_fails_once_is_tried_again(tmp_path: Path, apt: Path) -> None:
    recipe = 'set -e; mkdir "$1"; [ -e "$1/../seen" ] || { touch "$1/../seen"; echo "E: half an update"; exit 1; }'
    root = asterisk_root(tmp_path / "cache", recipe, apt)
    assert root.is_dir()
    assert list(root.iterdir()) == []


@pytest.mark.usefixtures("able")
def test_a_recipe_that_fails_leaves_a_reason_and_no_root(tmp_path: Path, apt: Path) -> None:
    with pytest.raises(LabUnavailable, match="E: no such package"):
        asterisk_root(tmp_path / "cache", 'mkdir "$1"; echo "E: no such package"; echo after; exit 1', apt)
    assert [path.suffix for path in sorted((tmp_path / "cache").iterdir())] == [".lock", ".log"]


@pytest.mark.usefixtures("able")
def test_two_that_want_it_at_once_make_it_once(tmp_path: Path, apt: Path) -> None:
    recipe = 'mkdir "$1"; echo made >>"$1/../count"; sleep 0.5'
    found: list[Path] = []

    def want() -> None:
        found.append(asterisk_root(tmp_path / "cache", recipe, apt))

    wanting = [threading.Thread(target=want) for _ in range(3)]
    for thread in wanting:
        thread.start()
    for thread in wanting:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert (tmp_path / "cache" / "count").read_text() == "made\n"


@pytest.mark.usefixtures("able")
def test_what_a_recipe_mounts_is_not_seen_outside(tmp_path: Path, apt: Path) -> None:
    root = asterisk_root(tmp_path / "cache", 'mkdir "$1"; mount -t tmpfs none "$1"; touch "$1/inside"', apt)
    assert list(root.iterdir()) == []
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


@pytest.mark.usefixtures("able")
@pytest.mark.parametrize(
    ("sources", "reason"),
    [("", "no Debian mirror"), ("deb file:/nowhere/debian bookworm main", "no mirror of apt's sources answers")],
)
def test_the_reason_where_there_is_no_mirror(tmp_path: Path, sources: str, reason: str) -> None:
    (tmp_path / "sources.list").write_text(sources)
    with pytest.raises(LabUnavailable, match=reason):
        asterisk_root(tmp_path / "cache", "false", tmp_path)


def test_the_reason_for_who_is_not_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabUnavailable, match="root"):
        asterisk_root(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.pbx
def test_asterisk_is_nobody_and_leaves_nothing(lab_root: Path, authority: Authority, tmp_path: Path) -> None:
    server = authority.server("127.0.0.1")
    before = sorted(path.name for path in lab_root.iterdir())
    running = Asterisk(lab_root, tmp_path / "asterisk", SEATS, server.certificate, server.key)
    status = Path(f"/proc/{running.pid}/status").read_text()
    assert "Name:\tasterisk\n" in status
    assert "Uid:\t0" not in status
    assert "CapEff:\t0000000000000000" in status
    assert str(lab_root) not in Path("/proc/mounts").read_text()
    running.stop()
    assert not Path(f"/proc/{running.pid}").exists()
    assert list((lab_root / "mnt").iterdir()) == []
    assert sorted(path.name for path in lab_root.iterdir()) == before


@pytest.mark.pbx
def test_asterisk_ends_with_the_tests_even_if_they_are_killed(lab_root: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from tests.lab.asterisk import Asterisk;"
        " from tests.lab.certificates import Authority; from tests.lab.seats import SEATS;"
        " root, folder = map(Path, sys.argv[1:]); server = Authority(folder / 'ca').server('127.0.0.1');"
        " running = Asterisk(root, folder / 'asterisk', SEATS, server.certificate, server.key);"
        " print(running.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(lab_root), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        asterisk = int(tests.stdout.readline())
        assert Path(f"/proc/{asterisk}/comm").read_text() == "asterisk\n"
        tests.send_signal(signal.SIGKILL)
    wait_until(lambda: not _alive(asterisk), 10)


def _alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
