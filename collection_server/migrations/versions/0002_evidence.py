"""What the store has countersigned, chained, and alarms about what is missing.

Revision 0002.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _chain()
    _alarms()
    for table in ("evidence_chain", "evidence_pieces"):
        _append_only(table)
    head = sa.table(
        "evidence_head", sa.column("id"), sa.column("seq"), sa.column("hash"), sa.column("since", type_=TIME)
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64, "since": datetime.now(UTC)}])


def downgrade() -> None:
    for table in ("evidence_alarms", "evidence_pieces", "evidence_head", "evidence_chain"):
        op.drop_table(table)


def _chain() -> None:
    op.create_table(
        "evidence_chain",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("recording_id", ID, nullable=True),
        sa.Column("seat_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("seat_prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(88), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_evidence_chain"),
    )
    op.create_index("ix_evidence_chain_seat_id_seq", "evidence_chain", ["seat_id", "seq"])
    op.create_index("ix_evidence_chain_seat_id_number", "evidence_chain", ["seat_id", "number"])
    op.create_index("ix_evidence_chain_recording_id_kind", "evidence_chain", ["recording_id", "kind"])
    op.create_table(
        "evidence_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_head"),
    )
    op.create_table(
        "evidence_pieces",
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", name="pk_evidence_pieces"),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_evidence_pieces_recording_id_recordings"),
    )


def _alarms() -> None:
    op.create_table(
        "evidence_alarms",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("seat_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("recording_id", ID, nullable=True),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("closed_by", ID, nullable=True),
        sa.Column("remark", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_alarms"),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"], name="fk_evidence_alarms_closed_by_users"),
        sa.UniqueConstraint(
            "kind", "seat_id", "number", "subject", name="uq_evidence_alarms_kind_seat_id_number_subject"
        ),
    )
    op.create_index("ix_evidence_alarms_closed_at_found_at", "evidence_alarms", ["closed_at", "found_at"])


def _append_only(table: str) -> None:
    """Not even the server's own code may change or remove a row. The function is revision 0001's."""
    if op.get_bind().dialect.name == "postgresql":
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
