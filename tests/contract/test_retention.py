"""Retention and legal hold: what is destroyed and when, what is not, and the record that is left of it."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import VerifyKey

from collection_server import app
from collection_server.audit.service import verify as verify_audit
from collection_server.context import Server
from collection_server.evidence import chain
from collection_server.recordings.tables import Recording
from collection_server.retention import destroy, guard
from collection_server.retention.tables import Destruction, RetentionRule
from collection_server.settings import Settings
from collection_server.storage import BlobMissing, DiskStore, Locked
from tests.contract.test_server_uploads import sealed, send
from tests.support.sealed import Sealed, canonical
from tests.support.server import RunningServer, run_cli, start_server
from tests.support.server_api import Seat, call_op

DAYS = 800
SignIn = Callable[..., Seat]


@dataclass
class Store:
    """A running server, the same store opened in this process with a clock of its own, and its officer."""

    running: RunningServer
    server: Server
    officer: Seat
    seat: Seat
    ahead: timedelta = timedelta()

    def recorded(self, case: dict[str, Any] | None) -> Sealed:
        """A stored recording of a call about ``case``, or of one that belongs to none."""
        recording = sealed(self.seat, seconds=1.0)
        recording.finalised()
        send(self.seat, recording)
        call = call_op(self.seat.user_id, case["id"] if case else "", id=recording.call_id)
        assert self.seat.operate(call)[0]["status"] == "done"
        return recording

    def rule(self, client: str, days: int = DAYS) -> None:
        answer = self.officer.put("/v1/retention/rules", {"client": client, "days": days})
        assert answer.status_code == 200, answer.text

    def hold(self, scope: str, key: str) -> str:
        answer = self.officer.post("/v1/holds", {"scope": scope, "key": key, "reason": "诉讼 2026-17"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def close_alarms(self) -> None:
        reviewer = Seat(self.running.url, "chenyu")
        for alarm in reviewer.get("/v1/evidence/alarms").json()["alarms"]:
            answer = reviewer.post(f"/v1/evidence/alarms/{alarm['id']}/close", {"remark": "坐席电脑故障"})
            assert answer.status_code == 200, answer.text

    def has(self, recording: Sealed) -> bool:
        try:
            self.server.blobs.stat(recording.manifest()["sha256"])
        except BlobMissing:
            return False
        return True

    def later(self, days: float = DAYS + 1) -> None:
        self.ahead = timedelta(days=days)

    def run(self, **options: bool) -> destroy.Report:
        return destroy.run(self.server, **options)


@pytest.fixture
def store(private_data: Path) -> Iterator[Store]:
    running = start_server(private_data, data_dir=private_data, env={"COLLECTION_RETENTION_EVERY_SECONDS": "0"})
    made: Store
    server = app.make_server(Settings(data=private_data), lambda: datetime.now(UTC) + made.ahead)
    made = Store(running, server, Seat(running.url, "shujv"), Seat(running.url, "liting"))
    yield made
    running.stop()
    server.db.dispose()


def other_client(seat: Seat, client: str) -> dict[str, Any]:
    return next(case for case in seat.cases() if case["client"] != client)


def test_what_is_due_by_its_clients_rule_goes_and_leaves_a_signed_record(store: Store) -> None:
    case = store.seat.case(0)
    due, kept = store.recorded(case), store.recorded(other_client(store.seat, case["client"]))
    unknown = store.recorded(None)
    store.rule(case["client"])
    assert store.run().counts()["destroyed"] == 0, "nothing is due yet"
    store.later()
    assert store.run(dry_run=True).due == [due.recording_id]
    assert store.has(due)
    report = store.run()
    assert (report.destroyed, report.held) == ([due.recording_id], [])
    assert not store.has(due)
    assert store.has(kept)
    assert store.has(unknown), "its client is not known, and there is no rule for all"
    assert store.run().destroyed == [], "a second run has nothing to do"
    [told] = store.officer.get("/v1/retention/destructions").json()["destructions"]
    record = dict(told["record"])
    signature = base64.b64decode(record.pop("signature"))
    VerifyKey(base64.b64decode(store.seat.session["keys"]["receipt"])).verify(canonical(record), signature)
    assert (record["kind"], record["sha256"]) == ("destroyed", due.manifest()["sha256"])
    assert (record["recording_id"], record["seat_id"]) == (due.recording_id, store.seat.seat_id)
    assert (record["number"], record["rule"]["days"]) == (due.number, DAYS)
    with store.server.db.read() as session:
        assert chain.verify(session, store.server.keys.receipt.verify_key) is None
        assert verify_audit(session) is None


def test_a_destroyed_recording_is_not_found_and_not_played_but_its_row_stays(store: Store) -> None:
    reviewer = Seat(store.running.url, "chenyu")
    due = store.recorded(store.seat.case(0))
    path = f"/v1/recordings/{due.recording_id}"
    assert reviewer.get(f"{path}/audio").status_code == 200, "it is in the server's memory now"
    store.rule("")
    store.later()
    assert store.run().destroyed == [due.recording_id]
    answer = reviewer.get(f"{path}/audio")
    assert (answer.status_code, answer.json()["code"]) == (410, "destroyed")
    rows = reviewer.get("/v1/recordings", params={"limit": 500}).json()["recordings"]
    assert due.recording_id not in {row["id"] for row in rows}
    assert [access["what"] for access in reviewer.get(f"{path}/accesses").json()["accesses"]] == ["replayed"]
    again = store.seat.post(f"{path}/upload", due.manifest()).json()
    assert again["receipt"]["sha256"] == due.manifest()["sha256"], "the number is taken for ever"
    assert store.seat.post(f"{path}/upload", due.manifest()).json()["parts"] == []


@pytest.mark.parametrize("scope", ["client", "case", "recording"])
def test_a_legal_hold_beats_retention_until_it_is_released(store: Store, scope: str) -> None:
    case = store.seat.case(0)
    recording = store.recorded(case)
    store.rule("")
    hold = store.hold(scope, {"client": case["client"], "case": case["number"]}.get(scope, recording.recording_id))
    store.later()
    report = store.run()
    assert (report.destroyed, report.held) == ([], [recording.recording_id])
    assert store.has(recording)
    assert [h["id"] for h in store.officer.get("/v1/holds").json()["holds"]] == [hold]
    answer = store.officer.post(f"/v1/holds/{hold}/release", {"reason": "结案"})
    assert (answer.status_code, answer.json()["release_reason"]) == (200, "结案")
    again = store.officer.post(f"/v1/holds/{hold}/release", {"reason": "结案"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert store.officer.get("/v1/holds").json()["holds"] == []
    assert store.run().destroyed == [recording.recording_id]
    with store.server.db.read() as session:
        assert chain.verify(session, store.server.keys.receipt.verify_key) is None


def test_an_open_alarm_keeps_its_recording(store: Store) -> None:
    recording = sealed(store.seat, seconds=1.0)
    recording.finalised(content=b"no audio")
    send(store.seat, recording)
    store.rule("")
    store.later()
    report = store.run()
    assert (report.destroyed, report.alarmed) == ([], [recording.recording_id])
    store.close_alarms()
    assert store.run().destroyed == [recording.recording_id]


CRASHES = """
import os, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from collection_server import app
from collection_server.retention import destroy
from collection_server.settings import Settings
from collection_server.storage import DiskStore

