"""Uploads to an object store.

Revision 0003.
"""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by its part of the server."""


def downgrade() -> None:
    """Filled by its part of the server."""
