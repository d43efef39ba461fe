"""``recorder``: look at a sealed recording, and check it, without the product around it.

Exit codes: 0 all is good, 1 something did not hold, 2 the command could not be carried out.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from recorder.bundle import is_bundle
from recorder.container import ContainerError
from recorder.evidence import EvidenceError, Manifest, public_key
from recorder.verify import (
    Check,
    Inspection,
    beside,
    check_decrypted,
    check_envelope,
    check_manifest,
    check_receipt,
    inspect,
    read_manifest,
    read_receipt,
)
from recorder.verify_bundle import CODES, BundleError, verify_bundle

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at sealed recordings and check them.")

_PATH = Annotated[
    Path, typer.Argument(help="A .rec or .journal file, or a bundle: a folder or ZIP.", show_default=False)
]
_FILE = Annotated[Path, typer.Argument(help="A .rec or .journal file.", show_default=False)]
_KINDS = {"J": "journal", "F": "finalised"}


@app.command("inspect")
def inspect_command(file: _FILE) -> None:
    """Print what a sealed file shows without any key."""
    try:
        found = inspect(file)
    except ContainerError as error:
        typer.echo(f"{file.name} cannot be read as a recording: {error.code} ({error.detail}).")
        raise typer.Exit(1) from error
    except EvidenceError as error:
        typer.echo(f"The manifest beside {file.name} is damaged: {error}.")
        raise typer.Exit(1) from error
    except OSError as error:
        _cannot(f"{file} cannot be opened: {error.strerror}.")
    for name, value in _facts(found):
        typer.echo(f"{name + ':':<14}{value}")
    raise typer.Exit(1 if found.problem else 0)


@app.command()
def verify(
    file: _PATH,
    manifest: Annotated[Path | None, typer.Option(help="Manifest; the one beside the file by default.")] = None,
    seat_key: Annotated[
        str | None, typer.Option(help="Ed25519 public key of the seat, base64; for a bundle SEAT:KEY.")
    ] = None,
    receipt: Annotated[Path | None, typer.Option(help="The store's receipt.")] = None,
    receipt_key: Annotated[
        str | None, typer.Option(help="Ed25519 public key of receipts, base64; a bundle's own is not to be believed.")
    ] = None,
    store_key_file: Annotated[
        Path | None, typer.Option(help="File with the store's X25519 private key, raw or base64: decrypts it all.")
    ] = None,
) -> None:
    """Check a sealed file or a bundle of evidence, offline, and say what did not hold.

    Of a bundle it names each of content, order, truncation, seat_signature, server_signature, chain and number_gap
    that fails.
    """
    if is_bundle(file):
        raise typer.Exit(_verify_bundle(file, seat_key, receipt_key))
    if (receipt is None) != (receipt_key is None):
        _cannot("--receipt and --receipt-key go together.")
    try:
        seat = public_key(seat_key) if seat_key else None
        receipts = public_key(receipt_key) if receipt_key else None
        store = _store_key(store_key_file) if store_key_file else None
        found = _manifest(file, manifest)
        if seat is not None and found is None:
            _cannot("There is no manifest to check with the seat's key.")
        checks = _checks(file, found, seat, (receipt, receipts), store)
    except OSError as error:
        _cannot(f"{error.filename} cannot be opened: {error.strerror}.")
    except EvidenceError as error:
        _cannot(f"A key, manifest or receipt cannot be read: {error}.")
    for check in checks:
        typer.echo(f"{'good' if check.passed else 'WRONG':<6} {check.name}: {check.detail}")
    for missing in _unchecked(found, seat, receipts, store):
        typer.echo(f"{'-':<6} {missing}")
    raise typer.Exit(0 if all(check.passed for check in checks) else 1)


def _verify_bundle(path: Path, seat_key: str | None, receipt_key: str | None) -> int:
    seat_id, _, key = (seat_key or "").rpartition(":")
    try:
        seats = {seat_id: public_key(key)} if seat_key else {}
        report = verify_bundle(path, public_key(receipt_key) if receipt_key else None, seats)
    except (BundleError, EvidenceError) as error:
        _cannot(str(error))
    except OSError as error:
        _cannot(f"{error.filename} cannot be opened: {error.strerror}.")
    for finding in report.findings:
        typer.echo(f"WRONG  {finding.code}: {finding.about}: {finding.detail}")
    for code in (code for code in CODES if all(finding.code != code for finding in report.findings)):
        typer.echo(f"good   {code}")
    for note in report.notes:
        typer.echo(f"-      {note}")
    typer.echo(
        f"{report.recordings} recordings, {report.seconds:.2f} s of audio, {report.entries} entries of the chain."
    )
    whose = "given" if report.pinned else "the bundle's own: compare it with the one that the store made known"
    typer.echo(f"Receipt key {report.fingerprint} ({whose}).")
    return 1 if report.findings else 0


def main() -> None:
    """Entry point."""
    app()


def _checks(
    file: Path,
    manifest: Manifest | None,
    seat: bytes | None,
    receipt: tuple[Path | None, bytes | None],
    store: bytes | None,
) -> list[Check]:
    envelope = check_envelope(file)
    checks = [envelope]
    if manifest is not None:
        checks += check_manifest(file, manifest, seat)
        if manifest.recovered and store is not None:
            checks.remove(envelope)  # a torn end is what a recovered journal may have; decryption says how much is good
    if receipt[0] is not None and receipt[1] is not None:
        checks.append(check_receipt(file, read_receipt(receipt[0]), receipt[1]))
    if store is not None:
        checks += check_decrypted(file, store, manifest)
    return checks


def _manifest(file: Path, given: Path | None) -> Manifest | None:
    found = read_manifest(given or beside(file))
    if given is not None and found is None:
        _cannot(f"{given} is not there.")
    return found


def _facts(found: Inspection) -> list[tuple[str, object]]:
    facts, manifest = found.header.facts, found.manifest
    whole = "ends with a whole piece" if not found.problem else f"stops in the middle: {found.problem}"
    rows: list[tuple[str, object]] = [
        ("kind", _KINDS[found.header.kind]),
        ("state", whole),
        ("recording", facts.recording_id),
        ("call", facts.call_id),
        ("seat", facts.seat_id),
        ("line", facts.line_id),
        ("direction", facts.direction),
        ("started", facts.started_at),
        ("rate", f"{facts.rate} samples a second, two channels"),
        ("store key", found.header.store_key_id),
        ("size", f"{found.size} bytes"),
        ("pieces", found.pieces),
    ]
    if manifest is None:
        return [*rows, ("manifest", "none beside the file")]
    length = "not known to the seat" if manifest.recovered else f"{manifest.samples / max(1, manifest.rate):.2f} s"
    return [
        *rows,
        ("manifest", f"number {manifest.number}{', recovered' if manifest.recovered else ''}"),
        ("ended", manifest.ended_at),
        ("length", length),
        ("lost frames", manifest.lost_frames),
        ("sha256", manifest.sha256),
    ]


def _unchecked(manifest: Manifest | None, seat: bytes | None, receipts: bytes | None, store: bytes | None) -> list[str]:
    said = [
        (manifest is None, "No manifest: size, hash and signature were not checked."),
        (manifest is not None and seat is None, "No seat key: the signature was not checked."),
        (receipts is None, "No receipt: whether the store has this file was not checked."),
        (store is None, "No store key: what is inside was not checked."),
    ]
    return [text for applies, text in said if applies]


def _store_key(path: Path) -> bytes:
    data = path.read_bytes()
    if len(data) != 32:
        try:
            data = base64.b64decode(data.strip(), validate=True)
        except binascii.Error as error:
            raise EvidenceError("malformed", "the store key is not base64") from error
    if len(data) != 32:
        raise EvidenceError("malformed", "the store key is not 32 bytes long")
    return data


def _cannot(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    main()
