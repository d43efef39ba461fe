"""Back-up and restore: while the store is at work, into an empty place, with every recording verified there."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from typer.testing import CliRunner

from collection_server import app, cli
from collection_server.backup import snapshot
from collection_server.keys import load_keys
from collection_server.recordings.tables import Recording
from collection_server.retention import destroy, guard
from collection_server.retention.tables import RetentionRule, StoreGuard
from collection_server.settings import Settings
from recorder.cli import app as recorder
from tests.contract.test_server_uploads import announce, sealed, send
from tests.support import postgres
from tests.support.sealed import Sealed
from tests.support.server import RunningServer, run_cli, start_server
from tests.support.server_api import Seat, note_op


def command(*arguments: str, env: dict[str, str], quick: bool = True) -> CompletedProcess[str]:
    """Run ``collection-server``, in this process unless told otherwise: a new one takes a second to start."""
    if not quick:
        return run_cli(*arguments, env=env)
    done = CliRunner().invoke(cli.app, arguments, env={**env, "COLLECTION_CONFIG": None})
    if isinstance(done.exception, cli.Stop):
        return CompletedProcess(arguments, 1, done.stdout, f"{done.exception}\n")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


PASSPHRASE = "vier Wörter, 四个词"


@dataclass
class Site:
    """A server, its back-up folder, and the sealed keys beside it."""

    tmp: Path
    running: RunningServer
    env: dict[str, str]
    quick: bool = True

    def __post_init__(self) -> None:
        self.folder, self.keys, self.passphrase = self.tmp / "backup", self.tmp / "server.keys", self.tmp / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n", "utf-8")

    def record(self, seat: Seat, **changes: Any) -> Sealed:
        recording = sealed(seat, seconds=1.0, **changes)
        recording.finalised()
        send(seat, recording)
        return recording

    def back_up(self, *options: str) -> CompletedProcess[str]:
        data = str(self.running.data_dir)
        keys = [] if self.keys.exists() else ["--keys", str(self.keys), "--passphrase-file", str(self.passphrase)]
        return command("backup", str(self.folder), "--data", data, *keys, *options, env=self.env, quick=self.quick)

    def restore(self, place: Path, *options: str, env: dict[str, str] | None = None) -> CompletedProcess[str]:
        keys = ("--keys", str(self.keys), "--passphrase-file", str(self.passphrase))
        arguments = ("restore", str(self.folder), "--data", str(place), *keys, *options)
        return command(*arguments, env=env or self.env, quick=self.quick)

    def blob(self, recording: Sealed) -> Path:
        return snapshot.blob_path(self.folder, hashlib.sha256(recording.data).hexdigest())

    def told(self) -> dict[str, Any]:
        """The newest snapshot's own description."""
        name = snapshot.names(self.folder)[-1]
        return snapshot.read(self.folder, name, load_keys(self.running.data_dir / "keys").receipt.verify_key)[0]


@pytest.fixture
def site(private_data: Path, tmp_path: Path) -> Iterator[Site]:
    env = {"COLLECTION_RETENTION_EVERY_SECONDS": "0"}
    running = start_server(private_data, data_dir=private_data, env=env)
    yield Site(tmp_path, running, env)
    running.stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., RunningServer]]:
    running: list[RunningServer] = []

    def start(place: Path, **env: str) -> RunningServer:
        running.append(start_server(place, data_dir=place, env=env))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def test_a_restore_into_an_empty_place_has_every_recording_verified(
    site: Site, serve: Callable[..., RunningServer]
) -> None:
    site.quick = False
    seat = Seat(site.running.url, "liting")
    recordings = [site.record(seat) for _ in range(5)]
    journal = sealed(seat)
    journal.journal(gap_at=1.0)
    send(seat, journal)
    failed = sealed(seat, seconds=1.0)
    failed.finalised(content=b"no audio")
    send(seat, failed)
    recordings += [journal, failed]
    done = site.back_up()
    assert (done.returncode, done.stderr) == (0, "")
    assert "recordings 7" in done.stdout.splitlines()
    seat.operate(note_op(seat.user_id, seat.case(0)["id"]))  # after the back-up: lost with the machine
    _, seen = seat.sync_all()
    site.running.stop(kill=True)
    shutil.rmtree(site.running.data_dir)
    place = site.tmp / "restored"
    done = site.restore(place)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == ["recordings 7", "every recording verified"]

    server = serve(place)
    again = Seat(server.url, "liting", seat_id=seat.seat_id, key=seat.key)
    reviewer = Seat(server.url, "chenyu")
    receipt_key = again.session["keys"]["receipt"]
    assert receipt_key == seat.session["keys"]["receipt"]
    for recording in recordings:
        _recorder_verifies(again, recording, place, receipt_key)
        expected = 409 if recording is failed else 200
        assert reviewer.get(f"/v1/recordings/{recording.recording_id}/audio").status_code == expected
    ahead = again.get("/v1/sync", params={"since": seen})
    assert (ahead.status_code, ahead.json()["code"]) == (409, "sync_ahead")
    again.operate(note_op(again.user_id, again.case(0)["id"]))
    assert again.get("/v1/sync", params={"since": seen}).status_code == 409, "also once there are new changes"
    changes, head = again.sync_all()
    assert head > 1_000_000_000
    assert {change["kind"] for change in changes} >= {"case", "note"}
    assert again.sync_all(head) == ([], head)
    later = site.record(again)
    assert reviewer.get(f"/v1/recordings/{later.recording_id}/audio").status_code == 200


