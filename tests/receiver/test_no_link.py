"""No link: whoever has everything that the receiver keeps cannot join two days of one person.

Two hundred people who come in the same order on both days, and an attacker who ranks each day's pseudonyms by everything that could
hold an order (times of files, their numbers and their order in the file system, places and orders of rows, free pages among them, the
database's log, lengths) and joins rank
with rank.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from receiver import fleet_rows, records
from receiver.accept import Outcome, judge
from tests.receiver import stand
from tests.receiver.inside import Inside, in_turn
from tests.receiver.stand import PURPOSE, envelope
from transport.enrolling import DeviceKey, day_of_identities, own_identities
from transport.enrolment_proof import IDENTITIES_A_DAY
from transport.identity import EpochIdentity

DAYS = [datetime.now(UTC).replace(hour=9), (datetime.now(UTC) + timedelta(days=1)).replace(hour=9)]
Ranks = Mapping[bytes, float]
FAR = 1e18


class Fleet:
    """People with their machines, in the order in which they start work."""

    def __init__(self, directory: Path, people: int, seed: int) -> None:
        self.randomness = random.Random(seed)
        self.inside = Inside.open(directory, DAYS[0])
        self.secrets = [self.randomness.randbytes(32) for _ in range(people)]
        self.keys = [DeviceKey(self.randomness.randbytes(32)).public for _ in self.secrets]
        with self.inside.site.engine.begin() as connection:
            token = fleet_rows.add_token(connection, "digest", "", DAYS[0].date())
            for key in self.keys:
                fleet_rows.enrol(connection, key, token.id, DAYS[0].date())

    def signers(self, now: datetime) -> list[EpochIdentity]:
        """Who is who on a day: what the attacker wants to know."""
        return [EpochIdentity.derive(secret, day=now.date(), purpose=PURPOSE, n=0) for secret in self.secrets]

    def work(self, now: datetime, batches: int) -> None:
        """A day: each registers, then each sends, always in the same order."""
        day = now.date()
        for secret, key in zip(self.secrets, self.keys, strict=True):
            own = own_identities(secret, day=day, purposes=[PURPOSE], consent=0)
            seeds = [self.randomness.randbytes(32) for _ in range(IDENTITIES_A_DAY)]
            registered = [bytes.fromhex(each) for each in day_of_identities(own, seeds)]
            with self.inside.site.engine.begin() as connection:
                fleet_rows.register(connection, key, day, registered)
        terms = self.inside.terms(day)
        for _ in range(batches):
            sealed = [envelope(signer, size=self.randomness.randrange(100, 6000)) for signer in self.signers(now)]
            offers = [judge(each.id, each.raw, terms) for each in sealed]
            for start in range(0, len(offers), 8):
                outcomes = self.inside.depot.store(offers[start : start + 8], now, in_turn)
                assert set(outcomes) == {Outcome.STORED}


def traces(inside: Inside) -> dict[str, Ranks]:
    """By name, what the dump says of each pseudonym that could be an order."""
    directory = inside.site.directory
    with inside.site.engine.connect() as connection:
        rows = [row for row in records.each_row(connection) if not row.erased]
    files: dict[bytes, list[Path]] = {}
    for row in rows:
        files.setdefault(row.pseudonym, []).extend(directory / store / row.id[:2] / row.id for store in ("bodies", "slots"))
    found: dict[str, Ranks] = {}
    measures: dict[str, Callable[[Path], float]] = {
        "modified": lambda path: path.stat().st_mtime_ns,
        "changed": lambda path: path.stat().st_ctime_ns,
        "inode": lambda path: path.stat().st_ino,
    }
    for name, measure in measures.items():
        found[name] = {pseudonym: min(map(measure, paths)) for pseudonym, paths in files.items()}
    for store in ("bodies", "slots"):
        listed = [entry.name for shard in _as_listed(directory / store) for entry in os.scandir(shard) if entry.is_file()]
        place = {name: float(number) for number, name in enumerate(listed)}
        found[f"listed in {store}"] = {pseudonym: min(place.get(path.name, FAR) for path in paths) for pseudonym, paths in files.items()}
    found["length"] = {pseudonym: sum(path.stat().st_size for path in paths) for pseudonym, paths in files.items()}
    for name in ("volens.db", "volens.db-wal"):
        raw = (directory / name).read_bytes() if (directory / name).exists() else b""
        found[f"first in {name}"] = {pseudonym: _at(raw.find(pseudonym)) for pseudonym in files}
        found[f"last in {name}"] = {pseudonym: _at(raw.rfind(pseudonym)) for pseudonym in files}
    with closing(sqlite3.connect(directory / "volens.db")) as connection:
        for table in ("batch", "identity"):
            order = [row[0] for row in connection.execute(f"SELECT pseudonym FROM {table} NOT INDEXED")]  # by rowid, where there is one
            places = {pseudonym: float(place) for place, pseudonym in enumerate(order)}
            found[f"row of {table}"] = {pseudonym: places.get(pseudonym, FAR) for pseudonym in files}
    return found


def _as_listed(store: Path) -> list[Path]:
    """The folders of a store in the order in which the file system lists them."""
    return [Path(entry.path) for entry in os.scandir(store) if entry.is_dir()]


def _at(place: int) -> float:
    return FAR if place < 0 else float(place)


def joined(trace: Ranks, days: Sequence[Sequence[bytes]]) -> tuple[int, float]:
    """How many people the attacker finds again by joining rank with rank, and how far both days' ranks go together (Spearman)."""
    ranks = [{who: rank for rank, who in enumerate(sorted(day, key=lambda who: (trace[who], who)))} for day in days]
    pairs = [(ranks[0][one], ranks[1][other]) for one, other in zip(*days, strict=True)]
    people = len(pairs)
    return sum(a == b for a, b in pairs), 1 - 6 * sum((a - b) ** 2 for a, b in pairs) / (people * (people**2 - 1))


