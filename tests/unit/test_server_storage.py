"""The disk store, ranges, the audio cache and presence."""

from __future__ import annotations

import hashlib
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collection_server.monitoring.presence import QUIET_SECONDS, Presence
from collection_server.recordings.cache import KEEP_SECONDS, AudioCache
from collection_server.recordings.ranges import Unsatisfiable, parse_range
from collection_server.recordings.search import mask_number
from collection_server.storage import Assembled, DiskStore, StagedPartMissing, Staging, StoreAway

UPLOAD = Staging("7f9f3b1e-0000-4000-8000-000000000001")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(store: DiskStore, number: int, data: bytes) -> tuple[int, str]:
    store.put_part(UPLOAD, number, data, sha(data))
    return number, sha(data)


def test_a_blob_is_a_file_named_by_its_sum_in_folders_of_our_own(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "r")
    parts = dict([put(store, 2, b"world"), put(store, 1, b"wrong"), put(store, 1, b"hello ")])
    wanted = sha(b"hello world")
    assert store.assemble(UPLOAD, parts, wanted) == Assembled(wanted, 11)
    store.drop_parts(UPLOAD)
    files = [p for p in (tmp_path / "r").rglob("*") if p.is_file()]
    assert [p.name for p in files] == [wanted]
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o700 for p in (tmp_path / "r").rglob("*") if p.is_dir())


def test_the_only_part_becomes_the_blob_without_a_copy(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    number, digest = put(store, 1, b"hello")
    put(store, 1, b"other")  # sent again by somebody else in the meantime
    part = next(p for p in tmp_path.rglob("*") if p.name.endswith(digest))
    inode = part.stat().st_ino
    assert store.assemble(UPLOAD, {number: digest}, digest) == Assembled(digest, 5)
    assert (tmp_path / "blobs" / digest[:2] / digest).stat().st_ino == inode
    store.drop_parts(UPLOAD)
    assert not list((tmp_path / "parts").iterdir())


def test_what_is_not_what_it_should_be_leaves_nothing_behind(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    parts = dict([put(store, 1, b"hello")])
    assert store.assemble(UPLOAD, parts, sha(b"other")) == Assembled(sha(b"hello"), 5)
    with pytest.raises(StagedPartMissing):
        store.assemble(UPLOAD, {**parts, 2: sha(b"x")}, sha(b"hellox"))
    assert not list((tmp_path / "blobs").iterdir())


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB of its own."""
    where = tmp_path / "full"
    where.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(where)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root on Linux")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def test_a_full_disk_is_a_store_to_wait_for(full_disk: Path) -> None:
    store = DiskStore(full_disk)
    number, digest = put(store, 1, b"x" * 1000)
    with pytest.raises(StoreAway, match="ENOSPC"):
        put(store, 2, b"x" * 200_000)
    assert not [p for p in full_disk.rglob("*") if p.name.startswith(".")]
    assert store.assemble(UPLOAD, {number: digest}, digest) == Assembled(digest, 1000)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_names_cannot_leave_the_store(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        DiskStore(tmp_path).open(name)
    with pytest.raises(ValueError, match="UUID"):
        DiskStore(tmp_path).put_part(Staging("../x"), 1, b"", sha(b""))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 10)),
        ("bytes=9-99", (9, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=1-2,4-5", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_ranges(header: str | None, found: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == found


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)])
def test_ranges_behind_the_end(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613801386021", "138****6021"),
        ("+861082345678", "108****5678"),
        ("110", "*10"),
        ("", ""),
        ("anonymous", "anonymous"),
        ("user13801386021", "use****6021"),
    ],
)
def test_numbers_are_masked(number: str, shown: str) -> None:
    assert mask_number(number) == shown


def test_the_cache_keeps_the_latest_within_its_size_and_time() -> None:
    now = [0.0]
    cache = AudioCache(10, lambda: now[0])
    loads: list[str] = []

    def get(key: str, size: int = 4) -> bytes:
        def load() -> bytes:
            loads.append(key)
            return key.encode() * size

        return cache.get(key, load)

    assert get("a") == get("a") == b"aaaa"
    get("b")
    get("a")
    get("c")  # b is the one that was asked for longest ago
    get("a")
    get("b")
    assert loads == ["a", "b", "c", "b"]
    get("huge", 100)
    get("huge", 100)
    assert loads[-2:] == ["huge", "huge"]
    now[0] = KEEP_SECONDS + 1
    get("b")
    assert loads[-1] == "b"


def test_many_listeners_decrypt_once() -> None:
    cache = AudioCache(1000)
    loads: list[int] = []

    def load() -> bytes:
        loads.append(1)
        time.sleep(0.05)
        return b"x"

    threads = [threading.Thread(target=cache.get, args=("k", load)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]


def test_a_failed_load_is_raised_and_tried_again() -> None:
    cache = AudioCache(1000)

    def fail() -> bytes:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        cache.get("k", fail)
    assert cache.get("k", lambda: b"x") == b"x"


def test_presence_follows_sockets_and_words() -> None:
    now = [0.0]
    presence = Presence(5.0, lambda: now[0])
    presence.socket_opened("a")
    presence.socket_opened("a")
    presence.heard("b")
    presence.expect(["c", "a"])
    presence.socket_closed("a")
    now[0] = 6.0
    assert presence.gone() == ["c"]
    presence.socket_closed("a")
    now[0] = 10.0
    assert presence.gone() == []
    presence.socket_opened("a")
    now[0] = 20.0
    assert presence.gone() == []
    presence.socket_closed("a")
    assert presence.is_there("a")
    now[0] = 25.0
    assert presence.gone() == ["a"]
    assert not presence.is_there("a")
    now[0] = QUIET_SECONDS
    assert presence.gone() == ["b"]
    assert presence.gone() == []