def _recorder_verifies(seat: Seat, recording: Sealed, place: Path, receipt_key: str) -> None:
    """By the recorder's own offline check, with public keys, and with the store's."""
    receipt = announce(seat, recording).json()["receipt"]
    folder = place.parent / "offline" / recording.recording_id
    folder.mkdir(parents=True)
    name = hashlib.sha256(recording.data).hexdigest()
    file = shutil.copy(place / "recordings" / "blobs" / name[:2] / name, folder / f"{recording.recording_id}.rec")
    (folder / f"{recording.recording_id}.manifest.json").write_text(json.dumps(recording.manifest()), "utf-8")
    (folder / "receipt.json").write_text(json.dumps(receipt), "utf-8")
    seat_key = base64.b64encode(bytes(seat.key.verify_key)).decode()
    keys = ["--seat-key", seat_key, "--receipt", str(folder / "receipt.json"), "--receipt-key", receipt_key]
    told = CliRunner().invoke(recorder, ["verify", str(file), *keys])
    assert told.exit_code == 0, told.output


def test_a_backup_while_uploads_run_is_whole(site: Site) -> None:
    seats = [Seat(site.running.url, login) for login in ("liting", "guowei")]
    stop, sent, errors = threading.Event(), [], []

    def upload(seat: Seat) -> None:
        try:
            while not stop.is_set():
                sent.append(site.record(seat))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=upload, args=(seat,)) for seat in seats]
    for thread in threads:
        thread.start()
    try:
        results = []
        for count in (3, 6, 9):
            deadline = time.monotonic() + 60
            while len(sent) < count:
                assert not errors
                assert time.monotonic() < deadline
                time.sleep(0.02)
            results.append(site.back_up())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert [done.returncode for done in results] == [0, 0, 0], [done.stderr for done in results]
    done = site.restore(site.tmp / "restored")
    assert (done.returncode, done.stderr) == (0, "")
    assert "every recording verified" in done.stdout
    assert f"recordings {site.told()['recordings']}" in done.stdout.splitlines()
    assert site.told()["recordings"] >= 9


def test_only_what_is_new_is_copied_and_old_snapshots_go(site: Site) -> None:
    seat = Seat(site.running.url, "liting")
    first = site.record(seat)
    assert "copied 1" in site.back_up().stdout
    mode = site.blob(first).stat().st_mode & 0o777
    inode = site.blob(first).stat().st_ino
    assert mode == 0o600
    site.record(seat)
    assert "copied 1" in site.back_up().stdout
    assert site.blob(first).stat().st_ino == inode
    for _ in range(3):
        assert "copied 0" in site.back_up("--keep", "2").stdout
    names = snapshot.names(site.folder)
    assert len(names) == 2
    assert sorted(path.name for path in (site.folder / "snapshots").iterdir()) == names
    site.blob(first).write_bytes(b"rot")
    assert "copied 0" in site.back_up().stdout, "what is there is not read each time"
    assert "copied 1" in site.back_up("--check").stdout
    done = site.restore(site.tmp / "old", "--snapshot", snapshot.names(site.folder)[0])
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_store_has_lost_is_said_by_both(site: Site) -> None:
    seat = Seat(site.running.url, "liting")
    whole, gone, rotten = (site.record(seat) for _ in range(3))
    blobs = site.running.data_dir / "recordings" / "blobs"
    for recording, data in ((gone, None), (rotten, rotten_bytes(rotten))):
        name = hashlib.sha256(recording.data).hexdigest()
        path = blobs / name[:2] / name
        path.unlink() if data is None else path.write_bytes(data)
    done = site.back_up()
    assert done.returncode == 1
    assert {f"missing {gone.recording_id}", f"damaged {rotten.recording_id}"} <= set(done.stdout.splitlines())
    assert len(site.told()["problems"]) == 2
    done = site.restore(site.tmp / "restored")
    assert done.returncode == 1
    assert {f"missing {gone.recording_id}", f"missing {rotten.recording_id}"} <= set(done.stdout.splitlines())
    assert whole.recording_id not in done.stdout
    assert "2 recordings are not what they were" in done.stderr


