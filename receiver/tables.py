"""The receiver's tables. Refuses to hold an address, the time of day of a batch, or a payload.

SQLite with a write-ahead log and `synchronous=FULL`: a commit that returned is on disk. What is deleted is overwritten.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

SCHEMA = "0001"
"""The newest migration in receiver/migrations; the tables below are what it leaves behind (a test compares them)."""

metadata = sa.MetaData()

batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("pseudonym", sa.LargeBinary(32), nullable=False, index=True),
    sa.Column("purpose", sa.String(64), nullable=False, index=True),
    sa.Column("envelope_bytes", sa.Integer, nullable=False),
    sa.Column("stored_on", sa.Date, nullable=False),  # the day, for retention; the minute would help to link two days
    sa.Column("erasure", sa.Integer, sa.ForeignKey("erasure.id")),  # set: the files are gone or going, the id never comes back
    sqlite_with_rowid=False,  # row ids would keep the order of arrival
)
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("pseudonym", sa.LargeBinary(32), nullable=False),
    sa.Column("batches", sa.Text),  # JSON list of ids; NULL for everything of this pseudonym
    sa.Column("receipt", sa.Text),  # NULL until slots and bodies are gone
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


def open_engine(path: Path) -> Engine:
    """The database, with the pragmas that durability and erasure need on every connection."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
