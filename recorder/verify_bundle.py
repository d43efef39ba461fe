"""Offline verification of a bundle of evidence, with public keys only. Reads every file as a stream."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

from recorder.bundle import UNREADABLE, Bundle, BundleError
from recorder.evidence import RECORDING_ID, EvidenceError, Manifest, public_key, verify_manifest
from recorder.piece_list import what_changed
from recorder.verify_chain import (
    Chain,
    Finding,
    check_numbers,
    check_receipt_in_chain,
    is_signed,
    read_chain,
)

CODES = ("content", "order", "truncation", "seat_signature", "server_signature", "chain", "number_gap")
_DIGEST = re.compile(r"[0-9a-f]{64}")
Json = dict[str, Any]


@dataclass
class Report:
    """What was checked. Good when there are no ``findings``; ``notes`` are what a reader should know besides."""

    receipt_key: bytes
    pinned: bool
    recordings: int = 0
    seconds: float = 0.0
    entries: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Of the receipt key: SHA-256, the first 16 bytes in hex."""
        return hashlib.sha256(self.receipt_key).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Statements:
    """What was signed about one recording; None where it is missing or the signature is not good."""

    manifest: Manifest | None
    receipt: Json | None
    finalised: Json | None
    destroyed: Json | None


def verify_bundle(path: Path, receipt_key: bytes | None = None, seat_keys: Mapping[str, bytes] | None = None) -> Report:
    """Check a folder or ZIP. Keys that are given are believed; else the bundle's own are used, and the report says so.

    Each finding has one of ``CODES``. Raises ``BundleError`` for what is no bundle, ``OSError``.
    """
    with Bundle(path) as bundle:
        report = Report(receipt_key or _own_key(bundle), pinned=receipt_key is not None)
        if not is_signed(bundle.contents, report.receipt_key):
            report.findings.append(_finding("server_signature", "bundle.json", "It is not signed by the store."))
        chain = read_chain(bundle.json("chain.json"), report.receipt_key, _ends(bundle))
        report.entries = len(chain.by_seq)
        report.findings += chain.findings
        keys = _seat_keys(bundle) | dict(seat_keys or {})
        numbers: dict[str, list[int]] = {}
        for recording_id in _recordings(bundle, report):
            _check_recording(bundle, recording_id, keys, chain, report, numbers)
        report.findings += check_numbers(chain, bundle.json("numbers.json"), numbers)
        return report


def _own_key(bundle: Bundle) -> bytes:
    try:
        return public_key(str(bundle.contents.get("receipt_key")))
    except EvidenceError as error:
        raise BundleError("The bundle names no receipt key; give it with --receipt-key.") from error


def _ends(bundle: Bundle) -> dict[str, object]:
    seats = bundle.contents.get("seats")
    return (
        {i: seat.get("last_hash") for i, seat in seats.items() if isinstance(seat, dict)} if _is_object(seats) else {}
    )


def _is_object(value: object) -> TypeGuard[Json]:
    return isinstance(value, dict)


def _seat_keys(bundle: Bundle) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    seats = bundle.contents.get("seats")
    for seat_id, seat in seats.items() if _is_object(seats) else ():
        try:
            found[seat_id] = public_key(str(seat["public_key"]))
        except (EvidenceError, KeyError, TypeError):
            continue
    return found


def _recordings(bundle: Bundle, report: Report) -> Iterator[str]:
    listed = bundle.contents.get("recordings")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    for name in sorted(bundle.folders() - set(names)):
        if RECORDING_ID.fullmatch(name):
            report.findings.append(_finding("content", name, "The recording does not belong to the bundle."))
    yield from (name for name in names if RECORDING_ID.fullmatch(name))


def _check_recording(
    bundle: Bundle,
    recording_id: str,
    keys: Mapping[str, bytes],
    chain: Chain,
    report: Report,
    numbers: dict[str, list[int]],
) -> None:
    report.recordings += 1
    said = _statements(bundle, recording_id, keys, report)
    if said.receipt is not None:
        report.findings += check_receipt_in_chain(chain, said.receipt)
        numbers.setdefault(said.receipt["seat_id"], []).append(said.receipt["number"])
    elif said.manifest is not None:
        numbers.setdefault(said.manifest.seat_id, []).append(said.manifest.number)
    if said.manifest is not None and said.manifest.rate:
        report.seconds += said.manifest.samples / said.manifest.rate
    if said.destroyed is not None:
        report.notes.append(f"{recording_id}: destroyed by the store at {said.destroyed.get('stored_at')}.")
        return
    if said.manifest is None and said.receipt is None:
        report.notes.append(f"{recording_id}: nothing that is signed says what its bytes have to be.")
        return
    report.findings += _file(bundle, recording_id, said)
    report.findings += _audio(bundle, recording_id, said)
    report.findings += _facts(bundle, recording_id, said)


