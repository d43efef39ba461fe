"""Retention, legal holds, destruction, batch retrieval.

Revision 0004.
"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by its part of the server."""


def downgrade() -> None:
    """Filled by its part of the server."""
