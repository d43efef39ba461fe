"""The files of a package: the evidence of each recording, then the index that says what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from collection_server.auth.tables import User
from collection_server.context import Server
from collection_server.evidence.bundle import File, bundle_files
from collection_server.evidence.chain import wire_time
from collection_server.retrieval import index
from collection_server.retrieval.index import Row
from collection_server.retrieval.tables import RetrievalItem, RetrievalJob

INDEX_JSON, INDEX_CSV = "index.json", "index.csv"


class Package:
    """What one job brings. Made in a session; its files are read after that, one recording in memory at a time."""

    def __init__(self, session: Session, server: Server, job_id: str) -> None:
        job = session.get_one(RetrievalJob, job_id)
        by = session.get_one(User, job.created_by)
        self.rows = index.rows(session, job_id)
        self._by_id = {row.recording_id: row for row in self.rows}
        self._bundle = bundle_files(session, server, list(self._by_id))
        self._head: dict[str, Any] = {
            "form": "agent-desktop retrieval",
            "version": 1,
            "id": job.id,
            "made_at": wire_time(server.clock()),
            "asked_at": wire_time(job.created_at),
            "asked_by": {"login": by.login, "name": by.name},
            "reason": job.reason,
            "conditions": job.conditions,
            "unknown_cases": job.unknown_cases,
        }

    def files(self, begun: Callable[[int], None]) -> Iterator[File]:
        """``begun`` is told, before each recording's files, how many recordings are in already."""
        current, count = "", 0
        for name, content in self._bundle:
            folder = name.partition("/")[0]
            if folder in self._by_id and folder != current:
                begun(count)
                current, count = folder, count + 1
            self._note(folder, name)
            yield name, content
        for row in self.rows:
            row.result = row.result or _result(row)
        yield INDEX_JSON, index.to_json(self._head, self.rows)
        yield INDEX_CSV, index.to_csv(self.rows)

    def _note(self, folder: str, name: str) -> None:
        row = self._by_id.get(folder)
        if row is None:
            return
        if name.endswith("/recording.rec"):
            row.sealed_file = name
        elif name.partition("/")[2].startswith("audio."):
            row.audio_file = name


def _result(row: Row) -> str:
    if not row.sealed_file:
        return "missing"
    return "included" if row.audio_file or not row.seconds else "damaged"


def keep_results(session: Session, job_id: str, rows: list[Row]) -> None:
    """For the audit: what of the job was brought."""
    positions = dict(
        session.execute(
            select(RetrievalItem.recording_id, RetrievalItem.position).where(RetrievalItem.job_id == job_id)
        )
        .tuples()
        .all()
    )
    values = [{"job_id": job_id, "position": positions[row.recording_id], "state": row.result} for row in rows]
    session.execute(update(RetrievalItem), values)