def rotten_bytes(recording: Sealed) -> bytes:
    return recording.data[:-30] + bytes([recording.data[-30] ^ 1]) + recording.data[-29:]


def test_a_backup_that_was_changed_does_not_pass(site: Site) -> None:
    seat = Seat(site.running.url, "liting")
    recording = site.record(seat)
    assert site.back_up().returncode == 0
    path = site.blob(recording)
    path.write_bytes(rotten_bytes(recording))
    done = site.restore(site.tmp / "one")
    assert (done.returncode, "missing " + recording.recording_id in done.stdout) == (1, True)
    path.write_bytes(recording.data)
    place = site.folder / "snapshots" / snapshot.names(site.folder)[0]
    key = load_keys(site.running.data_dir / "keys").receipt.verify_key
    for name in ("database.sqlite", "store.json", "snapshot.json"):
        good = (place / name).read_bytes()
        for bad in (good[:-100] + bytes([good[-100] ^ 1]) + good[-99:], good[:-2], None):
            (place / name).unlink()
            if bad is not None:
                (place / name).write_bytes(bad)
            if (name, bad) != ("snapshot.json", None):
                with pytest.raises(snapshot.BadBackup):
                    snapshot.read(site.folder, place.name, key)
        done = site.restore(site.tmp / "two")
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert not (site.tmp / "two").exists(), "it is not even begun"
        (place / name).write_bytes(good)


def test_keys_are_asked_for_and_a_place_that_is_not_empty_is_left_alone(site: Site) -> None:
    assert site.back_up().returncode == 0
    assert site.keys.stat().st_mode & 0o777 == 0o600
    secrets = [path.read_bytes().strip() for path in (site.running.data_dir / "keys").iterdir()]
    kept = [path.read_bytes() for path in site.folder.rglob("*") if path.is_file()] + [site.keys.read_bytes()]
    for secret in secrets:
        assert all(secret not in data and base64.b64decode(secret) not in data for data in kept)
    before = sorted(path.name for path in site.running.data_dir.iterdir())
    done = site.restore(site.running.data_dir)
    assert (done.returncode, "empty place only" in done.stderr) == (1, True)
    assert sorted(path.name for path in site.running.data_dir.iterdir()) == before
    site.passphrase.write_text("not the passphrase\n", "utf-8")
    done = site.restore(site.tmp / "restored")
    assert (done.returncode, done.stderr) == (1, "The passphrase is not that of the key file.\n")
    site.passphrase.write_text(PASSPHRASE + "\n", "utf-8")
    stranger = site.tmp / "stranger"
    assert command("init", "--data", str(stranger), env={}).returncode == 0
    other = site.tmp / "other.keys"
    arguments = ("--data", str(stranger), "--keys", str(other), "--passphrase-file", str(site.passphrase))
    assert command("backup", str(site.tmp / "other"), *arguments, env={}).returncode == 0
    site.keys = other
    done = site.restore(site.tmp / "restored")
    assert (done.returncode, "not signed with these keys" in done.stderr) == (1, True)
    assert not (site.tmp / "restored").exists()
    assert command("backup", str(site.tmp / "third"), *arguments, env={}).returncode == 1, (
        "a key file is never replaced"
    )
    site.passphrase.write_text("short\n", "utf-8")
    site.keys = site.tmp / "short.keys"
    assert "12 characters" in site.back_up().stderr


