"""Flipped bits and cut files: what is not damaged stays, what is damaged never opens as something else, and a broken ledger is said."""

import random
import shutil
from pathlib import Path

import pytest

from consent.event import Event
from consent.ledger import LedgerError
from tests.nothing_lost.life import BOOT, GOES, STAYS, TERMS, Stores, admitted, at
from transport.errors import TransportError
from transport.sealing import seal_due

RECORDS = 6


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six segments of several records, four envelopes, a ledger of twelve lines."""
    folder = tmp_path_factory.mktemp("prepared") / "state"
    stores, instant = Stores(folder), 0
    for part in range(5):
        for _ in range(RECORDS):
            instant += 1
            surface = GOES if instant % 3 == 0 else STAYS
            stores.hold.keep([admitted(instant, surface)], at(part * 60_000))
        if part < 2:
            assert seal_due(stores.hold, stores.outbox, TERMS, now=at(instant), term=None).envelopes == 2
    for number in range(12):
        stores.ledger.append("note", at(number), BOOT, {"number": number})
    stores.close()
    return folder


def _events(stores: Stores) -> dict[str, list[Event]]:
    """What each file opens to, by its name."""
    held = {part.id.hex(): list(part.events) for part in stores.hold.read()}
    opened: dict[str, list[Event]] = {}
    for note, events in zip(stores.outbox.waiting(), stores.opened(), strict=True):
        opened[note.id] = list(events)
    return held | opened


def _readable(stores: Stores) -> dict[str, list[Event]]:
    """As `_events`, without the envelopes that say themselves that they are damaged."""
    for note in stores.outbox.waiting():
        try:
            stores.outbox.read(note.id)
        except TransportError:
            stores.outbox.set_aside(note.id)
    return _events(stores)


def damage(path: Path, rng: random.Random) -> bool:
    """Flip one bit of a file, or cut it somewhere; whether it was cut."""
    raw = bytearray(path.read_bytes())
    if rng.random() < 0.3:
        path.write_bytes(raw[: rng.randrange(len(raw))])
        return True
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)
    return False


def _trial(prepared: Path, state: Path, whole: dict[str, list[Event]], rng: random.Random) -> None:
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(prepared, state)
    files = sorted([*state.glob("hold/*.seg"), *state.glob("outbox/*.env"), *state.glob("outbox/*.note"), state / "ledger"])
    path = rng.choice(files)
    cut = damage(path, rng)
    if path.name == "ledger":
        _ledger(state, cut)
        return
    stores = Stores(state)
    left = _readable(stores)
    stores.close()
    assert stores.noted() == list(range(12))
    for name, events in whole.items():
        if name != path.stem:
            assert left.get(name) == events, f"damage to {path.name} reached {name}"
    got = left.get(path.stem, [])
    assert got == whole[path.stem][: len(got)], "what is damaged opened as something else"
    if path.suffix != ".seg" or not cut:
        assert got in ([], whole[path.stem]), "part of what is damaged was used"
    if not got:
        aside = stores.hold.recovered.quarantined + stores.outbox.damaged + stores.outbox.stats().rejected
        assert aside == 1 or cut, "what is damaged is neither there nor set aside"


def _ledger(state: Path, cut: bool) -> None:
    """A changed line is an error; a torn end was never acknowledged, as far as anybody can tell."""
    try:
        stores = Stores(state)
    except LedgerError:
        return
    noted = stores.noted()
    stores.close()
    assert cut or len(noted) == 11  # the last line break, flipped, is a torn end
    assert noted == list(range(len(noted)))


def _trials(prepared: Path, folder: Path, seed: int, times: int) -> None:
    shutil.copytree(prepared, folder / "whole")
    stores = Stores(folder / "whole")
    whole = _events(stores)
    stores.close()
    assert sum(map(len, whole.values())) == 5 * RECORDS
    rng = random.Random(seed)
    for _ in range(times):
        _trial(prepared, folder / "state", whole, rng)


def test_60_damaged_files_harm_nothing_but_themselves(prepared: Path, tmp_path: Path) -> None:
    """The short form: a seeded bit or cut in a segment, an envelope, its note or the ledger, 60 times."""
    _trials(prepared, tmp_path, seed=9, times=60)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_1000_damaged_files_harm_nothing_but_themselves(prepared: Path, tmp_path: Path, seed: int) -> None:
    """The long form: ten times a hundred."""
    _trials(prepared, tmp_path, 6000 + seed, times=100)
