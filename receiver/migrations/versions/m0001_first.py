"""The first tables: batch, erasure, forbidden, access."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("pseudonym", sa.LargeBinary(32), nullable=False),
        sa.Column("batches", sa.Text),
        sa.Column("receipt", sa.Text),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("pseudonym", sa.LargeBinary(32), nullable=False, index=True),
        sa.Column("purpose", sa.String(64), nullable=False, index=True),
        sa.Column("envelope_bytes", sa.Integer, nullable=False),
        sa.Column("stored_on", sa.Date, nullable=False),
        sa.Column("erasure", sa.Integer, sa.ForeignKey("erasure.id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forbidden",
        sa.Column("pseudonym", sa.LargeBinary(32), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "access",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("batches", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """There is nothing before the first."""
    raise NotImplementedError("the first migration has nothing to go back to")