def attack(fleet: Fleet) -> dict[str, tuple[int, float]]:
    """The attack by every trace."""
    days = [[signer.pseudonym for signer in fleet.signers(now)] for now in DAYS]
    return {name: joined(trace, days) for name, trace in traces(fleet.inside).items()}


def _run(tmp_path: Path, people: int, batches: int, seed: int, *, chores: bool) -> dict[str, tuple[int, float]]:
    directory, _ = stand.make_fleet(tmp_path)
    fleet = Fleet(directory, people, seed)
    fleet.work(DAYS[0], batches)
    if chores:
        fleet.inside.do_chores(DAYS[1].replace(hour=0))
    fleet.work(DAYS[1], batches)
    found = attack(fleet)
    fleet.inside.close()
    return found


# Joining at random finds one of them on average, whatever their number; eight or more in one of 100,000 attacks. Ranks that have nothing
# to do with one another go together to 1 / sqrt(people); four and a half times that, in as many.
HITS_BY_CHANCE = 8


def _together_by_chance(people: int) -> float:
    return 4.5 / people**0.5


def test_two_days_of_a_person_cannot_be_joined(tmp_path: Path) -> None:
    """Whatever the attacker ranks by, no more of 200 are found again than by guessing, on the day after the first."""
    for name, (hits, together) in _run(tmp_path, 200, 1, 2026, chores=True).items():
        assert hits < HITS_BY_CHANCE, name
        assert abs(together) < _together_by_chance(200), (name, together)


def test_the_attack_finds_people_where_order_is_left(tmp_path: Path) -> None:
    """The same attacker, on a receiver whose day did not end: it would be found out if the chores left an order."""
    found = _run(tmp_path, 40, 1, 7, chores=False)
    assert found["changed"][1] > 0.9


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_two_days_of_a_person_cannot_be_joined_at_length(tmp_path: Path, seed: int) -> None:
    """Ten fleets, five batches each a day."""
    for name, (hits, together) in _run(tmp_path, 200, 5, seed, chores=True).items():
        assert hits < HITS_BY_CHANCE, name
        assert abs(together) < _together_by_chance(200), (name, together)
