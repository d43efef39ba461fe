"""Bodies of ``/v1/sync`` and ``/v1/operations``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from collection_server.calls.schemas import CallOut
from collection_server.cases.schemas import CaseOut, ContactOut
from collection_server.notes.schemas import NoteOut
from collection_server.schemas import Model, Time, UuidText

MAX_BATCH = 50

ChangeData = CaseOut | ContactOut | NoteOut | CallOut


class ChangeOut(Model):
    seq: int
    kind: Literal["case", "contact", "note", "call"]
    id: UuidText
    op: Literal["upsert", "delete"]
    data: ChangeData | None = Field(description="The object as it is now; null for delete")


class SyncOut(Model):
    changes: list[ChangeOut]
    next: int
    more: bool


class OperationIn(Model):
    """``data`` by kind: NoteIn, CallIn or ContactStateIn."""

    id: UuidText
    kind: Literal["note.add", "call.add", "contact.state"]
    at: Time
    data: dict[str, Any]


class OperationsIn(Model):
    operations: list[OperationIn] = Field(min_length=1, max_length=MAX_BATCH)


class ResultOut(Model):
    id: UuidText
    status: Literal["done", "repeated", "refused"]
    code: str
    detail: str


class ResultsOut(Model):
    results: list[ResultOut]
