"""One tree of migrations and one set of queries, on SQLite and on PostgreSQL."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Engine

from consent.exemption import Ground
from receiver import exemption_rows, in_force, migrate, old_rows, records, tables
from receiver.accept import Offer
from receiver.access import broken_at, follow
from receiver.erasure import Wish
from receiver.retention import forgetting
from tests.receiver import cluster
from tests.receiver.test_decisions import NOW
from transport.exemption_proof import Asking

TODAY = NOW.date()


def offer(number: int, *, pseudonym: int = 1, purpose: str = "train", retention_days: int = 30) -> Offer:
    """Something to store; its bytes are nobody's business here."""
    return Offer(f"{number:064x}", bytes(31) + bytes([pseudonym]), purpose, b"slots", b"rest", retention_days)


def the_contract(engine: Engine) -> None:
    """Everything that the receiver asks of its database, once through; raises where an answer is another."""
    with engine.begin() as connection:
        migrate.upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    one, two, other = offer(1), offer(2), offer(3, pseudonym=2, retention_days=1)
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.identity).values(pseudonym=one.pseudonym, day=TODAY))
        records.add(connection, [two, one, other], TODAY)
        before = records.before(connection, [one, offer(4, pseudonym=9)])
        assert (before[one.id].stored, before[one.id].erased, before[one.id].day) == (True, False, TODAY)
        assert before[offer(4).id] == records.Before(stored=False, erased=False, day=None)
        assert [row.id for row in records.each_row(connection)] == [one.id, two.id, other.id]
        assert records.ids_for(connection, "train", one.id, 10) == [two.id, other.id]
        assert [row.id for row in records.ids_of(connection, one.pseudonym, "", 10)] == [one.id, two.id]
        assert [row.keep_until for row in records.find(connection, [other.id])] == [TODAY + timedelta(days=1)]
        assert records.days_with_batches(connection, since=None, ahead_of=TODAY + timedelta(days=1)) == [TODAY]
    _erasing(engine, one, two)
    _ageing(engine, other)
    _asking(engine)
    with engine.begin() as connection:
        first = follow(None, at=NOW, purpose="train", reason="audit", batches=[one.id])
        records.add_access(connection, first)
        records.add_access(connection, follow(records.last_access(connection), at=NOW, purpose="train", reason="x", batches=[]))
        assert broken_at(records.accesses(connection, 0, 10)) is None


def _asking(engine: Engine) -> None:
    asking = Asking("ab" * 32, Ground.POWER, ("editor",), (), "always", None, None, b"sealed")
    later = msgspec.structs.replace(asking, id="cd" * 32)
    with engine.begin() as connection:
        for each, day in ((asking, TODAY), (later, TODAY - timedelta(days=400))):
            exemption_rows.add(connection, each, day)
        assert [row.asking for row in exemption_rows.queue(connection)] == [later, asking]
        assert exemption_rows.decide(connection, asking.id, "signed", TODAY - timedelta(days=91))
        assert not exemption_rows.decide(connection, asking.id, "again", TODAY)
        found = exemption_rows.find(connection, asking.id)
        assert found is not None
        assert (found.decision, found.asking.reason) == ("signed", None)
        horizon = forgetting(TODAY, late_days=31, backups_kept_days=7)
        exemption_rows.forget(connection, decided_before=horizon.decided_from, asked_before=horizon.asked_from)
        assert exemption_rows.find(connection, asking.id) is exemption_rows.find(connection, later.id) is None
        exemption_rows.add(connection, asking, TODAY)
        exemption_rows.drop(connection, asking.id)
        assert list(exemption_rows.queue(connection)) == []


def _erasing(engine: Engine, one: Offer, two: Offer) -> None:
    listed, everything = Wish(one.pseudonym, (one.id, offer(77).id)), Wish(one.pseudonym, None)
    with engine.begin() as connection:
        records.take_back(connection, listed, TODAY)
        records.take_back(connection, listed, TODAY)
        assert records.taken_back(connection, listed) == [one.id]
        assert records.unfulfilled(connection) == [listed]
        assert records.before(connection, [offer(77)])[offer(77).id].erased
        assert not records.before(connection, [two])[two.id].erased
        records.fulfil(connection, listed, "receipt")
        assert records.receipt_for(connection, listed) == "receipt"
        records.take_back(connection, everything, TODAY)
        assert records.barred(connection, one.pseudonym) == {one.id, offer(77).id, records.EVERY}
        assert sorted(records.taken_back(connection, everything)) == [one.id, two.id]
        assert records.fulfilled(connection) == {listed.digest}


def _ageing(engine: Engine, other: Offer) -> None:
    with engine.begin() as connection:
        assert old_rows.overdue(connection, TODAY + timedelta(days=1), {}, 10) == []
        assert old_rows.overdue(connection, TODAY + timedelta(days=2), {}, 10) == [other.id]
        assert old_rows.overdue(connection, TODAY, {"train": TODAY + timedelta(days=1)}, 10) == [other.id]
        old_rows.mark_gone(connection, [other.id])
        late = forgetting(TODAY + timedelta(days=400), late_days=31, backups_kept_days=7)
        fulfilled = Wish(offer(1).pseudonym, (offer(1).id, offer(77).id))
        assert old_rows.forget(connection, late, tombstones=True) == [fulfilled.digest]
        for table in (tables.batch, tables.forbidden, tables.identity):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
        assert old_rows.done_for(connection, "scattered") is None
        old_rows.note_done(connection, "scattered", date(2026, 1, 1))
        old_rows.note_done(connection, "scattered", TODAY)
        assert old_rows.done_for(connection, "scattered") == TODAY
        assert in_force.note(connection, {}, TODAY) == {}


def test_sqlite_keeps_the_contract(tmp_path: Path) -> None:
    """The embedded database."""
    engine = tables.open_engine(tmp_path / "volens.db")
    the_contract(engine)
    engine.dispose()


@pytest.mark.soak
def test_postgresql_keeps_the_contract() -> None:
    """A real server, from the same migrations, by the same queries."""
    binaries = cluster.programs()
    assert binaries is not None, "PostgreSQL is not installed; run: apt-get install postgresql"
    with cluster.running(binaries) as address:
        asyncio.run(cluster.within(address, the_contract))


def test_the_migrations_are_printed_as_sql_for_postgresql() -> None:
    """Every table is made, with PostgreSQL's own types and nothing of SQLite's."""
    sql = migrate.as_sql("postgresql")
    for name in tables.metadata.tables:
        assert f"CREATE TABLE {name} (" in sql
    assert "BYTEA" in sql
    for foreign in ("ROWID", "BLOB", "PRAGMA"):
        assert foreign not in sql.upper().replace("WITHOUT_ROWID", "")


def test_what_the_first_version_stored_survives_the_second(tmp_path: Path) -> None:
    """Batches and erasures of the first tables are in the second ones, erased as they were."""
    from alembic import command

    engine = tables.open_engine(tmp_path / "volens.db")
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.text("INSERT INTO erasure VALUES (1, 'd', x'00', NULL, 'receipt')"))
        for batch_id, erasure in (("a", "1"), ("b", "NULL")):
            connection.execute(sa.text(f"INSERT INTO batch VALUES ('{batch_id}', x'00', 'train', 5, '2026-11-20', {erasure})"))
        migrate.upgrade(connection)
        rows = {row.id: (row.erased, row.stored_on, row.keep_until) for row in records.each_row(connection)}
        assert rows == {"a": (True, date(2026, 11, 20), None), "b": (False, date(2026, 11, 20), None)}
        assert records.fulfilled(connection) == {"d"}
    engine.dispose()
