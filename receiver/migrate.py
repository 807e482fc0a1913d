"""Brings the database's tables up to the newest migration. Refuses a database that a newer volens has written."""

import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from receiver.errors import ReceiverError
from receiver.tables import SCHEMA, open_engine

if TYPE_CHECKING:
    from alembic.config import Config


def check_there(database: Path) -> None:
    """Raises ReceiverError for a database that is missing or empty: a start would take every file for one that was never acknowledged."""
    if _present(database) is None:
        raise ReceiverError(f"{database} is missing or empty", "put it or its disk back, or restore it from a backup")


def to_newest(database: Path) -> None:
    """Makes or upgrades the tables. When they are the newest, alembic is not even imported: that costs a server 10 MiB.

    Raises:
        ReceiverError: the database is no database, or newer than this volens.
    """
    present = _present(database)
    if present == SCHEMA:
        return
    from alembic.util import CommandError

    engine = open_engine(database)
    try:
        with engine.begin() as connection:
            upgrade(connection)
    except CommandError:
        raise ReceiverError(f"{database} was written by another volens (schema {present})", "install the newest volens") from None
    finally:
        engine.dispose()
    database.chmod(0o600)


def upgrade(connection: Connection) -> None:
    """Brings the tables behind a connection to either dialect up to the newest migration. Raises alembic's CommandError."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def as_sql(dialect: str) -> str:
    """All migrations as SQL for `sqlite` or `postgresql`, for whoever may not let us change their tables."""
    from alembic import command

    config = _config()
    config.attributes["dialect"] = dialect
    config.output_buffer = printed = StringIO()
    command.upgrade(config, "head", sql=True)
    return printed.getvalue()


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


def _present(database: Path) -> str | None:
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(database)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    except sqlite3.DatabaseError:
        raise ReceiverError(f"{database} is not a database", "restore it from a backup") from None
    return None if row is None else str(row[0])
