"""Every table, for the migrations and for whoever needs the whole metadata."""

from __future__ import annotations

from collection_server.audit import tables as audit
from collection_server.auth import tables as auth
from collection_server.calls import tables as calls
from collection_server.cases import tables as cases
from collection_server.db import Base
from collection_server.evidence import tables as evidence
from collection_server.monitoring import tables as monitoring
from collection_server.notes import tables as notes
from collection_server.recordings import tables as recordings
from collection_server.retention import tables as retention
from collection_server.retrieval import tables as retrieval
from collection_server.sync import tables as sync

MODULES = (audit, auth, calls, cases, evidence, monitoring, notes, recordings, retention, retrieval, sync)
metadata = Base.metadata
