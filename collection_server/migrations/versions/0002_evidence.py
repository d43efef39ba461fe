"""What the store has countersigned, chained, and alarms about what is missing.

Revision 0002.
"""

from __future__ import annotations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by its part of the server."""


def downgrade() -> None:
    """Filled by its part of the server."""
