"""Packages at rest: any range is read alone, and nothing that was changed, moved or cut is."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from collection_server.retrieval.index import Row, to_csv
from collection_server.retrieval.vault import PIECE, VaultDamaged, VaultReader, VaultWriter, new_key, open_key

SIZES = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 777)
STORE = PrivateKey.generate()


def written(path: Path, size: int, job_id: str = "job") -> tuple[bytes, bytes]:
    """Key and content of a package at ``path``."""
    key, _ = new_key(STORE)
    content = random.Random(size).randbytes(size)
    with VaultWriter(path, key, job_id) as vault:
        for start in range(0, size, 10_007):
            vault.write(content[start : start + 10_007])
    assert (vault.size, vault.sha256) == (size, hashlib.sha256(content).hexdigest())
    return key, content


def read(path: Path, key: bytes, size: int, start: int = 0, end: int | None = None, job_id: str = "job") -> bytes:
    return b"".join(VaultReader(path, key, job_id, size).read(start, size if end is None else end))


@pytest.mark.parametrize("size", SIZES)
def test_any_range_is_what_was_written(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x"
    key, content = written(path, size)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(path, key, size) == content
    inside = (n for n in (PIECE - 1, PIECE, PIECE + 1) if n <= size)
    edges = sorted({0, min(1, size), size // 2, max(0, size - 1), size, *inside})
    for start in edges:
        for end in (edge for edge in edges if edge > start):
            assert read(path, key, size, start, end) == content[start:end]


def test_what_was_changed_moved_cut_or_belongs_to_another_is_not_read(tmp_path: Path) -> None:
    path, size = tmp_path / "x", 3 * PIECE
    key, _ = written(path, size)
    good, sealed = path.read_bytes(), PIECE + 16
    flipped = bytearray(good)
    flipped[sealed + 5] ^= 1
    swapped = good[sealed : 2 * sealed] + good[:sealed] + good[2 * sealed :]
    for bad in (bytes(flipped), swapped, good[:-1], good[:-sealed], good + b"x", b""):
        path.write_bytes(bad)
        with pytest.raises(VaultDamaged):
            read(path, key, size)
    path.write_bytes(good)
    for wrong in ({"key": new_key(STORE)[0]}, {"key": key, "job_id": "other"}):
        with pytest.raises(VaultDamaged):
            read(path, size=size, **wrong)
    with pytest.raises(VaultDamaged):
        read(tmp_path / "none", key, size)


def test_only_the_store_opens_the_key() -> None:
    key, sealed = new_key(STORE)
    assert open_key(sealed, STORE) == key
    for text, other in ((sealed, PrivateKey.generate()), ("", STORE), ("x", STORE), (sealed[:-8], STORE)):
        with pytest.raises(VaultDamaged):
            open_key(text, other)


def test_an_unfinished_package_leaves_no_open_file(tmp_path: Path) -> None:
    key, _ = new_key(STORE)
    with pytest.raises(ZeroDivisionError), VaultWriter(tmp_path / "x", key, "job") as vault:
        vault.write(bytes(100))
        _ = 1 / 0
    with pytest.raises(FileExistsError):
        VaultWriter(tmp_path / "x", key, "job")


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_of_the_index_is_a_formula(text: str) -> None:
    row = Row("id", "seat", 1, "call", text, text, "a", "b", "outbound", text, "t", 1.0, "verified", "s")
    lines = to_csv([row]).decode("utf-8-sig").split("\r\n", 1)[1]
    assert lines.count("'" + text) == 3
