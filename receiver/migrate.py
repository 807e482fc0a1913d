"""Brings the database's tables up to the newest migration. Refuses a database that a newer volens has written."""

import sqlite3
from contextlib import closing
from pathlib import Path

from receiver.errors import ReceiverError
from receiver.tables import SCHEMA, open_engine


def to_newest(database: Path) -> None:
    """Makes or upgrades the tables. When they are the newest, alembic is not even imported: that costs a server 10 MiB.

    Raises:
        ReceiverError: the database is no database, or newer than this volens.
    """
    present = _present(database)
    if present == SCHEMA:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    engine = open_engine(database)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError:
        raise ReceiverError(f"{database} was written by another volens (schema {present})", "install the newest volens") from None
    finally:
        engine.dispose()
    database.chmod(0o600)


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
