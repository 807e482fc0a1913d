"""EIO and ENOSPC on the n-th write, sync, rename, unlink and truncate of every act of the receiver, until none is left to fail.

Whatever fails: what was acknowledged is there and sound, what was erased stays gone, what was refused is stored when it comes again,
and after the next start nothing is half there. The acts are those of the receiver's one writer, in a process of their own.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from receiver import backup
from receiver.accept import Outcome as Became
from receiver.check import check
from receiver.erasure import Wish
from receiver.site import open_site
from tests.nothing_lost.faulty import CALLS, STRACE, Outcome, Refused, in_a_child
from tests.receiver import stand
from tests.receiver.inside import Inside
from tests.receiver.stand import PURPOSE, person
from transport.envelope import Envelope

pytestmark = pytest.mark.skipif(STRACE is None, reason="faults are injected by strace, which is not installed")
NOW = datetime.now(UTC).replace(hour=9)
LATER = NOW + timedelta(days=1)


@dataclass(frozen=True)
class Prepared:
    """A receiver's folder with three envelopes, two of them of one person, and one that has not come yet."""

    directory: Path
    hers: tuple[Envelope, Envelope]
    his: Envelope
    fresh: Envelope


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    directory = stand.make(tmp_path_factory.mktemp("prepared"), "reserve_bytes = 0\n")
    made = Prepared(directory, (stand.envelope(person(1)), stand.envelope(person(1))), stand.envelope(person(2)), stand.envelope(person(3)))
    inside = Inside.open(directory, NOW)
    for sealed in (*made.hers, made.his):
        assert inside.put(sealed, NOW) is Became.STORED
    inside.close()
    return made


# ---- the acts ---------------------------------------------------------------------------------------------------------
Act = Callable[[Inside, Prepared], None]


def put(inside: Inside, prepared: Prepared) -> None:
    if inside.put(prepared.fresh, NOW) not in {Became.STORED, Became.KNOWN}:
        raise Refused


def erase(inside: Inside, prepared: Prepared) -> None:
    inside.depot.erase(Wish(person(1).pseudonym, None), NOW)


def erase_one(inside: Inside, prepared: Prepared) -> None:
    inside.depot.erase(Wish(person(1).pseudonym, (prepared.hers[0].id,)), NOW)


def note_access(inside: Inside, prepared: Prepared) -> None:
    inside.depot.note_access(purpose=PURPOSE, reason="a fault", batches=[prepared.his.id], now=NOW)


def end_the_day(inside: Inside, prepared: Prepared) -> None:
    inside.do_chores(LATER)


def make_backup(inside: Inside, prepared: Prepared) -> None:
    place = inside.site.directory.parent / "backups"
    if not (place / NOW.date().isoformat()).exists():
        backup.make(inside.site, place, NOW.date())


def put_back(inside: Inside, prepared: Prepared) -> None:
    """A restore over whatever an earlier one that failed has left."""
    backup.restore(inside.site, inside.site.directory.parent / "backups" / NOW.date().isoformat(), NOW.date())


def start(inside: Inside, prepared: Prepared) -> None:
    """A start with something to do: an erasure that was cut short, and a file that was never acknowledged."""
    inside.depot.recover(NOW)


# ---- what must hold afterwards ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class After:
    """What a folder holds after the next start."""

    ids: set[str]
    records: int


def _stored(prepared: Prepared, after: After, outcome: Outcome) -> None:
    assert {sealed.id for sealed in (*prepared.hers, prepared.his)} <= after.ids
    assert outcome is Outcome.REFUSED or prepared.fresh.id in after.ids, "acknowledged and not there"


def _without(gone: Callable[[Prepared], set[str]]) -> Callable[[Prepared, After, Outcome], None]:
    def holds(prepared: Prepared, after: After, outcome: Outcome) -> None:
        everything = {sealed.id for sealed in (*prepared.hers, prepared.his)}
        assert everything - gone(prepared) <= after.ids
        assert outcome is Outcome.REFUSED or not gone(prepared) & after.ids, "a receipt for what is there"

    return holds


def _noted(prepared: Prepared, after: After, outcome: Outcome) -> None:
    assert outcome is Outcome.REFUSED or after.records >= 1
    _untouched(prepared, after, outcome)


