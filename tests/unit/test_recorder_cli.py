"""``recorder inspect`` and ``recorder verify``: what they say, and their exit codes."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey
from typer.testing import CliRunner

from recorder.canonical import canonical_json
from recorder.cli import app
from recorder.container import FINALISED, JOURNAL, ContainerReader
from recorder.evidence import SeatIdentity
from recorder.finalise import FinaliseError
from recorder.verify import read_contents
from tests.support.recording import RATE, Seat, tone

RECEIPTS = SigningKey(bytes(range(32)))


@dataclass(frozen=True)
class Case:
    """A sealed file and the arguments that check all of it."""

    seat: Seat
    path: Path
    folder: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    @property
    def seat_key(self) -> str:
        return base64.b64encode(self.seat.identity.public_key).decode()

    @property
    def store_key_file(self) -> str:
        path = self.folder / "store.key"
        path.write_bytes(base64.b64encode(bytes(self.seat.store)) + b"\n")
        return str(path)

    def receipt(self, **changes: object) -> str:
        (manifest,) = self.seat.spool.ready()
        body = {name: getattr(manifest, name) for name in ("recording_id", "sha256", "size")}
        body |= {"stored_at": "2026-03-02T02:00:00Z"} | changes
        signature = RECEIPTS.sign(canonical_json(body)).signature
        path = self.folder / "receipt.json"
        path.write_text(json.dumps(body | {"signature": base64.b64encode(signature).decode()}))
        return str(path)

    def verify_all(self) -> tuple[int, str]:
        receipt_key = base64.b64encode(bytes(RECEIPTS.verify_key)).decode()
        return self.run(
            *("verify", str(self.path), "--seat-key", self.seat_key, "--receipt", self.receipt()),
            *("--receipt-key", receipt_key, "--store-key-file", self.store_key_file),
        )


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    seat = Seat(tmp_path / "spool")
    recording_id = seat.record(tone(440, 2), tone(1000, 2))
    yield Case(seat, seat.spool.payload(recording_id, FINALISED), tmp_path)
    seat.recorder.stop(5)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    def no_encoder(*_: object) -> None:
        raise FinaliseError("test")

    monkeypatch.setattr("recorder.session.finalise", no_encoder)
    seat = Seat(tmp_path / "spool")
    recording_id = seat.record(tone(440, 2), tone(1000, 2))
    yield Case(seat, seat.spool.payload(recording_id, JOURNAL), tmp_path)
    seat.recorder.stop(5)


def test_inspect_needs_no_key(case: Case) -> None:
    code, said = case.run("inspect", str(case.path))
    (manifest,) = case.seat.spool.ready()
    assert code == 0
    for part in ("finalised", "ends with a whole piece", manifest.recording_id, "2.00 s", "number 1", manifest.sha256):
        assert part in said


def test_inspect_says_where_a_file_stops(case: Case) -> None:
    data = case.path.read_bytes()
    case.path.write_bytes(data[:-5])
    code, said = case.run("inspect", str(case.path))
    assert (code, "stops in the middle: truncated" in said) == (1, True)
    case.path.write_bytes(b"RIFF")
    code, said = case.run("inspect", str(case.path))
    assert (code, "not_a_recording" in said) == (1, True)
    assert case.run("inspect", str(case.folder / "nothing"))[0] == 2


def test_everything_that_can_be_checked_is_checked(case: Case) -> None:
    code, said = case.verify_all()
    assert code == 0, said
    names = {line.split()[1].rstrip(":") for line in said.splitlines() if line.startswith("good")}
    assert names == {
        *("envelope", "size", "content", "header", "signature", "receipt", "decryption", "counts", "audio"),
    }
    assert "WRONG" not in said
    assert "not checked" not in said


def test_what_was_not_checked_is_said(case: Case) -> None:
    code, said = case.run("verify", str(case.path))
    assert code == 0
    assert said.count("not checked") == 3
    case.path.with_name(f"{case.path.stem}.manifest.json").unlink()
    code, said = case.run("verify", str(case.path))
    assert (code, said.count("not checked")) == (0, 3)
    assert "No manifest" in said


def test_a_recording_of_a_journal_verifies_too(journal: Case) -> None:
    code, said = journal.verify_all()
    assert code == 0, said


def test_a_recovered_journal_says_how_much_is_good(journal: Case) -> None:
    journal.path.write_bytes(journal.path.read_bytes()[:-100])
    journal.path.with_name(f"{journal.path.stem}.manifest.json").unlink()
    journal.seat.recorder.recover()
    code, said = journal.verify_all()
    assert code == 0, said
    assert "(2.00 s of audio)" in said
    assert "recovered journal" in said


def test_a_torn_journal_that_says_to_be_whole_is_wrong(journal: Case) -> None:
    journal.path.write_bytes(journal.path.read_bytes()[:-100])
    code, said = journal.run("verify", str(journal.path), "--store-key-file", journal.store_key_file)
    assert code == 1
    assert "truncated" in said


@pytest.mark.parametrize("at", [0.1, 0.5, 0.99])
def test_a_changed_byte_is_found_with_and_without_the_store_key(case: Case, at: float) -> None:
    data = bytearray(case.path.read_bytes())
    data[int(len(data) * at)] ^= 1
    case.path.write_bytes(data)
    code, said = case.run("verify", str(case.path))
    assert (code, "WRONG  content hash" in said) == (1, True)
    case.path.with_name(f"{case.path.stem}.manifest.json").unlink()
    code, said = case.run("verify", str(case.path), "--store-key-file", case.store_key_file)
    assert (code, "WRONG" in said) == (1, True)


def test_a_manifest_of_another_recording_is_found(case: Case) -> None:
    other = case.seat.record(tone(440, 1), tone(440, 1))
    wrong = str(case.seat.folder / f"{other}.manifest.json")
    code, said = case.run("verify", str(case.path), "--manifest", wrong, "--seat-key", case.seat_key)
    assert code == 1
    assert "The manifest is for another recording." in said


def test_wrong_keys_and_receipts_are_found(case: Case) -> None:
    stranger = base64.b64encode(SeatIdentity.generate("x").public_key).decode()
    code, said = case.run("verify", str(case.path), "--seat-key", stranger)
    assert (code, "WRONG  signature" in said) == (1, True)
    code, said = case.run("verify", str(case.path), "--receipt", case.receipt(), "--receipt-key", stranger)
    assert (code, "WRONG  receipt" in said) == (1, True)
    receipts = base64.b64encode(bytes(RECEIPTS.verify_key)).decode()
    code, said = case.run("verify", str(case.path), "--receipt", case.receipt(size=1), "--receipt-key", receipts)
    assert (code, "wrong_size" in said) == (1, True)
    (case.folder / "other.key").write_bytes(bytes(PrivateKey.generate()))
    code, said = case.run("verify", str(case.path), "--store-key-file", str(case.folder / "other.key"))
    assert (code, "wrong_key" in said) == (1, True)


def test_commands_that_cannot_be_carried_out_say_so(case: Case) -> None:
    file = str(case.path)
    (case.folder / "short.key").write_bytes(b"abc")
    (case.folder / "bad.json").write_bytes(b"{")
    for arguments in (
        ("verify", str(case.folder / "nothing.rec")),
        ("verify", file, "--seat-key", "no key"),
        ("verify", file, "--receipt", case.receipt()),
        ("verify", file, "--store-key-file", str(case.folder / "short.key")),
        ("verify", file, "--store-key-file", str(case.folder / "nothing")),
        ("verify", file, "--manifest", str(case.folder / "nothing")),
        ("verify", file, "--manifest", str(case.folder / "bad.json")),
    ):
        code, said = case.run(*arguments)
        assert code == 2, (arguments, said)
        assert said.strip().endswith(".")
        assert "Traceback" not in said


def test_it_runs_as_a_program(case: Case) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recorder.cli", "verify", str(case.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert "good" in done.stdout


def test_checking_is_fast(case: Case) -> None:
    """Five minutes, decrypted and decoded, at 100 times real time or better."""
    seconds = 300
    recording_id = case.seat.record(tone(440, 1) * seconds, tone(1000, 1) * seconds)
    path = case.seat.spool.payload(recording_id, FINALISED)
    began = time.process_time()
    code, said = case.run("verify", str(path), "--store-key-file", case.store_key_file)
    spent = time.process_time() - began
    assert code == 0, said
    assert f"{seconds}.00 s" in said
    assert seconds / spent > 100
    with path.open("rb") as stream:
        reader = ContainerReader(stream)
        reader.unlock(bytes(case.seat.store))
        contents = read_contents(reader)
    assert contents.closing is not None
    assert contents.closing["samples"] == seconds * RATE
