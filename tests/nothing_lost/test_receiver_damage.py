"""Flipped bits and cut files of a receiver: what is damaged is named and handed to nobody, what is not damaged stays as it was.

Bodies, slots, the erasure log, keys and the database, each damaged in one place of one file. An envelope that is handed out is, byte for
byte, one that was stored.
"""

import random
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from receiver.accept import rejoin
from receiver.check import check
from receiver.erasure import Wish, from_log
from receiver.errors import ReceiverError
from receiver.records import each_row
from receiver.site import open_site
from tests.nothing_lost.test_damage import damage
from tests.receiver import stand
from tests.receiver.inside import Inside
from tests.receiver.stand import PURPOSE, person
from transport.errors import TransportError

NOW = datetime.now(UTC)
GONE = Wish(person(5).pseudonym, None)


@dataclass(frozen=True)
class Prepared:
    """A receiver's folder with eight envelopes, one erasure and two access records; the bytes of each envelope by its id."""

    directory: Path
    kept: dict[str, bytes]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    directory = stand.make(tmp_path_factory.mktemp("prepared"))
    inside = Inside.open(directory, NOW)
    sealed = [stand.envelope(person(number % 3), size=900) for number in range(8)]
    for one in (*sealed, stand.envelope(person(5))):
        inside.put(one, NOW)
    inside.depot.erase(GONE, NOW)
    for one in sealed[:2]:
        inside.depot.note_access(purpose=PURPOSE, reason="a test", batches=[one.id], now=NOW)
    inside.depot.rewrite()
    inside.close()
    return Prepared(directory, {one.id: one.raw for one in sealed})


def _trial(prepared: Prepared, directory: Path, rng: random.Random) -> str:
    """One damage; what became of it."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(prepared.directory, directory)
    stores = [sorted(path for path in (directory / name).rglob("*") if path.is_file()) for name in ("bodies", "slots", "erasures")]
    path = rng.choice(rng.choice([*stores, [directory / "volens.db"]]))
    damage(path, rng)
    try:
        site = open_site(directory)
        try:
            wrong = check(site, NOW.date()).wrong
            handed = _handed_out(directory, site.engine)
        finally:
            site.engine.dispose()
    except (DBAPIError, sqlite3.Error, ReceiverError, ValueError) as error:
        if path.name != "volens.db":
            raise AssertionError(f"damage to {path} keeps the rest from being served") from error
        return "refused"  # a database that cannot be read is not served
    for batch_id, raw in handed.items():
        assert prepared.kept[batch_id] == raw, f"damage to {path} was handed out"
    if path.name == "volens.db":
        return "named" if wrong else "harmless"  # a free page, or a byte that nothing reads
    if not wrong and "erasures" in path.parts and from_log(path.name, path.read_bytes()) == GONE:
        return "harmless"  # a letter of a hexadecimal number in the other case: the same wish
    assert wrong, f"damage to {path} is not named"
    assert all(path.name in line for line in wrong), wrong
    assert set(prepared.kept) - {path.name} == set(handed), "damage to one envelope reached another"
    return "named"


def _handed_out(directory: Path, engine: object) -> dict[str, bytes]:
    """Every envelope that the receiver would hand out: by its own code, which checks the hash."""
    found: dict[str, bytes] = {}
    with engine.connect() as connection:  # type: ignore[attr-defined]
        for row in each_row(connection):
            slots, body = (directory / store / row.id[:2] / row.id for store in ("slots", "bodies"))
            if row.erased or not slots.exists() or not body.exists():
                continue
            try:
                found[row.id], _ = rejoin(row.id, slots.read_bytes(), body.read_bytes())
            except TransportError:
                continue
    return found


def _trials(prepared: Prepared, folder: Path, seed: int, times: int) -> None:
    rng = random.Random(seed)
    became = [_trial(prepared, folder / "rx", rng) for _ in range(times)]
    assert became.count("named") > times // 2


def test_40_damaged_files_of_a_receiver_are_named_and_handed_to_nobody(prepared: Prepared, tmp_path: Path) -> None:
    """The short form: a seeded bit or cut."""
    _trials(prepared, tmp_path, seed=12, times=40)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_1000_damaged_files_of_a_receiver_are_named_and_handed_to_nobody(prepared: Prepared, tmp_path: Path, seed: int) -> None:
    """The long form: ten times a hundred."""
    _trials(prepared, tmp_path, 8000 + seed, times=100)