def _untouched(prepared: Prepared, after: After, outcome: Outcome) -> None:
    assert after.ids == {sealed.id for sealed in (*prepared.hers, prepared.his)}


ACTS: dict[str, tuple[Act, Callable[[Prepared, After, Outcome], None]]] = {
    "put": (put, _stored),
    "erase": (erase, _without(lambda prepared: {sealed.id for sealed in prepared.hers})),
    "erase_one": (erase_one, _without(lambda prepared: {prepared.hers[0].id})),
    "note_access": (note_access, _noted),
    "end_the_day": (end_the_day, _untouched),
    "make_backup": (make_backup, _untouched),
    "put_back": (put_back, _untouched),
    "start": (start, _without(lambda prepared: {sealed.id for sealed in prepared.hers})),
}


def _cut_short(directory: Path, prepared: Prepared) -> None:
    """An erasure is in the log and nowhere else yet, and a body lies there without a row."""
    inside = Inside.open(directory, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(inside.depot), "_erase", lambda *_: "")
        inside.depot.erase(Wish(person(1).pseudonym, None), NOW)
    inside.close()
    (directory / "bodies" / "00" / ("00" * 32)).write_bytes(b"half")


def _hold_to(prepared: Prepared, folder: Path, name: str, calls: str, fault: str) -> bool:
    """One act with one fault; whether the fault came."""
    shutil.rmtree(folder / "rx", ignore_errors=True)
    shutil.rmtree(folder / "backups", ignore_errors=True)
    shutil.copytree(prepared.directory, folder / "rx")
    act, holds = ACTS[name]
    if act is start:
        _cut_short(folder / "rx", prepared)
    if act is put_back:
        inside = Inside.open(folder / "rx", NOW)
        make_backup(inside, prepared)
        inside.close()
    opened = lambda: Inside.open(folder / "rx", NOW)  # noqa: E731
    outcome, came = in_a_child(opened, lambda inside: act(inside, prepared), folder / "trace", calls, fault)
    if act is put_back and outcome is Outcome.REFUSED:  # half of it may be there; what it says is to restore again
        site = open_site(folder / "rx")
        backup.restore(site, folder / "backups" / NOW.date().isoformat(), NOW.date())
        site.engine.dispose()
    again = opened()
    again.depot.recover(NOW)
    report = check(again.site, NOW.date())
    try:
        assert report.wrong == ()
        holds(prepared, _after(again), outcome)
        act(again, prepared)
        holds(prepared, _after(again), Outcome.DONE)
    except AssertionError as error:
        raise AssertionError(f"{name}, {calls}, {fault}, told {outcome.name}: {error}") from error
    finally:
        again.close()
    return came


def _after(inside: Inside) -> After:
    there = {store: {path.name for path in _files(inside.site.directory / store)} for store in ("slots", "bodies")}
    assert there["slots"] == there["bodies"]
    with inside.site.engine.connect() as connection:
        (records,) = connection.exec_driver_sql("SELECT count(*) FROM access").one()
    return After(there["slots"], int(records))


def _files(store: Path) -> Iterator[Path]:
    return (path for path in store.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ACTS)
def test_a_fault_of_its_disk_breaks_no_promise_of_the_receiver(prepared: Prepared, tmp_path: Path, name: str) -> None:
    """The short form: three seeded faults for each act, one of which lasts."""
    rng = random.Random(name)
    for lasts in ("", "+", ""):
        calls, error = rng.choice(["write", "sync", "sync", "unlink"]), rng.choice(["EIO", "ENOSPC"])
        _hold_to(prepared, tmp_path, name, calls, f"error={error}:when={rng.randrange(1, 6)}{lasts}")


@pytest.mark.soak
@pytest.mark.parametrize("lasts", ["", "+"], ids=["once", "lasting"])
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize("name", ACTS)
def test_no_fault_of_its_disk_breaks_a_promise_of_the_receiver(
    prepared: Prepared, tmp_path: Path, name: str, calls: str, error: str, lasts: str
) -> None:
    """The long form: the n-th call of each sort fails, once or from then on, for every n that the act has."""
    for number in count(1):
        if not _hold_to(prepared, tmp_path, name, calls, f"error={error}:when={number}{lasts}"):
            return
