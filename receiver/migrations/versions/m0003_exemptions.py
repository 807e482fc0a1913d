"""Exemption requests, and what was decided about them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One table more; what is in the others stays."""
    op.create_table(
        "exemption",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("asking", sa.Text, nullable=False),
        sa.Column("reason", sa.LargeBinary),
        sa.Column("asked_on", sa.Date, nullable=False, index=True),
        sa.Column("decision", sa.Text),
        sa.Column("decided_on", sa.Date, index=True),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Not offered: requests that people wait for would be lost."""
    raise NotImplementedError("there is no way back to the tables before; restore a backup of that version")
