"""Fleet tokens, devices, identities, retention, previous purpose keys; and erasures without a number that kept their order."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From the first tables; what is in them stays."""
    _renew_batch()
    _renew_erasure()
    op.create_table(
        "fleet_token",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("revoked_on", sa.Date),
    )
    op.create_table(
        "device",
        sa.Column("key", sa.LargeBinary(32), primary_key=True),
        sa.Column("token", sa.Integer, sa.ForeignKey("fleet_token.id"), nullable=False),
        sa.Column("enrolled_on", sa.Date, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registration",
        sa.Column("device", sa.LargeBinary(32), sa.ForeignKey("device.key"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("identities", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identity",
        sa.Column("pseudonym", sa.LargeBinary(32), primary_key=True),
        sa.Column("day", sa.Date, nullable=False, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "purpose_key",
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column("key_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("last_day", sa.Date),
    )
    op.create_table("chore", sa.Column("name", sa.String(32), primary_key=True), sa.Column("done_for", sa.Date, nullable=False))


def _renew_batch() -> None:
    for index in ("ix_batch_pseudonym", "ix_batch_purpose"):
        op.drop_index(index, "batch")
    op.rename_table("batch", "batch_1")
    op.create_table(
        "batch",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("pseudonym", sa.LargeBinary(32), nullable=False, index=True),
        sa.Column("purpose", sa.String(64), nullable=False, index=True),
        sa.Column("envelope_bytes", sa.Integer, nullable=False),
        sa.Column("stored_on", sa.Date, nullable=False, index=True),
        sa.Column("keep_until", sa.Date),
        sa.Column("erased", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO batch (id, pseudonym, purpose, envelope_bytes, stored_on, erased) "
        "SELECT id, pseudonym, purpose, envelope_bytes, stored_on, erasure IS NOT NULL FROM batch_1"
    )
    op.drop_table("batch_1")


def _renew_erasure() -> None:
    op.rename_table("erasure", "erasure_1")
    op.create_table(
        "erasure",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("pseudonym", sa.LargeBinary(32), nullable=False),
        sa.Column("batches", sa.Text),
        sa.Column("asked_on", sa.Date, nullable=False),
        sa.Column("receipt", sa.Text),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO erasure (digest, pseudonym, batches, asked_on, receipt) "
        "SELECT digest, pseudonym, batches, CURRENT_DATE, receipt FROM erasure_1"
    )
    op.drop_table("erasure_1")


def downgrade() -> None:
    """Not offered: what was erased since would be forgotten."""
    raise NotImplementedError("there is no way back to the first tables; restore a backup of that version")
