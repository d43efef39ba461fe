"""The first schema.

Revision 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _accounts()
    _cases()
    _contacts()
    _notes()
    _calls()
    _uploads()
    _recordings()
    _seat_states()
    _sync()
    _audit()
    _append_only("audit_log")
    _append_only("notes")
    op.execute("INSERT INTO change_counter (id, value) VALUES (1, 0)")
    head = sa.table("audit_head", sa.column("id"), sa.column("seq"), sa.column("hash"))
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])


def downgrade() -> None:
    _drop_append_only()
    for table in (
        "upload_parts",
        "promises",
        "uploads",
        "sessions",
        "seat_states",
        "recordings",
        "notes",
        "contacts",
        "case_access",
        "calls",
        "seats",
        "operations",
        "changes",
        "cases",
        "users",
        "sign_in_failures",
        "change_counter",
        "audit_log",
        "audit_head",
    ):
        op.drop_table(table)


def _accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("team", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("login", name="uq_users_login"),
    )
    op.create_index("ix_users_team", "users", ["team"])
    op.create_table(
        "seats",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("enrolled_at", TIME, nullable=False),
        sa.Column("enrolled_by", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seats"),
        sa.ForeignKeyConstraint(["enrolled_by"], ["users.id"], name="fk_seats_enrolled_by_users"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("seat_id", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name="fk_sessions_seat_id_seats"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users"),
    )
    op.create_index("ix_sessions_user_id_seat_id", "sessions", ["user_id", "seat_id"])
    op.create_table(
        "sign_in_failures",
        sa.Column("login_sha256", sa.String(64), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("login_sha256", name="pk_sign_in_failures"),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("client", sa.String(80), nullable=False),
        sa.Column("product", sa.String(80), nullable=False),
        sa.Column("batch", sa.String(40), nullable=False),
        sa.Column("debtor_id", ID, nullable=False),
        sa.Column("debtor_name", sa.String(80), nullable=False),
        sa.Column("debtor_sex", sa.String(8), nullable=False),
        sa.Column("debtor_age", sa.Integer(), nullable=True),
        sa.Column("id_number_masked", sa.String(32), nullable=False),
        sa.Column("account_tail", sa.String(8), nullable=False),
        sa.Column("stage", sa.String(4), nullable=False),
        sa.Column("days_overdue", sa.Integer(), nullable=False),
        sa.Column("due_back", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.BigInteger(), nullable=False),
        sa.Column("minimum_due", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("relief", sa.String(200), nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("last_contact_at", TIME, nullable=True),
        sa.Column("next_follow_up_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_cases_owner_id_users"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
    )
    op.create_index("ix_cases_debtor_id", "cases", ["debtor_id"])
    op.create_index("ix_cases_debtor_name", "cases", ["debtor_name"])
    op.create_index("ix_cases_owner_id", "cases", ["owner_id"])


def _contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("relation", sa.String(16), nullable=False),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("state_at", TIME, nullable=True),
        sa.Column("state_by", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_contacts_case_id_cases"),
        sa.ForeignKeyConstraint(["state_by"], ["users.id"], name="fk_contacts_state_by_users"),
    )
    op.create_index("ix_contacts_case_id", "contacts", ["case_id"])
    op.create_index("ix_contacts_number", "contacts", ["number"])
    op.create_table(
        "case_access",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "user_id", "reason", name="pk_case_access"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_access_case_id_cases"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_case_access_user_id_users"),
    )


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("contact_id", ID, nullable=True),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("next_follow_up_at", TIME, nullable=True),
        sa.Column("not_owner", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_notes_author_id_users"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_notes_case_id_cases"),
    )
    op.create_index("ix_notes_author_id_created_at", "notes", ["author_id", "created_at"])
    op.create_index("ix_notes_call_id", "notes", ["call_id"])
    op.create_index("ix_notes_case_id", "notes", ["case_id"])
    op.create_table(
        "promises",
        sa.Column("id", ID, nullable=False),
        sa.Column("note_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_promises"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_promises_case_id_cases"),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name="fk_promises_note_id_notes"),
        sa.UniqueConstraint("note_id", name="uq_promises_note_id"),
    )
    op.create_index("ix_promises_case_id", "promises", ["case_id"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("contact_id", ID, nullable=True),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("sip_code", sa.Integer(), nullable=False),
        sa.Column("talk_ms", sa.Integer(), nullable=False),
        sa.Column("recording_id", ID, nullable=True),
        sa.Column("quality", JSON, nullable=False),
        sa.Column("not_owner", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name="fk_calls_agent_id_users"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_calls_case_id_cases"),
    )
    op.create_index("ix_calls_agent_id_started_at", "calls", ["agent_id", "started_at"])
    op.create_index("ix_calls_case_id", "calls", ["case_id"])
    op.create_index("ix_calls_number", "calls", ["number"])
    op.create_index("ix_calls_recording_id", "calls", ["recording_id"])


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", ID, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("seat_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("part_size", sa.BigInteger(), nullable=False),
        sa.Column("manifest", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_uploads_created_by_users"),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name="fk_uploads_seat_id_seats"),
        sa.UniqueConstraint("recording_id", name="uq_uploads_recording_id"),
        sa.UniqueConstraint("seat_id", "number", name="uq_uploads_seat_id_number"),
    )
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "number", name="pk_upload_parts"),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name="fk_upload_parts_upload_id_uploads", ondelete="CASCADE"
        ),
    )


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("seat_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(1), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("manifest", JSON, nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("lost_frames", sa.Integer(), nullable=False),
        sa.Column("codec", sa.String(8), nullable=False),
        sa.Column("left_dbfs", sa.Double(), nullable=True),
        sa.Column("right_dbfs", sa.Double(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("stored_at", TIME, nullable=False),
        sa.Column("stored_by", ID, nullable=False),
        sa.Column("receipt_signature", sa.String(88), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name="fk_recordings_seat_id_seats"),
        sa.ForeignKeyConstraint(["stored_by"], ["users.id"], name="fk_recordings_stored_by_users"),
        sa.UniqueConstraint("seat_id", "number", name="uq_recordings_seat_id_number"),
    )
    op.create_index("ix_recordings_call_id", "recordings", ["call_id"])
    op.create_index("ix_recordings_started_at_id", "recordings", ["started_at", "id"])


def _seat_states() -> None:
    op.create_table(
        "seat_states",
        sa.Column("seat_id", sa.String(64), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("line_state", sa.String(16), nullable=False),
        sa.Column("line_uri", sa.String(200), nullable=False),
        sa.Column("recording", sa.Boolean(), nullable=False),
        sa.Column("recording_problem", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("seat_id", name="pk_seat_states"),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name="fk_seat_states_agent_id_users"),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name="fk_seat_states_seat_id_seats"),
    )
    op.create_index("ix_seat_states_agent_id", "seat_states", ["agent_id"])


def _sync() -> None:
    op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_counter"),
    )
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("object_id", ID, nullable=False),
        sa.Column("op", sa.String(8), nullable=False),
        sa.Column("scope", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_changes"),
        sa.ForeignKeyConstraint(["scope"], ["users.id"], name="fk_changes_scope_users"),
    )
    op.create_index("ix_changes_scope_seq", "changes", ["scope", "seq"])
    op.create_table(
        "operations",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_operations_user_id_users"),
    )


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("seat_id", sa.String(64), nullable=False),
        sa.Column("ip", sa.String(45), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("object_kind", sa.String(16), nullable=False),
        sa.Column("object_id", sa.String(64), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_object_kind_object_id_seq", "audit_log", ["object_kind", "object_id", "seq"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )


def _append_only(table: str) -> None:
    """Not even the server's own code may change or remove a row."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger AS "
            "$$ BEGIN RAISE EXCEPTION 'this table is append-only'; END $$ LANGUAGE plpgsql"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'this table is append-only'); END"
        )


def _drop_append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change() CASCADE")
        return
    for table in ("audit_log", "notes"):
        for action in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{action}")