def die(self, sha256):
    if sys.argv[2] == "after":
        delete(self, sha256)
    os.kill(os.getpid(), 9)

delete, DiskStore.delete = DiskStore.delete, die
server = app.make_server(Settings(data=Path(sys.argv[1])), lambda: datetime.now(UTC) + timedelta(days=801))
destroy.run(server)
"""


def die_in_the_middle(store: Store, moment: str) -> None:
    command = [sys.executable, "-c", CRASHES, str(store.running.data_dir), moment]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == -9, done.stderr.decode()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_between_the_steps_is_made_good_by_the_next_run(store: Store, moment: str) -> None:
    recording = store.recorded(store.seat.case(0))
    store.rule("")
    die_in_the_middle(store, moment)
    assert store.has(recording) == (moment == "before")
    [told] = store.officer.get("/v1/retention/destructions").json()["destructions"]
    assert (told["state"], told["record"]) == ("destroying", None)
    store.later()
    assert store.run().destroyed == [recording.recording_id]
    assert not store.has(recording)
    [told] = store.officer.get("/v1/retention/destructions").json()["destructions"]
    assert told["state"] == "destroyed"
    assert told["record"]["kind"] == "destroyed"


def test_a_hold_after_the_decision_saves_what_is_there(store: Store) -> None:
    case = store.seat.case(0)
    recording = store.recorded(case)
    store.rule("")
    die_in_the_middle(store, "before")
    store.hold("case", case["number"])
    store.later()
    report = store.run()
    assert (report.saved, report.destroyed) == ([recording.recording_id], [])
    assert store.has(recording)
    assert Seat(store.running.url, "chenyu").get(f"/v1/recordings/{recording.recording_id}/audio").status_code == 200


class LockingStore(DiskStore):
    """A disk whose blobs are locked, as those of a bucket with Object Lock."""

    until: datetime | None = None

    def delete(self, sha256: str) -> None:
        if self.until is not None:
            raise Locked(self.until)
        super().delete(sha256)


def test_what_the_store_itself_still_locks_goes_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = store.recorded(store.seat.case(0))
    store.rule("")
    store.later()
    until = datetime.now(UTC) + timedelta(days=DAYS + 20)
    locking = LockingStore(store.running.data_dir / "recordings")
    locking.until = until
    object.__setattr__(store.server, "blobs", locking)
    assert store.run().locked == [recording.recording_id]
    assert store.has(recording)
    with store.server.db.read() as session:
        row = session.get_one(Destruction, recording.recording_id)
    assert (row.state, row.locked_until) == ("destroying", until)
    locking.until = None
    assert store.run().destroyed == [recording.recording_id]


def test_nothing_new_is_decided_while_a_backup_runs(store: Store) -> None:
    recording = store.recorded(store.seat.case(0))
    store.rule("")
    store.later()
    with store.server.db.write() as session:
        guard.begin_backup(session, "backup-1", store.server.clock())
    with pytest.raises(guard.BackupRuns), store.server.db.write() as session:
        guard.begin_backup(session, "backup-2", store.server.clock())
    report = store.run()
    assert (report.backup_runs, report.destroyed) == (True, [])
    store.ahead += 2 * guard.LEASE  # the backup has died
    assert store.run().destroyed == [recording.recording_id]


def test_a_rule_is_two_years_at_least_and_waits_a_day(store: Store) -> None:
    recording = store.recorded(store.seat.case(0))
    for wrong in (0, -1, 730, 40_000, "800", None):
        answer = store.officer.put("/v1/retention/rules", {"client": "", "days": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), wrong
    store.later(DAYS * 2)
    store.rule("")
    assert store.run(dry_run=True).due == [recording.recording_id]
    with store.server.db.write() as session:  # as if it had been set just now, by this store's clock
        session.get_one(RetentionRule, "").set_at = store.server.clock() - timedelta(hours=23)
    assert store.run().destroyed == []
    assert store.officer.call("DELETE", "/v1/retention/rules?client=none").status_code == 404
    assert store.officer.call("DELETE", "/v1/retention/rules", params={"client": ""}).status_code == 204
    assert store.officer.get("/v1/retention/rules").json() == {"rules": []}


def test_an_unknown_client_is_kept_as_long_as_the_longest(store: Store) -> None:
    recording = store.recorded(None)
    store.rule("", 900)
    store.rule("某银行", 2000)
    store.later(1999)
    assert store.run().destroyed == []
    store.later(2001)
    assert store.run().destroyed == [recording.recording_id]


def test_bytes_that_another_recording_shares_stay(store: Store) -> None:
    case = store.seat.case(0)
    first = store.recorded(case)
    other = sealed(store.seat, number=first.number + 100_000)
    other.data, other.kind = first.data, first.kind
    changes = {"call_id": first.call_id, "samples": 8000}
    answer = store.seat.post(f"/v1/recordings/{other.recording_id}/upload", other.manifest(**changes)).json()
    put = store.seat.call(
        "PUT", answer["parts"][0]["url"], data=other.data, headers={"X-Content-SHA256": first.manifest()["sha256"]}
    )
    assert put.status_code == 204
    assert store.seat.post(f"/v1/recordings/{other.recording_id}/complete").status_code == 200
    store.close_alarms()  # it is not what its manifest says
    store.hold("recording", other.recording_id)
    store.rule("")
    store.later()
    assert store.run().destroyed == [first.recording_id]
    assert store.has(first)
    [told] = store.officer.get("/v1/retention/destructions").json()["destructions"]
    assert told["record"]["bytes"] == "kept_for_another_recording"


@pytest.mark.parametrize("login", ["liting", "xujing", "chenyu", "admin"])
def test_only_the_data_officer_may(sign_in: SignIn, login: str) -> None:
    other = sign_in(login)
    for method, path, body in (
        ("GET", "/v1/retention/rules", None),
        ("PUT", "/v1/retention/rules", {"client": "", "days": 900}),
        ("DELETE", "/v1/retention/rules?client=", None),
        ("GET", "/v1/retention/destructions", None),
        ("GET", "/v1/holds", None),
        ("POST", "/v1/holds", {"scope": "client", "key": "x", "reason": "x"}),
        ("POST", f"/v1/holds/{other.user_id}/release", {"reason": "x"}),
    ):
        answer = other.call(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)
    entries = sign_in("admin").get("/v1/audit").json()["entries"]
    refused = [e for e in entries if (e["user_id"], e["action"]) == (other.user_id, "access.refused")]
    assert refused[0]["detail"]["permission"] == "retention"


def test_wrong_holds_are_refused(sign_in: SignIn) -> None:
    officer = sign_in("shujv")
    for wrong, code in (
        ({"scope": "team", "key": "x", "reason": "x"}, "bad_request"),
        ({"scope": "recording", "key": "x", "reason": "x"}, "bad_request"),
        ({"scope": "case", "key": "none", "reason": ""}, "bad_request"),
        ({"scope": "case", "key": "none", "reason": "x"}, "not_found"),
        ({"scope": "client", "key": "none", "reason": "x"}, "not_found"),
        ({"scope": "recording", "key": officer.user_id, "reason": "x"}, "not_found"),
    ):
        assert officer.post("/v1/holds", wrong).json()["code"] == code, wrong
    assert officer.post(f"/v1/holds/{officer.user_id}/release", {"reason": "x"}).status_code == 404
    for cursor in ("x", "WyJhIiwgImIiXQ", "WzEsIDJd"):
        answer = officer.get("/v1/retention/destructions", params={"cursor": cursor})
        assert answer.status_code == 400, cursor


def test_the_command_says_what_it_would_do_and_does_it(store: Store) -> None:
    recording = store.recorded(store.seat.case(0))
    store.rule("")
    with store.server.db.write() as session:
        long_ago = datetime.now(UTC) - timedelta(days=DAYS + 1)
        session.get_one(Recording, recording.recording_id).stored_at = long_ago
        session.get_one(RetentionRule, "").set_at = long_ago
    data = str(store.running.data_dir)
    told = run_cli("retention", "run", "--dry-run", "--data", data)
    assert (told.returncode, told.stderr) == (0, "")
    assert ("due 1" in told.stdout.splitlines(), recording.recording_id in told.stdout) == (True, True)
    assert store.has(recording)
    done = run_cli("retention", "run", "--data", data)
    assert done.returncode == 0
    assert "destroyed 1" in done.stdout.splitlines()
    assert not store.has(recording)
    assert run_cli("retention", "run", "--data", f"{data}/none").returncode == 1


def test_the_server_destroys_by_itself(store: Store) -> None:
    recording = store.recorded(store.seat.case(0))
    store.rule("")
    store.later()
    [duty] = [duty for duty in app.duties_of(store.server) if duty.name == "retention"]
    duties = app.Duties(store.server, [duty])
    assert duties.look_after(duty)
    assert not store.has(recording)
    assert not duties.look_after(duty), "not before its time"
    store.later(DAYS + 2.1)
    assert duties.look_after(duty)
