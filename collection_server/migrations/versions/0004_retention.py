"""Retention, legal holds, destruction, batch retrieval.

Revision 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("recordings", sa.Column("destroyed_at", TIME, nullable=True))
    _rules()
    _holds()
    _destructions()
    _guard_and_duties()
    _retrievals()


def downgrade() -> None:
    for table in ("retrieval_items", "retrieval_jobs", "change_holes", "duties", "store_guard"):
        op.drop_table(table)
    for table in ("destructions", "legal_holds", "retention_rules"):
        op.drop_table(table)
    with op.batch_alter_table("recordings") as batch:
        batch.drop_column("destroyed_at")


def _rules() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("client", sa.String(80), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("set_by", ID, nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("client", name="pk_retention_rules"),
        sa.ForeignKeyConstraint(["set_by"], ["users.id"], name="fk_retention_rules_set_by_users"),
    )


def _holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("id", ID, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("placed_by", ID, nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        sa.Column("released_by", ID, nullable=True),
        sa.Column("released_at", TIME, nullable=True),
        sa.Column("release_reason", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_legal_holds"),
        sa.ForeignKeyConstraint(["placed_by"], ["users.id"], name="fk_legal_holds_placed_by_users"),
        sa.ForeignKeyConstraint(["released_by"], ["users.id"], name="fk_legal_holds_released_by_users"),
    )
    op.create_index("ix_legal_holds_scope_key", "legal_holds", ["scope", "key"])


def _destructions() -> None:
    op.create_table(
        "destructions",
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("client", sa.String(80), nullable=False),
        sa.Column("rule_client", sa.String(80), nullable=False),
        sa.Column("rule_days", sa.Integer(), nullable=False),
        sa.Column("rule_set_by", ID, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("locked_until", TIME, nullable=True),
        sa.Column("destroyed_at", TIME, nullable=True),
        sa.Column("record", JSON, nullable=True),
        sa.PrimaryKeyConstraint("recording_id", name="pk_destructions"),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_destructions_recording_id_recordings"),
    )
    op.create_index("ix_destructions_state", "destructions", ["state"])
    op.create_index("ix_destructions_decided_at_recording_id", "destructions", ["decided_at", "recording_id"])


def _guard_and_duties() -> None:
    guard = op.create_table(
        "store_guard",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("backup_until", TIME, nullable=True),
        sa.Column("backup_by", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store_guard"),
    )
    op.bulk_insert(guard, [{"id": 1, "backup_until": None, "backup_by": ""}])
    op.create_table(
        "duties",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("result", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_duties"),
    )
    op.create_table(
        "change_holes",
        sa.Column("last_before", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("resumed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("last_before", name="pk_change_holes"),
    )


def _retrievals() -> None:
    op.create_table(
        "retrieval_jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("conditions", JSON, nullable=False),
        sa.Column("unknown_cases", JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("error", sa.String(32), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(36), nullable=False),
        sa.Column("seen_at", TIME, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sealed_key", sa.String(128), nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("exported_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_retrieval_jobs"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_retrieval_jobs_created_by_users"),
    )
    op.create_index("ix_retrieval_jobs_state", "retrieval_jobs", ["state"])
    op.create_index("ix_retrieval_jobs_created_by_created_at", "retrieval_jobs", ["created_by", "created_at"])
    op.create_table(
        "retrieval_items",
        sa.Column("job_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "position", name="pk_retrieval_items"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["retrieval_jobs.id"], name="fk_retrieval_items_job_id_retrieval_jobs", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_retrieval_items_recording_id_recordings"),
    )
