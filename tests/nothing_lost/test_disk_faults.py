"""EIO and ENOSPC on the n-th write, sync, rename, unlink and truncate of every act, for n = 1, 2, ... until none is left to fail.

Whatever fails: nothing that was kept is lost or doubled, nothing is acknowledged that is not on the disk, and the state opens again.
"""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from consent.history import PURGED
from tests.nothing_lost.faulty import CALLS, STRACE, Act, Outcome, Refused, with_fault
from tests.nothing_lost.life import BOOT, GOES, STAYS, TERMS, Stores, admitted, at
from transport.sealing import seal_due
from transport.span import Between, OfSurface

pytestmark = pytest.mark.skipif(STRACE is None, reason="faults are injected by strace, which is not installed")
HELD, SEALED, NEW = range(100, 120), range(1, 20), 500
MAIL = {instant for instant in (*SEALED, *HELD) if instant % 3 == 0}
MIDDLE = range(106, 113)
NOTES = [1, 2, 3]


def _surface(instant: int) -> str:
    return GOES if instant in MAIL else STAYS


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two envelopes, two open segments of several records each, and a ledger."""
    folder = tmp_path_factory.mktemp("prepared") / "state"
    stores = Stores(folder)
    for instant in SEALED:
        stores.hold.keep([admitted(instant, _surface(instant))], at(instant))
    assert seal_due(stores.hold, stores.outbox, TERMS, now=at(99), term=None).envelopes == 2
    for instant in HELD:
        stores.hold.keep([admitted(instant, _surface(instant))], at(instant))
    for number in NOTES:
        stores.ledger.append("note", at(number), BOOT, {"number": number})
    stores.close()
    return folder


# ---- the acts ---------------------------------------------------------------------------------------------------------
def keep_begin(stores: Stores) -> None:
    """The first event since the start makes a new segment."""
    _keep(stores)


def _keep(stores: Stores) -> None:
    if stores.hold.keep([admitted(NEW, STAYS)], at(NEW)).full_events:
        raise Refused


def keep_more(stores: Stores) -> None:
    """A second record in a segment that is open."""
    if NEW - 1 not in stores.present() and stores.hold.keep([admitted(NEW - 1, STAYS)], at(NEW)).full_events:
        raise Refused
    _keep(stores)


def seal(stores: Stores) -> None:
    if seal_due(stores.hold, stores.outbox, TERMS, now=at(600), term=None).waits is not None:
        raise Refused


def forget_surface(stores: Stores) -> Outcome | None:
    beyond = stores.hold.forget(OfSurface(GOES)).beyond_n
    stores.outbox.forget(OfSurface(GOES))
    return Outcome.BEYOND if beyond else None


def forget_middle(stores: Stores) -> Outcome | None:
    wall, before = at(0).wall_ms, stores.present()
    beyond = stores.hold.forget(Between(wall + MIDDLE.start, wall + MIDDLE.stop - 1)).beyond_n
    asked_before = len(before) < len(ALL)  # and failed, after whole segments went for lack of a better way
    return Outcome.BEYOND if beyond or asked_before else None


def withdraw(stores: Stores) -> None:
    if not stores.hold.purge().key_gone:
        raise Refused
    stores.outbox.purge()
    stores.ledger.append(PURGED, at(NEW), BOOT, {"number": NEW})


def note(stores: Stores) -> None:
    stores.ledger.append("note", at(NEW), BOOT, {"number": NEW})


def sent(stores: Stores) -> None:
    for one in stores.outbox.waiting():
        stores.outbox.sent(one.id)


# ---- what must hold afterwards ----------------------------------------------------------------------------------------
ALL = {*SEALED, *HELD}


@dataclass(frozen=True)
class After:
    """What a folder holds once it was opened again."""

    present: set[int]
    notes: list[int]
    sent: int
    waiting: int


def _kept(after: After, outcome: Outcome) -> None:
    assert after.present >= ALL
    assert (NEW in after.present) == (outcome in {Outcome.DONE, Outcome.AGAIN}), "kept and acknowledged are not the same"


def _sealed(after: After, outcome: Outcome) -> None:
    assert after.present == ALL
    assert outcome is Outcome.REFUSED or after.waiting == 4


def _without(gone: set[int]) -> Callable[[After, Outcome], None]:
    def holds(after: After, outcome: Outcome) -> None:
        if outcome is not Outcome.REFUSED:
            assert not gone & after.present
        if outcome in {Outcome.DONE, Outcome.AGAIN}:
            assert ALL - gone <= after.present
        assert set(SEALED) - gone <= after.present  # what no forget touched; of touched segments a failing disk may cost the rest
        assert after.present <= ALL

    return holds


def _withdrawn(after: After, outcome: Outcome) -> None:
    if outcome is not Outcome.REFUSED:
        assert after.present == set()
        assert after.notes == [*NOTES, NEW]


def _noted(after: After, outcome: Outcome) -> None:
    assert after.notes == ([*NOTES] if outcome is Outcome.REFUSED else [*NOTES, NEW])
    assert after.present == ALL


def _sent(after: After, outcome: Outcome) -> None:
    assert set(HELD) <= after.present
    assert after.waiting + after.sent == 2
    assert outcome is Outcome.REFUSED or after.waiting == 0


ACTS: dict[str, tuple[Act, Callable[[After, Outcome], None]]] = {
    "keep_begin": (keep_begin, _kept),
    "keep_more": (keep_more, _kept),
    "seal": (seal, _sealed),
    "forget_surface": (forget_surface, _without(MAIL)),
    "forget_middle": (forget_middle, _without(set(MIDDLE))),
    "withdraw": (withdraw, _withdrawn),
    "note": (note, _noted),
    "sent": (sent, _sent),
}


def _hold_to(prepared: Path, folder: Path, act: str, calls: str, fault: str) -> bool:
    """One act with one fault; whether the fault came."""
    state = folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(prepared, state)
    outcome, came = with_fault(state, ACTS[act][0], calls, fault)
    stores = Stores(state)
    present = stores.present()
    assert max(present.values(), default=1) == 1, f"{act} {calls} {fault}: something is there twice"
    after = After(set(present), stores.noted(), len(stores.outbox.sent_notes()), len(stores.outbox.waiting()))
    # After a withdrawal whose unlinking the disk refused, keys and notes are gone: what is left is set aside, and opens for nobody.
    assert stores.hold.recovered.quarantined == stores.outbox.damaged == 0 or act == "withdraw"
    stores.close()
    try:
        ACTS[act][1](after, outcome)
    except AssertionError as error:
        raise AssertionError(f"{act}, {calls}, {fault}, told {outcome.name}: {error}") from error
    return came


@pytest.mark.parametrize("act", ACTS)
def test_a_fault_of_the_disk_breaks_no_promise(prepared: Path, tmp_path: Path, act: str) -> None:
    """The short form: three seeded faults for each act, one of which lasts."""
    rng = random.Random(act)
    for lasts in ("", "+", ""):
        calls, error = rng.choice(["write", "sync", "sync", "rename"]), rng.choice(["EIO", "ENOSPC"])
        _hold_to(prepared, tmp_path, act, calls, f"error={error}:when={rng.randrange(1, 4)}{lasts}")


@pytest.mark.soak
@pytest.mark.parametrize("lasts", ["", "+"], ids=["once", "lasting"])
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize("act", ACTS)
def test_no_fault_of_the_disk_breaks_a_promise(prepared: Path, tmp_path: Path, act: str, calls: str, error: str, lasts: str) -> None:
    """The long form: the n-th call of each sort fails, once or from then on, for every n that the act has."""
    for number in count(1):
        if not _hold_to(prepared, tmp_path, act, calls, f"error={error}:when={number}{lasts}"):
            return
