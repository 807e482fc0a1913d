"""The receiver's tables. Refuses to hold an address, the time of day of a batch, an order of arrival, or a payload.

One declaration for SQLite and PostgreSQL. On SQLite with a write-ahead log and `synchronous=FULL` a commit that returned is on disk, and
what is deleted is overwritten.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

SCHEMA = "0003"
"""The newest migration in receiver/migrations; the tables below are what it leaves behind (a test compares them, on both dialects)."""

metadata = sa.MetaData()

batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("pseudonym", sa.LargeBinary(32), nullable=False, index=True),
    sa.Column("purpose", sa.String(64), nullable=False, index=True),
    sa.Column("envelope_bytes", sa.Integer, nullable=False),
    sa.Column("stored_on", sa.Date, nullable=False, index=True),  # the day; the minute would help to link two days
    sa.Column("keep_until", sa.Date),  # by the policy that it came under; NULL: came before that was written down
    sa.Column("erased", sa.Boolean, nullable=False),  # the files are gone or going, the id never comes back
    sqlite_with_rowid=False,  # row ids would keep the order of arrival
)
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),  # no number: who takes back all of their days does it one after the other
    sa.Column("pseudonym", sa.LargeBinary(32), nullable=False),
    sa.Column("batches", sa.Text),  # JSON list of ids; NULL for everything of this pseudonym
    sa.Column("asked_on", sa.Date, nullable=False),
    sa.Column("receipt", sa.Text),  # NULL until slots and bodies are gone
    sqlite_with_rowid=False,
)
forbidden = sa.Table(
    "forbidden",
    metadata,
    sa.Column("pseudonym", sa.LargeBinary(32), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),  # EVERY, or an id that was erased before it came
    sqlite_with_rowid=False,
)
access = sa.Table(
    "access",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(20), nullable=False),
    sa.Column("purpose", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("batches", sa.Text, nullable=False),  # JSON list of ids
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
fleet_token = sa.Table(
    "fleet_token",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),  # the token itself is shown once and not kept
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("revoked_on", sa.Date),
)
device = sa.Table(
    "device",
    metadata,
    sa.Column("key", sa.LargeBinary(32), primary_key=True),
    sa.Column("token", sa.Integer, sa.ForeignKey("fleet_token.id"), nullable=False),
    sa.Column("enrolled_on", sa.Date, nullable=False),
    sqlite_with_rowid=False,
)
registration = sa.Table(
    "registration",  # all that stays with a device: how many identities it registered for which day
    metadata,
    sa.Column("device", sa.LargeBinary(32), sa.ForeignKey("device.key"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("identities", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
identity = sa.Table(
    "identity",  # of whichever device: no column says
    metadata,
    sa.Column("pseudonym", sa.LargeBinary(32), primary_key=True),
    sa.Column("day", sa.Date, nullable=False, index=True),
    sqlite_with_rowid=False,
)
purpose_key = sa.Table(
    "purpose_key",
    metadata,
    sa.Column("purpose", sa.String(64), primary_key=True),
    sa.Column("key_id", sa.LargeBinary(32), primary_key=True),
    sa.Column("last_day", sa.Date),  # of sealing with it; NULL while the policy in force names it
)
exemption = sa.Table(
    "exemption",  # of nobody: no column says whose, and no device's row says how many
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("asking", sa.Text, nullable=False),  # JSON: ground, what it covers, until when, against which denial
    sa.Column("reason", sa.LargeBinary),  # sealed to the reviewer
    sa.Column("asked_on", sa.Date, nullable=False, index=True),
    sa.Column("decision", sa.Text),  # signed by the reviewer; NULL while nobody has decided
    sa.Column("decided_on", sa.Date, index=True),
    sqlite_with_rowid=False,
)
chore = sa.Table(
    "chore",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("done_for", sa.Date, nullable=False),
)


def open_engine(path: Path) -> Engine:
    """The embedded database, with the pragmas that durability and erasure need on every connection."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
