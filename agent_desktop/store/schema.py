"""Tables of the seat's store. Times are whole microseconds since 1970 in UTC, days ISO 8601, amounts minor units."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

SCHEMA_VERSION = 1
"""Goes up with any change to the cached tables below; those are then dropped and filled from the server again."""

cached = MetaData()
"""Tables that the server can fill again."""
kept = MetaData()
"""Tables that exist here alone: they are never dropped, so their rows hold JSON and their columns never change."""


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


cases = Table(
    "cases",
    cached,
    Column("id", Text, primary_key=True),
    _text("number"),
    _text("client"),
    _text("product"),
    _text("batch"),
    _text("debtor_name"),
    _text("debtor_sex"),
    Column("debtor_age", Integer),
    _text("id_number_masked"),
    _text("account_tail"),
    _text("stage"),
    Column("days_overdue", Integer, nullable=False),
    _text("due_back"),
    _text("currency"),
    Column("total", Integer, nullable=False),
    Column("principal", Integer, nullable=False),
    Column("minimum_due", Integer, nullable=False),
    Column("paid", Integer, nullable=False),
    _text("relief"),
    _text("owner_id"),
    Column("linked_cases", Integer, nullable=False),
    Column("last_contact_at", Integer),
    Column("next_follow_up_at", Integer),
)

contacts = Table(
    "contacts",
    cached,
    Column("id", Text, primary_key=True),
    _text("case_id"),
    _text("name"),
    _text("relation"),
    _text("number"),
    _text("tail"),
    _text("source"),
    _text("state"),
    Index("contacts_case", "case_id"),
    Index("contacts_number", "number"),
    Index("contacts_tail", "tail"),
)

notes = Table(
    "notes",
    cached,
    Column("id", Text, primary_key=True),
    _text("case_id"),
    _text("call_id"),
    _text("contact_id"),
    _text("author_id"),
    _text("author_name"),
    Column("created_at", Integer, nullable=False),
    _text("outcome"),
    _text("text"),
    Column("next_follow_up_at", Integer),
    Index("notes_case", "case_id", "created_at", "outcome"),
    Index("notes_contact", "contact_id", "created_at", "outcome"),
)

promises = Table(
    "promises",
    cached,
    Column("id", Text, primary_key=True),
    _text("case_id"),
    _text("note_id"),
    Column("amount", Integer, nullable=False),
    _text("currency"),
    _text("due"),
    _text("state"),
    Column("made_at", Integer, nullable=False),
    Index("promises_case", "case_id", "made_at"),
    Index("promises_note", "note_id"),
)

calls = Table(
    "calls",
    cached,
    Column("id", Text, primary_key=True),
    _text("case_id"),
    _text("contact_id"),
    _text("agent_id"),
    _text("line_id"),
    _text("direction"),
    _text("number"),
    Column("started_at", Integer, nullable=False),
    Column("answered_at", Integer),
    Column("ended_at", Integer, nullable=False),
    _text("cause"),
    Column("talk_ms", Integer, nullable=False),
    _text("recording_id"),
    _text("quality"),
    Column("sip_code", Integer, nullable=False),
    Index("calls_case", "case_id", "started_at"),
    Index("calls_number", "number", "started_at"),
)

tally = Table(
    "tally",
    cached,
    # One row a note or call, without personal data: the day's figures stay right when a case is taken away.
    Column("id", Text, primary_key=True),
    Column("at", Integer, nullable=False),
    _text("agent_id"),
    _text("case_id"),
    Column("talk_ms", Integer),  # of a call; a note has none
    Column("promised", Integer),
    Index("tally_agent", "agent_id", "at"),
)

cursor = Table(
    "sync_cursor",
    cached,
    Column("id", Integer, primary_key=True),
    Column("next", Integer, nullable=False),
)

outbox = Table(
    "outbox",
    kept,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, unique=True, nullable=False),
    _text("kind"),
    Column("at", Integer, nullable=False),
    _text("subject"),
    _text("data"),
    _text("state"),
    _text("code"),
    Index("outbox_state", "state", "position"),
    Index("outbox_subject", "subject"),
    sqlite_autoincrement=True,
)

drafts = Table(
    "drafts",
    kept,
    Column("case_id", Text, primary_key=True),
    _text("data"),
)

open_calls = Table(
    "open_calls",
    kept,
    Column("call_id", Text, primary_key=True),
    _text("data"),
)

meta = Table(
    "meta",
    kept,
    Column("key", Text, primary_key=True),
    _text("value"),
)
