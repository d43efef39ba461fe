"""Signatures, receipts and the seat's numbers."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from recorder.canonical import canonical_json, strict_object
from recorder.evidence import (
    EvidenceError,
    Manifest,
    SeatIdentity,
    sign_manifest,
    verify_manifest,
    verify_receipt,
    void_manifest,
)
from recorder.numbers import NumberLedger

ID = "0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4d"
SEAT = SeatIdentity("seat-7", bytes(range(32)))
RECEIPTS = SigningKey(bytes(range(1, 33)))
MANIFEST = Manifest(
    recording_id=ID,
    call_id="6f1c9a52-0d5e-4f0b-9a53-5f0f4c1d2e3a",
    seat_id="seat-7",
    number=12,
    kind="F",
    recovered=False,
    size=5000,
    sha256="ab" * 32,
    rate=8000,
    samples=80000,
    lost_frames=0,
    started_at="2026-03-02T01:02:03Z",
    ended_at="2026-03-02T01:02:13Z",
    codec="opus",
    content_sha256="ef" * 32,
    call_samples=160_000,
    segments=((0, 0, 40_000), (40_000, 120_000, 40_000)),
    mode="voice",
    facts_sha256="01" * 32,
    monotonic_ms=20_000,
)
FIRST_VERSION = replace(
    MANIFEST,
    version=1,
    codec="",
    content_sha256="",
    call_samples=0,
    segments=(),
    mode="",
    facts_sha256="",
    monotonic_ms=0,
)


def receipt(**changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "recording_id": ID,
        "sha256": "ab" * 32,
        "size": 5000,
        "stored_at": "2026-03-02T01:03:00Z",
    }
    body |= changes
    signature = RECEIPTS.sign(canonical_json(body)).signature
    return body | {"signature": base64.b64encode(signature).decode()}


def check(value: object) -> None:
    verify_receipt(value, bytes(RECEIPTS.verify_key), recording_id=ID, sha256="ab" * 32, size=5000)


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": [1, None, True], "a": "催收\n"}) == '{"a":"催收\\n","b":[1,null,true]}'.encode()


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, {1: "a"}, {"a": "\ud800"}, {"a": float("nan")}])
def test_what_has_no_one_form_is_not_signed(value: object) -> None:
    with pytest.raises(ValueError, match=r"form|text|surrogates"):
        canonical_json(value)


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b"[" * 100_000])
def test_only_one_plain_object_is_read(data: bytes) -> None:
    with pytest.raises(ValueError):
        strict_object(data)


def test_the_seats_signature_is_over_every_field() -> None:
    signed = sign_manifest(SEAT, MANIFEST)
    verify_manifest(signed, SEAT.public_key)
    for changed in (
        replace(signed, number=13),
        replace(signed, sha256="cd" * 32),
        replace(signed, recovered=True),
        replace(signed, samples=79_999),
        replace(signed, ended_at="2026-03-02T01:02:14Z"),
        replace(signed, segments=((0, 0, 80_000),)),
        replace(signed, content_sha256=""),
        replace(signed, version=1),
        replace(signed, signature=""),
        replace(signed, signature="?"),
    ):
        with pytest.raises(EvidenceError, match="wrong_signature"):
            verify_manifest(changed, SEAT.public_key)
    with pytest.raises(EvidenceError, match="wrong_signature"):
        verify_manifest(signed, SeatIdentity.generate("seat-7").public_key)


def test_a_manifest_goes_to_json_and_back() -> None:
    signed = sign_manifest(SEAT, MANIFEST)
    assert Manifest.from_json(json.loads(canonical_json(signed.to_json()))) == signed


def test_a_manifest_of_the_first_version_is_as_it_was() -> None:
    signed = sign_manifest(SEAT, FIRST_VERSION)
    body = signed.to_json()
    assert set(body) == {
        *("recording_id", "call_id", "seat_id", "number", "kind", "recovered", "size", "sha256", "rate", "samples"),
        *("lost_frames", "started_at", "ended_at", "signature"),
    }
    again = Manifest.from_json(json.loads(canonical_json(body)))
    assert again == signed
    verify_manifest(again, SEAT.public_key)
    with pytest.raises(EvidenceError, match="malformed"):
        Manifest.from_json(body | {"version": 2})
    with pytest.raises(EvidenceError, match="malformed"):
        Manifest.from_json(body | {"kind": "N"})


def test_a_void_number_is_signed_without_bytes() -> None:
    void = void_manifest(SEAT, ID, 12, "2026-03-02T01:02:03Z")
    assert (void.kind, void.size, void.call_id, void.number) == ("N", 0, "", 12)
    again = Manifest.from_json(json.loads(canonical_json(void.to_json())))
    verify_manifest(again, SEAT.public_key)
    for change in ({"size": 1}, {"sha256": "ab" * 32}, {"samples": 1}):
        with pytest.raises(EvidenceError, match="malformed"):
            Manifest.from_json(void.to_json() | change)


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": True},
        {"number": "12"},
        {"size": -1},
        {"kind": "X"},
        {"recording_id": "../../etc/passwd"},
        {"sha256": "AB" * 32},
        {"extra": 1},
        {"samples": 1.0},
        {"version": 3},
        {"version": 1},
        {"segments": [[0, 0]]},
        {"segments": [[0, 0, -1]]},
        {"segments": [[0, 0, True]]},
        {"segments": {}},
        {"content_sha256": "x"},
        {"facts_sha256": "AB" * 32},
        {"call_samples": -1},
    ],
)
def test_a_manifest_of_the_wrong_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(EvidenceError, match="malformed"):
        Manifest.from_json(MANIFEST.to_json() | change)


def test_the_identity_keeps_its_key_out_of_its_repr() -> None:
    assert "signing_key" not in repr(SEAT)


def test_a_receipt_proves_one_file() -> None:
    check(receipt())
    check(receipt(chain="a later server may sign more"))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (receipt(sha256="cd" * 32), "wrong_sha256"),
        (receipt(size=4999), "wrong_size"),
        (receipt(recording_id="0b6d3f0e-5b1e-4a8e-9d53-0a3b6c2e1f4e"), "wrong_recording"),
        (receipt() | {"stored_at": "2020-01-01T00:00:00Z"}, "wrong_signature"),
        (receipt() | {"signature": base64.b64encode(bytes(64)).decode()}, "wrong_signature"),
        (receipt() | {"signature": "AAAA"}, "wrong_signature"),
        (receipt() | {"extra": 1}, "wrong_signature"),
        (receipt() | {"extra": 1.5}, "malformed"),
        (receipt() | {"size": "5000"}, "malformed"),
        ({}, "malformed"),
        ([], "malformed"),
        (None, "malformed"),
    ],
)
def test_a_wrong_receipt_proves_nothing(value: object, code: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        check(value)
    assert caught.value.code == code


def test_a_receipt_by_another_key_proves_nothing() -> None:
    with pytest.raises(EvidenceError, match="wrong_signature"):
        verify_receipt(receipt(), SEAT.public_key, recording_id=ID, sha256="ab" * 32, size=5000)


def test_numbers_have_no_gaps_and_stay_with_their_recording(tmp_path: Path) -> None:
    ledger = NumberLedger(tmp_path)
    assert [ledger.take("a"), ledger.take("b"), ledger.take("a")] == [1, 2, 1]
    ledger.settle("a")
    again = NumberLedger(tmp_path)  # as after a crash before b's manifest
    assert again.held() == {"b": 2}
    assert [again.take("c"), again.take("b")] == [3, 2]


def test_threads_never_share_a_number(tmp_path: Path) -> None:
    taken: list[int] = []

    def take(name: str) -> None:
        ledger = NumberLedger(tmp_path)
        taken.extend(ledger.take(f"{name}{i}") for i in range(10))

    threads = [threading.Thread(target=take, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 41))


def test_processes_never_share_a_number(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from recorder.numbers import NumberLedger\n"
        "ledger = NumberLedger(Path(sys.argv[1]))\n"
        "print(*[ledger.take(sys.argv[2] + str(i)) for i in range(20)])"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in "ab"]
    taken = [int(number) for process in running for number in process.communicate(timeout=30)[0].split()]
    assert sorted(taken) == list(range(1, 41))


@pytest.mark.parametrize("content", [b"", b"{}", b"nonsense", b'{"last":-1,"held":{}}', b'{"last":1,"held":{"a":"b"}}'])
def test_a_damaged_ledger_goes_on_from_the_highest_number_found(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "receipts").mkdir()
    (tmp_path / "receipts" / f"{ID}.json").write_bytes(canonical_json({"manifest": MANIFEST.to_json(), "receipt": {}}))
    (tmp_path / "x.manifest.json").write_bytes(canonical_json({"number": 9}))
    (tmp_path / "numbers.json").write_bytes(content)
    assert NumberLedger(tmp_path).take("new") == 13
