"""From a back-up into an empty place, and the proof that it is all there.

While it is under way the file ``restoring`` is in the data directory, and no server starts on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from collection_server.audit import service as audit
from collection_server.backup import check, contents, database, snapshot
from collection_server.backup.snapshot import BadBackup, Json
from collection_server.context import Server
from collection_server.evidence import chain
from collection_server.keys import Keys, write_keys
from collection_server.recordings.envelope import key_id
from collection_server.recordings.tables import Recording, Upload, UploadPart
from collection_server.retention import guard
from collection_server.retention.tables import Destruction
from collection_server.retrieval.tables import RetrievalJob
from collection_server.settings import Settings
from collection_server.storage import WrongSum
from collection_server.sync import changes

MARK = "restoring"
HOLE = 1_000_000_000
"""Numbers of changes left out, so that none that a seat may have seen is given out again."""
Open = Callable[[Settings], Server]


class NotEmpty(Exception):
    """There is something at the place; nothing was changed."""


@dataclass
class Report:
    """``problems``: code by recording, see ``check``. ``broken``: ``heads`` (the chains do not end where the back-up
    says), ``evidence_chain``, ``audit_chain``. ``destroyed_since``: recordings of an older snapshot that were destroyed
    after it.
    """

    name: str
    recordings: int = 0
    destroyed_since: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.problems and not self.broken


def restore(
    settings: Settings, folder: Path, name: str, keys: Keys, open_server: Open, upgrade: Callable[[Settings], None]
) -> Report:
    """Restore the snapshot ``name`` (empty: the newest). ``open_server`` makes the parts over what is restored.

    What does not hold is in the report, and the rest is restored. Raises ``BadBackup``, ``NotEmpty``,
    ``database.DatabaseFailed``, ``OSError``.
    """
    found = snapshot.names(folder)
    if not found or (name and name not in found):
        raise BadBackup(f"There is no snapshot {name or 'at all'} in {folder}.")
    newest = found[-1]
    name = name or newest
    body, store = snapshot.read(folder, name, keys.receipt.verify_key)
    later = store if name == newest else snapshot.read(folder, newest, keys.receipt.verify_key)[1]
    _check_fits(settings, body, keys)
    _check_empty(settings)
    mark = settings.data / MARK
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch(mode=0o600)
    write_keys(settings.data / "keys", keys)
    database.put_back(settings, folder / "snapshots" / name / Path(body["database"]["file"]).name)
    upgrade(settings)
    server = open_server(settings)
    try:
        report = _fill(server, folder, body, store, later)
    finally:
        server.db.dispose()
    mark.unlink()
    return report


def _check_fits(settings: Settings, body: Json, keys: Keys) -> None:
    if body["store_key_id"] != key_id(bytes(keys.store.public_key)):
        raise BadBackup("The keys are not those of this back-up.")
    kind = database.kind_of(settings)
    if body["database"]["kind"] != kind:
        raise BadBackup(f"The back-up is of {body['database']['kind']}, the settings say {kind}.")


def _check_empty(settings: Settings) -> None:
    for name in ("keys", "recordings", MARK):
        path = settings.data / name
        if path.exists():
            raise NotEmpty(f"{path} is there: a restore goes into an empty place only; nothing was changed.")
    if not database.is_empty(settings):
        raise NotEmpty("The database is not empty: a restore goes into an empty one only; nothing was changed.")


def _fill(server: Server, folder: Path, body: Json, store: Json, later: Json) -> Report:
    report = Report(body["name"])
    gone = {row["recording_id"]: row for row in later["destroyed"]}
    for blob in store["blobs"]:
        path = snapshot.blob_path(folder, blob["sha256"])
        try:
            server.blobs.put_file(path, blob["sha256"])
        except FileNotFoundError:
            if blob["recording_id"] not in gone:
                report.problems[blob["recording_id"]] = "missing"
        except WrongSum:
            report.problems[blob["recording_id"]] = "damaged"
    _check_chains(server, body, report)
    with server.db.write() as session:
        report.destroyed_since = _repeat_destructions(session, gone)
        _forget_what_is_not_here(session, server.clock())
        changes.leave_hole(session, HOLE)
        detail = {"name": body["name"]}
        audit.record(session, audit.Event(audit.Actor(), "store.restored", "backup", body["name"], detail))
    with server.db.read() as session:
        for recording_id, problem in check.problems(session, server):
            report.recordings += 1
            if problem:
                report.problems[recording_id] = problem
    return report


def _check_chains(server: Server, body: Json, report: Report) -> None:
    """Before anything is added to them."""
    with server.db.read() as session:
        if contents.heads(session) != body["heads"]:
            report.broken.append("heads")
        if chain.verify(session, server.keys.receipt.verify_key) is not None:
            report.broken.append("evidence_chain")
        if audit.verify(session) is not None:
            report.broken.append("audit_chain")


def _repeat_destructions(session: Session, gone: dict[str, Json]) -> int:
    """What was destroyed after an older snapshot stays destroyed: the next ``retention run`` writes the record."""
    count = 0
    for recording_id, row in gone.items():
        recording = session.get(Recording, recording_id)
        if recording is None or recording.destroyed_at is not None:
            continue
        decided_at = datetime.fromisoformat(row["decided_at"])
        recording.destroyed_at = decided_at
        session.add(
            Destruction(
                recording_id=recording_id,
                state="destroying",
                sha256=row["sha256"],
                client=row["client"],
                rule_client=row["rule_client"],
                rule_days=row["rule_days"],
                rule_set_by=row["rule_set_by"],
                due_at=datetime.fromisoformat(row["due_at"]),
                decided_at=decided_at,
            )
        )
        count += 1
    return count


def _forget_what_is_not_here(session: Session, now: datetime) -> None:
    """Parts of uploads and packages are not in a back-up; the back-up that made this one is over."""
    session.execute(delete(UploadPart))
    session.execute(delete(Upload))
    waiting = RetrievalJob.state.in_(("running", "done"))
    session.execute(update(RetrievalJob).where(waiting).values(state="expired", sealed_key="", worker=""))
    held = guard.lock(session)
    held.backup_by, held.backup_until = "", None