def test_a_restore_that_did_not_end_is_not_served(site: Site) -> None:
    assert site.back_up().returncode == 0
    place = site.tmp / "restored"
    assert site.restore(place).returncode == 0
    (place / "restoring").touch()
    done = command("serve", "--data", str(place), "--port", "0", env={})
    assert (done.returncode, "has not come to its end" in done.stderr) == (1, True)
    assert site.restore(place).returncode == 1


def test_what_was_destroyed_goes_from_the_backup_and_stays_destroyed(site: Site) -> None:
    seat = Seat(site.running.url, "liting")
    gone, kept = site.record(seat), site.record(seat)
    assert site.back_up().returncode == 0
    server = app.make_server(Settings(data=site.running.data_dir))
    long_ago = datetime.now(UTC) - timedelta(days=900)
    with server.db.write() as session:
        session.get_one(Recording, gone.recording_id).stored_at = long_ago
        session.add(RetentionRule(client="", days=800, set_by=seat.user_id, set_at=long_ago))
    assert destroy.run(server).destroyed == [gone.recording_id]
    server.db.dispose()
    assert site.blob(gone).exists()
    assert site.back_up().returncode == 0
    assert not site.blob(gone).exists()
    assert site.blob(kept).exists()
    older = site.tmp / "older"
    done = site.restore(older, "--snapshot", snapshot.names(site.folder)[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert "destroyed since 1" in done.stdout
    assert "destroyed 1" in command("retention", "run", "--data", str(older), env={}).stdout
    assert site.restore(site.tmp / "newest").stdout.splitlines()[1] == "recordings 1"


def test_one_backup_at_a_time_and_one_that_died_is_forgotten(site: Site) -> None:
    server = app.make_server(Settings(data=site.running.data_dir))
    with server.db.write() as session:
        guard.begin_backup(session, "another", server.clock())
    done = site.back_up()
    assert (done.returncode, done.stderr) == (1, "Another backup is running.\n")
    left = site.folder / "snapshots" / ".20200101T000000Z"
    left.mkdir(parents=True)
    with server.db.write() as session:
        session.get_one(StoreGuard, 1).backup_until = server.clock() - timedelta(seconds=1)
    assert site.back_up().returncode == 0
    assert not left.exists()
    with server.db.read() as session:
        assert session.get_one(StoreGuard, 1).backup_until is None
    server.db.dispose()


def test_the_server_backs_up_by_itself(private_data: Path, tmp_path: Path, serve: Callable[..., RunningServer]) -> None:
    folder = tmp_path / "automatic"
    serve(private_data, COLLECTION_BACKUP_FOLDER=str(folder))
    deadline = time.monotonic() + 30
    while not snapshot.names(folder):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    key = load_keys(private_data / "keys").receipt.verify_key
    body, _ = snapshot.read(folder, snapshot.names(folder)[0], key)
    assert body["problems"] == []


@pytest.mark.skipif(not postgres.available(), reason="needs Debian's package postgresql")
def test_postgresql_is_backed_up_and_restored(tmp_path: Path, serve: Callable[..., RunningServer]) -> None:
    with postgres.cluster() as url, postgres.cluster() as empty:
        data, env = tmp_path / "data", {"COLLECTION_DATABASE_URL": url}
        assert command("init", "--demo", "--data", str(data), env=env).returncode == 0
        site = Site(tmp_path, serve(data, **env), env)
        seat = Seat(site.running.url, "liting")
        recordings = [site.record(seat) for _ in range(3)]
        done = site.back_up()
        assert (done.returncode, done.stderr) == (0, "")
        site.running.stop()
        done = site.restore(tmp_path / "x")
        assert (done.returncode, "not empty" in done.stderr) == (1, True), "the old database is still there"
        place, other = tmp_path / "restored", {"COLLECTION_DATABASE_URL": empty}
        done = site.restore(place, env=other)
        assert (done.returncode, done.stderr) == (0, "")
        assert "every recording verified" in done.stdout
        server = serve(place, **other)
        reviewer = Seat(server.url, "chenyu")
        for recording in recordings:
            assert reviewer.get(f"/v1/recordings/{recording.recording_id}/audio").status_code == 200
        server.stop()
        wrong = site.restore(tmp_path / "sqlite", env={"COLLECTION_DATABASE_URL": ""})
        assert (wrong.returncode, "is of postgresql" in wrong.stderr) == (1, True)
