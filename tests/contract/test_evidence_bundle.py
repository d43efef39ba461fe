"""A bundle from a real server, checked by a process that has nothing but public keys and no network."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collection_server.app import make_server
from collection_server.evidence.bundle import bundle_files
from collection_server.evidence.zipping import zipped
from collection_server.settings import Settings
from recorder.verify_bundle import CODES, Report, verify_bundle
from tests.contract.test_server_uploads import announce, send
from tests.support.sealed import Sealed, canonical
from tests.support.server import RunningServer, start_server
from tests.support.server_api import Seat

SignIn = Callable[..., Seat]
FACTS = canonical({"salt": "c2FsdA==", "far_number": "+8613801386021", "cause": "hung_up", "compliance": {}})


@dataclass
class Made:
    """A bundle of numbers 2 to 6 of one seat, of which 4 is void, and the recordings in it."""

    path: Path
    receipt_key: bytes
    seat: Seat
    recordings: dict[int, Sealed]


def sealed(seat: Seat, number: int, **changes: Any) -> Sealed:
    store_key = base64.b64decode(seat.session["keys"]["store"])
    return Sealed(store_key, seat.seat_id, seat.key, number, **changes)


def send_second(seat: Seat, recording: Sealed, **changes: Any) -> dict[str, Any]:
    """Send with a manifest of version 2."""
    first = recording.manifest
    recording.manifest = lambda **more: first(**{"version": 2} | changes | more)  # type: ignore[method-assign]
    return send(seat, recording)


def write_bundle(data: Path, recording_ids: list[str], path: Path) -> Path:
    server = make_server(Settings(data=data))
    try:
        with server.db.read() as session:
            files = bundle_files(session, server, recording_ids)
        path.write_bytes(b"".join(zipped(files, server.blobs)))
    finally:
        server.db.dispose()
    return path


@pytest.fixture(scope="module")
def made(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("bundle")
    data = Path(shutil.copytree(demo_data, folder / "data"))
    served = start_server(data, data_dir=data)
    try:
        yield _made(served, folder)
    finally:
        served.stop()


def _made(served: RunningServer, folder: Path) -> Made:
    seat, other = Seat(served.url, "liting"), Seat(served.url, "guowei")
    recordings = {number: sealed(seat, number) for number in (1, 2, 3, 4, 5, 6)}
    for number in (1, 2, 3, 6, 5):  # the last two arrive the wrong way round
        recordings[number].facts = FACTS if number == 3 else b""
        recordings[number].finalised()
        (send if number == 2 else send_second)(seat, recordings[number])
        stranger = sealed(other, number)
        stranger.journal()
        send(other, stranger)
    void = recordings.pop(4)
    answer = seat.post(f"/v1/recordings/{void.recording_id}/upload", void.void())
    assert answer.status_code == 200, answer.text
    wanted = [recordings[number].recording_id for number in (2, 3, 5, 6)]
    path = write_bundle(served.data_dir, wanted, folder / "bundle.zip")
    return Made(path, base64.b64decode(seat.session["keys"]["receipt"]), seat, recordings)


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(tmp_path / "bundle")
    return tmp_path / "bundle"


def change(path: Path, how: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_bytes())
    how(value)
    path.write_bytes(canonical(value))


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def test_a_bundle_holds(made: Made, folder: Path) -> None:
    for path in (made.path, folder):
        report = verify_bundle(path, made.receipt_key)
        assert report.findings == []
        assert (report.recordings, report.entries, report.pinned) == (4, 5, True)
        assert report.seconds == pytest.approx(12.0)
    third = made.recordings[3]
    assert (folder / third.recording_id / "audio.ogg").read_bytes() == third.content
    assert (folder / third.recording_id / "facts.json").read_bytes() == FACTS


def recording(made: Made, folder: Path, number: int = 3) -> Path:
    return folder / made.recordings[number].recording_id


def _flip(made: Made, folder: Path) -> None:
    path = recording(made, folder) / "recording.rec"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _pieces(data: bytes) -> list[bytes]:
    at = 12 + int.from_bytes(data[8:12], "little")
    found = [data[:at]]
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        found.append(data[at:end])
        at = end
    return found


def _swap(made: Made, folder: Path) -> None:
    path = recording(made, folder) / "recording.rec"
    pieces = _pieces(path.read_bytes())
    pieces[1], pieces[2] = pieces[2], pieces[1]
    path.write_bytes(b"".join(pieces))


def _cut(made: Made, folder: Path) -> None:
    path = recording(made, folder) / "recording.rec"
    path.write_bytes(path.read_bytes()[:-30])


def _seat_signature(made: Made, folder: Path) -> None:
    change(
        recording(made, folder) / "manifest.json", lambda m: m.update(signature=base64.b64encode(bytes(64)).decode())
    )


def _server_signature(made: Made, folder: Path) -> None:
    change(recording(made, folder) / "receipt.json", lambda r: r.update(stored_at="2020-01-01T00:00:00Z"))


def _link(made: Made, folder: Path) -> None:
    change(folder / "chain.json", lambda c: c["links"][2].update(seat_prev_hash="0" * 64))


def _number(made: Made, folder: Path) -> None:
    change(folder / "numbers.json", lambda n: n["seats"][made.seat.seat_id]["stored"].remove(5))


MUTATIONS = {
    "content": _flip,
    "order": _swap,
    "truncation": _cut,
    "seat_signature": _seat_signature,
    "server_signature": _server_signature,
    "chain": _link,
    "number_gap": _number,
}


@pytest.mark.parametrize("code", CODES)
def test_what_fails_is_named_by_a_process_without_keys_and_network(made: Made, folder: Path, code: str) -> None:
    MUTATIONS[code](made, folder)
    key = base64.b64encode(made.receipt_key).decode()
    command = [sys.executable, "-m", "recorder.cli", "verify", str(folder), "--receipt-key", key]
    offline = ["unshare", "--net"] if shutil.which("unshare") and sys.platform == "linux" else []
    if offline and subprocess.run([*offline, "true"], check=False, capture_output=True).returncode:
        offline = []  # not allowed here
    done = subprocess.run([*offline, *command], capture_output=True, text=True, timeout=60, check=False)
    wrong = {line.split()[1].rstrip(":") for line in done.stdout.splitlines() if line.startswith("WRONG")}
    assert (done.returncode, wrong) == (1, {code}), done.stdout + done.stderr
    assert {line.split()[1] for line in done.stdout.splitlines() if line.startswith("good")} == {*CODES} - {code}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("recording.rec", "content"),
        ("audio.ogg", "content"),
        ("pieces.json", "content"),
        ("facts.json", "content"),
        ("manifest.json", "seat_signature"),
        ("receipt.json", "server_signature"),
    ],
)
def test_a_file_that_was_replaced_is_named(made: Made, folder: Path, name: str, code: str) -> None:
    (recording(made, folder) / name).write_bytes(b"{}")
    assert codes(verify_bundle(folder, made.receipt_key)) == {code}


@pytest.mark.parametrize("name", ["recording.rec", "audio.ogg", "manifest.json", "receipt.json", "pieces.json"])
def test_a_file_that_is_missing_is_missed(made: Made, folder: Path, name: str) -> None:
    (recording(made, folder) / name).unlink()
    assert codes(verify_bundle(folder, made.receipt_key)) != set()


def test_damage_inside_of_the_archive_is_named_too(made: Made, tmp_path: Path) -> None:
    data = bytearray(made.path.read_bytes())
    sealed_file = made.recordings[3].data
    data[data.index(sealed_file) + len(sealed_file) // 2] ^= 1
    path = tmp_path / "changed.zip"
    path.write_bytes(data)
    assert codes(verify_bundle(path, made.receipt_key)) == {"content"}


def test_another_recordings_file_is_not_believed(made: Made, folder: Path) -> None:
    for name in ("recording.rec", "manifest.json", "receipt.json", "pieces.json", "audio.ogg"):
        shutil.copy(recording(made, folder, 5) / name, recording(made, folder, 6) / name)
    found = verify_bundle(folder, made.receipt_key)
    assert codes(found) == {"seat_signature", "server_signature"}


def test_a_recording_that_was_taken_out_or_put_in_is_noticed(made: Made, folder: Path) -> None:
    change(folder / "bundle.json", lambda b: b["recordings"].pop())
    assert "server_signature" in codes(verify_bundle(folder, made.receipt_key))
    assert "content" in codes(verify_bundle(folder, made.receipt_key))


def test_a_link_that_was_taken_out_breaks_the_chain_and_leaves_a_gap(made: Made, folder: Path) -> None:
    change(folder / "chain.json", lambda c: c["links"].pop(2))
    assert codes(verify_bundle(folder, made.receipt_key)) == {"chain", "number_gap"}


def test_the_end_of_the_chain_cannot_be_cut_off(made: Made, folder: Path) -> None:
    change(folder / "chain.json", lambda c: c["links"].pop())
    assert codes(verify_bundle(folder, made.receipt_key)) >= {"chain", "number_gap"}


def test_a_bundle_by_somebody_else_is_not_signed_by_the_store(made: Made, folder: Path) -> None:
    report = verify_bundle(folder, bytes(made.seat.key.verify_key))
    assert "server_signature" in codes(report)
    own = verify_bundle(folder)
    assert (own.findings, own.pinned) == ([], False)


def test_a_number_that_never_came_is_a_gap(made: Made, sign_in: SignIn, server: RunningServer, tmp_path: Path) -> None:
    seat = sign_in("liting")
    kept = [sealed(seat, number) for number in (1, 3)]
    for one in kept:
        one.finalised()
        send_second(seat, one)
    path = write_bundle(server.data_dir, [one.recording_id for one in kept], tmp_path / "gap.zip")
    (finding,) = verify_bundle(path).findings
    assert (finding.code, finding.about) == ("number_gap", seat.seat_id)
    assert "2" in finding.detail


def test_the_store_loses_a_blob_and_the_bundle_says_so(sign_in: SignIn, server: RunningServer, tmp_path: Path) -> None:
    seat, officer = sign_in("liting"), sign_in("shujv")
    one = sealed(seat, 1)
    one.finalised()
    receipt = send_second(seat, one)
    (blob,) = (path for path in (server.data_dir / "recordings").rglob("*") if path.name == receipt["sha256"])
    blob.rename(tmp_path / "blob")
    answer = officer.get(f"/v1/recordings/{one.recording_id}/bundle")
    assert answer.status_code == 200
    (tmp_path / "bundle.zip").write_bytes(answer.content)
    assert codes(verify_bundle(tmp_path / "bundle.zip")) == {"content"}


def test_one_recordings_bundle_is_for_the_data_officer_and_in_the_log(sign_in: SignIn, tmp_path: Path) -> None:
    seat, officer = sign_in("liting"), sign_in("shujv")
    one = sealed(seat, 1)
    one.finalised()
    send_second(seat, one)
    path = f"/v1/recordings/{one.recording_id}/bundle"
    for login in ("liting", "xujing", "chenyu", "admin"):
        assert sign_in(login).get(path).status_code == 403
    answer = officer.get(path)
    (tmp_path / "one.zip").write_bytes(answer.content)
    key = base64.b64decode(seat.session["keys"]["receipt"])
    report = verify_bundle(tmp_path / "one.zip", key)
    assert (report.findings, report.recordings, report.notes) == ([], 1, [])
    entries = sign_in("admin").get("/v1/audit", params={"limit": 500}).json()["entries"]
    exported = [e for e in entries if e["object_id"] == one.recording_id and e["action"] == "recording.exported"]
    assert [e["user_id"] for e in exported] == [officer.user_id]


def test_a_failed_recording_is_bundled_as_it_is(sign_in: SignIn, server: RunningServer, tmp_path: Path) -> None:
    seat = sign_in("liting")
    one = sealed(seat, 1)
    one.finalised(b"not audio at all")
    assert send_second(seat, one)["state"] == "failed"
    path = write_bundle(server.data_dir, [one.recording_id], tmp_path / "failed.zip")
    assert verify_bundle(path).findings == []


@pytest.mark.parametrize(("name", "code"), [("empty", 2), ("other.zip", 2), ("cut.zip", 1)])
def test_what_is_no_bundle_is_said(tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 and nothing more")  # looked at as a recording, and it is none
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "holiday pictures")
    command = [sys.executable, "-m", "recorder.cli", "verify", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert (done.stderr + done.stdout).strip()


def test_a_void_number_is_refused_where_there_is_audio(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    one = sealed(seat, 1)
    one.finalised()
    send_second(seat, one)
    again = sealed(seat, 1)
    assert seat.post(f"/v1/recordings/{again.recording_id}/upload", again.void()).json()["code"] == "conflict"
    void = sealed(seat, 2)
    first = seat.post(f"/v1/recordings/{void.recording_id}/upload", void.void()).json()["receipt"]
    second = seat.post(f"/v1/recordings/{void.recording_id}/upload", void.void()).json()["receipt"]
    assert first == second
    void.finalised()
    assert announce(seat, void).json()["code"] == "voided"
    thief = sealed(seat, 2)
    thief.finalised()
    assert announce(seat, thief).json()["code"] == "number_reused"