def _statements(bundle: Bundle, recording_id: str, keys: Mapping[str, bytes], report: Report) -> _Statements:
    manifest = _manifest(bundle, recording_id, keys)
    if manifest is None:
        report.findings.append(_finding("seat_signature", recording_id, "The manifest is not signed by its seat."))
    stored = _signed(bundle, recording_id, "receipt", ("stored", "adopted"), report)
    if stored is not None and manifest is not None and not _same(stored, manifest):
        detail = "The store has countersigned another manifest."
        report.findings.append(_finding("server_signature", recording_id, detail))
        stored = None
    finalised = _signed(bundle, recording_id, "finalised", ("finalised",), report)
    if finalised is not None and stored is not None and finalised.get("sha256") != stored["sha256"]:
        detail = "What the store says that it made is made of another file."
        report.findings.append(_finding("server_signature", recording_id, detail))
        finalised = None
    destroyed = _signed(bundle, recording_id, "destroyed", ("destroyed",), report)
    return _Statements(manifest, stored, finalised, destroyed)


def _manifest(bundle: Bundle, recording_id: str, keys: Mapping[str, bytes]) -> Manifest | None:
    try:
        manifest = Manifest.from_json(bundle.json(f"{recording_id}/manifest.json"))
        verify_manifest(manifest, keys[manifest.seat_id])
    except (EvidenceError, KeyError):
        return None
    return manifest if manifest.recording_id == recording_id else None


def _signed(bundle: Bundle, recording_id: str, name: str, kinds: tuple[str, ...], report: Report) -> Json | None:
    """A statement of the store. Only the receipt must be there."""
    file = f"{recording_id}/{name}.json"
    body = bundle.json(file)
    if body is None and bundle.read(file) is None and name != "receipt":
        return None
    named = body is not None and body.get("recording_id") == recording_id and body.get("kind") in kinds
    typed = named and body is not None and isinstance(body.get("seat_id"), str) and type(body.get("number")) is int
    if not typed or not is_signed(body, report.receipt_key):
        report.findings.append(_finding("server_signature", recording_id, f"{name}.json is not signed by the store."))
        return None
    return body


def _same(receipt: Json, manifest: Manifest) -> bool:
    names = ("sha256", "size", "seat_id", "number")
    digest = hashlib.sha256(manifest.signed_bytes()).hexdigest()
    return receipt.get("manifest_sha256") == digest and all(receipt.get(n) == getattr(manifest, n) for n in names)


def _file(bundle: Bundle, recording_id: str, said: _Statements) -> Iterable[Finding]:
    """The sealed file: the bytes that were signed, or what happened to them."""
    name = f"{recording_id}/recording.rec"
    expected = said.receipt["sha256"] if said.receipt else said.manifest.sha256 if said.manifest else ""
    signed = _pieces(bundle, recording_id, said.receipt)
    if signed is None and said.receipt is not None and said.receipt.get("pieces_sha256"):
        yield _finding("content", recording_id, "The list of pieces is not the one that the store signed.")
    found = _sum(bundle, name)
    if found == expected:
        return
    if found is None:
        yield _finding("content", recording_id, "The sealed file is not there, or cannot be read.")
        return
    if signed is None:
        yield _finding("content", recording_id, "The sealed file is not the one that was signed.")
        return
    file = bundle.open(name)
    assert file is not None
    with file:
        code, detail = what_changed(file, signed)
    yield _finding(code, recording_id, detail)


def _pieces(bundle: Bundle, recording_id: str, receipt: Json | None) -> list[bytes] | None:
    """The list, when it is the signed one."""
    listed = (bundle.json(f"{recording_id}/pieces.json") or {}).get("pieces")
    if receipt is None or not isinstance(listed, list):
        return None
    if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in listed):
        return None
    found = [bytes.fromhex(digest) for digest in listed]
    same = hashlib.sha256(b"".join(found)).hexdigest() == receipt.get("pieces_sha256")
    return found if same and len(found) == receipt.get("pieces") else None


def _audio(bundle: Bundle, recording_id: str, said: _Statements) -> Iterable[Finding]:
    """The playable audio is what the seat sealed, or what the store made of a journal, as signed."""
    signers = (said.manifest.to_json() if said.manifest else None, said.receipt, said.finalised)
    expected = {digest for body in signers if body is not None and (digest := body.get("content_sha256"))}
    found = [s for kind in ("ogg", "flac") if (s := _sum(bundle, f"{recording_id}/audio.{kind}")) is not None]
    if not found and expected and _has_audio(said):
        yield _finding("content", recording_id, "The audio is not there, or cannot be read.")
    if any(digest not in expected for digest in found):
        yield _finding("content", recording_id, "The audio is not the one that was signed.")


def _has_audio(said: _Statements) -> bool:
    failed = said.receipt is not None and said.receipt.get("state") == "failed"
    empty = said.manifest is not None and not said.manifest.recovered and said.manifest.samples == 0
    return not failed and not empty


def _facts(bundle: Bundle, recording_id: str, said: _Statements) -> Iterable[Finding]:
    facts = bundle.read(f"{recording_id}/facts.json")
    if facts is None or said.manifest is None:
        return
    if hashlib.sha256(facts).hexdigest() != said.manifest.facts_sha256:
        yield _finding("content", recording_id, "The call's facts are not those that were signed.")


def _sum(bundle: Bundle, name: str) -> str | None:
    file: BinaryIO | None = bundle.open(name)
    if file is None:
        return None
    digest = hashlib.sha256()
    with file:
        try:
            while run := file.read(1 << 20):
                digest.update(run)
        except UNREADABLE:
            return None
    return digest.hexdigest()


def _finding(code: str, about: str, detail: str) -> Finding:
    assert code in CODES
    return Finding(code, about, detail)


__all__ = ["CODES", "BundleError", "Finding", "Report", "verify_bundle"]
