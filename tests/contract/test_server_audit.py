"""The audit log: complete, chained, append-only, and without personal data."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collection_server.app import make_server
from collection_server.audit import service
from collection_server.audit.tables import AuditEntry
from collection_server.settings import Settings
from tests.contract.test_server_uploads import sealed, send
from tests.support.server import RunningServer
from tests.support.server_api import Seat, contact_op, note_op, promise

SignIn = Callable[..., Seat]


def entries_of(admin: Seat, user_id: str) -> list[dict[str, Any]]:
    """The user's entries, oldest first."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = admin.get("/v1/audit", params={"limit": 500, "cursor": cursor}).json()
        found += [e for e in page["entries"] if e["user_id"] == user_id]
        cursor = page["next"]
        if not cursor:
            return found[::-1]


def first_wrong_entry(data: Path) -> int | None:
    server = make_server(Settings(data=data))
    try:
        with server.db.read() as session:
            return service.verify(session)
    finally:
        server.db.dispose()


def test_what_is_read_and_changed_is_in_the_log_without_personal_data(sign_in: SignIn) -> None:
    admin, seat, reviewer = sign_in("admin"), sign_in("liting"), sign_in("chenyu")
    case = seat.case(95)
    detail = seat.get(f"/v1/cases/{case['id']}").json()
    contact = detail["contacts"][-1]
    seat.sync()
    seat.get("/v1/lookup", params={"number": contact["number"]})
    note = note_op(seat.user_id, case["id"], outcome="promise", promise=promise(), text="秘密的话")
    seat.operate(note, contact_op(contact["id"], "unreached"))
    seat.get("/v1/wallboard")
    recording = sealed(seat)
    recording.finalised()
    send(seat, recording)
    reviewer.get("/v1/recordings", params={"text": case["debtor_name"]})
    reviewer.get(f"/v1/recordings/{recording.recording_id}/audio")
    mine = [e for e in entries_of(admin, seat.user_id) if e["seat_id"] == seat.seat_id]
    assert [e["action"] for e in mine] == [
        "seat.enrolled",
        "session.opened",
        "cases.listed",
        "case.read",
        "changes.pulled",
        "number.looked_up",
        "operations.taken",
        "access.refused",
        "recording.stored",
    ]
    taken = mine[6]["detail"]
    assert taken["done"] == [["note.add", note["data"]["id"]], ["contact.state", contact["id"]]]
    assert case["id"] in mine[5]["detail"]["cases"]
    assert mine[8]["object_id"] == recording.recording_id
    theirs = [e for e in entries_of(admin, reviewer.user_id) if e["seat_id"] == reviewer.seat_id]
    assert [e["action"] for e in theirs][-2:] == ["recordings.searched", "recording.replayed"]
    assert all(e["ip"] == "127.0.0.1" and e["at"].endswith("Z") for e in mine)
    text = json.dumps(mine + theirs, ensure_ascii=False)
    for secret in ("秘密的话", case["debtor_name"], contact["number"], contact["name"], seat.token, "300000"):
        assert secret not in text


def test_wrong_passwords_and_refused_uploads_are_in_the_log(sign_in: SignIn) -> None:
    admin, seat = sign_in("admin"), sign_in("guowei")
    recording = sealed(seat)
    recording.finalised()
    seat.post(f"/v1/recordings/{recording.recording_id}/upload", recording.manifest() | {"size": 1})
    refused = [e for e in entries_of(admin, seat.user_id) if e["action"] == "recording.refused"]
    assert refused[-1]["detail"] == {"code": "bad_signature"}


def test_the_chain_holds_while_the_server_runs(server: RunningServer, sign_in: SignIn) -> None:
    sign_in("liting").sync()
    assert first_wrong_entry(server.data_dir) is None


def test_the_log_cannot_be_changed_and_a_change_by_force_is_found(private_data: Path) -> None:
    assert first_wrong_entry(private_data) is None
    with closing(sqlite3.connect(private_data / "collection.db")) as database:
        for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "DELETE FROM notes"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)
        database.executescript(
            'DROP TRIGGER audit_log_no_update; UPDATE audit_log SET detail = \'{"cases":1,"seed":1}\' WHERE seq = 1;'
        )
    assert first_wrong_entry(private_data) == 1


def test_an_entry_that_was_rewritten_with_a_fitting_hash_is_found_at_the_next(private_data: Path) -> None:
    server = make_server(Settings(data=private_data))
    for number in range(3):
        with server.db.write() as session:
            service.record(session, service.Event(service.Actor(), "test", detail={"n": number}))
    with closing(sqlite3.connect(private_data / "collection.db")) as database:
        database.execute("DROP TRIGGER audit_log_no_update")
    with server.db.write() as session:
        entry = session.get_one(AuditEntry, 2)
        entry.action = "nothing"
        entry.hash = service.entry_hash({c.key: getattr(entry, c.key) for c in AuditEntry.__table__.columns})
    with server.db.read() as session:
        assert service.verify(session) == 3
    server.db.dispose()


def test_an_entry_that_was_taken_out_is_found(private_data: Path, tmp_path: Path) -> None:
    server = make_server(Settings(data=private_data))
    for number in range(5):
        with server.db.write() as session:
            service.record(session, service.Event(service.Actor(), "test", detail={"n": number}))
    server.db.dispose()
    for wanted, statement in (
        (3, "DELETE FROM audit_log WHERE seq = 3"),
        (6, "DELETE FROM audit_log WHERE seq = 6"),  # the last one: only the head knows of it
        (4, "UPDATE audit_log SET hash = prev_hash WHERE seq = 4"),
    ):
        copy = Path(shutil.copytree(private_data, tmp_path / f"copy-{wanted}"))
        with closing(sqlite3.connect(copy / "collection.db")) as database:
            database.execute("DROP TRIGGER audit_log_no_delete")
            database.execute("DROP TRIGGER audit_log_no_update")
            database.execute(statement)
            database.commit()
        assert first_wrong_entry(copy) == wanted
