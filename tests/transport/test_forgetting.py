"""Forgetting and purging in the hold: through crashes, full disks and refusing keystores, all of it or none, and never too little."""

import time
from itertools import groupby
from pathlib import Path

import pytest

from consent.vocabulary import SurfaceId
from tests.disks import fill, small_disk
from tests.transport.faults import Crash, dies_at, full_disk
from tests.transport.holds import BOOT, MINUTE, at, held, keep, opened
from tests.transport.makers import a_day_at_work, admit, click
from transport.hold import Hold, purge
from transport.keystore import HOLD, FileKeystore, KeystoreError
from transport.segment import WrongHoldKey, read
from transport.span import Everything, Last, OfSurface, Span


def test_forget_recuts_at_the_boundary_and_changes_the_hold_key(tmp_path: Path) -> None:
    """The last minutes go, the rest of a half-covered segment stays, and no copy of the old files opens with the new hold key."""
    hold = opened(tmp_path)
    keep(hold, 0, MINUTE, MINUTE + 20_000, MINUTE + 40_000, 2 * MINUTE)
    copies = [path.read_bytes() for path in (tmp_path / "hold").iterdir()]
    span = Last(75, at(2 * MINUTE + 30_000), BOOT)
    shown = held(hold, span)
    forgotten = hold.forget(span)
    assert shown == [MINUTE + 20_000, MINUTE + 40_000, 2 * MINUTE]
    assert (forgotten.n, forgotten.events, forgotten.beyond_n) == (6, 3, 0)
    assert held(hold) == held(opened(tmp_path)) == [0, MINUTE]
    for copy in copies:
        with pytest.raises(WrongHoldKey):
            read(copy, (tmp_path / "keys" / "hold.key").read_bytes())


def test_forget_of_a_surface_leaves_the_others(tmp_path: Path) -> None:
    """Only events of that surface go, from every segment."""
    hold = opened(tmp_path)
    keep(hold, 1, MINUTE, surface="mail")
    keep(hold, 2, MINUTE + 2)
    assert hold.forget(OfSurface(SurfaceId("mail"))).n == 4
    assert held(hold) == held(opened(tmp_path)) == [2, MINUTE + 2]
    keep(hold, 2 * MINUTE)
    assert held(opened(tmp_path)) == [2, MINUTE + 2, 2 * MINUTE]


def test_nothing_in_the_span_means_nothing_changes(tmp_path: Path) -> None:
    """Forgetting what is not there rewrites no file."""
    hold = opened(tmp_path)
    keep(hold, 1)
    before = (tmp_path / "keys" / "hold.key").read_bytes()
    assert hold.forget(OfSurface(SurfaceId("sheets"))).n == 0
    assert (tmp_path / "keys" / "hold.key").read_bytes() == before


SPANS: list[Span] = [Last(100, at(3 * MINUTE), BOOT), OfSurface(SurfaceId("mail")), Everything()]


def _sample(folder: Path) -> Hold:
    hold = opened(folder)
    for minute in range(3):
        keep(hold, minute * MINUTE, minute * MINUTE + 25_000, surface="editor")
        keep(hold, minute * MINUTE + 20_000, minute * MINUTE + 40_000, surface="mail")
    return hold


@pytest.mark.parametrize("span", SPANS, ids=["last", "surface", "everything"])
def test_a_crash_at_any_change_of_the_disk_forgets_all_of_the_span_or_none(tmp_path: Path, span: Span) -> None:
    """Forget dies at each single change in turn: after reopening nothing outside is lost, and the span is there whole or not at all."""
    outcomes = set()
    for change in range(200):
        folder = tmp_path / str(change)
        folder.mkdir()
        hold = _sample(folder)
        before = held(hold)
        inside = held(hold, span)
        outside = [instant for instant in before if instant not in inside]
        try:
            with dies_at(change):
                hold.forget(span)
        except Crash:
            again = opened(folder)
            after = held(again)
            assert after in (before, outside), change
            assert again.recovered.forgotten_n in (0, 2 * len(inside))
            assert again.recovered.quarantined == 0
            assert not [path.name for path in (folder / "hold").iterdir() if path.suffix != ".seg"]
            outcomes.add(after == outside)
            keep(again, 9 * MINUTE)
            continue
        assert held(hold) == held(opened(folder)) == outside
        assert outcomes == {True, False}
        assert change > 5
        return
    pytest.fail("forget does not end")


def test_a_reopening_that_dies_too_still_completes_the_forget(tmp_path: Path) -> None:
    """Once a forget is under way, any number of crashes while completing it leave it complete in the end."""
    for change in range(4, 40):
        folder = tmp_path / str(change)
        folder.mkdir()
        hold = _sample(folder)
        inside = held(hold, SPANS[0])
        outside = [instant for instant in held(hold) if instant not in inside]
        try:
            with dies_at(change):
                hold.forget(SPANS[0])
        except Crash:
            for again in range(40):
                try:
                    with dies_at(again):
                        final = opened(folder)
                except Crash:
                    continue
                break
            assert held(final) == outside
            assert held(opened(folder)) == outside


@pytest.mark.parametrize("room", [0, 100, 400, 5000])
@pytest.mark.parametrize("span", SPANS, ids=["last", "surface", "everything"])
def test_on_a_full_disk_forget_still_forgets(tmp_path: Path, span: Span, room: int) -> None:
    """With no room, or a little, everything in the span is gone; what had to go with it is said; a reopened hold agrees."""
    hold = _sample(tmp_path)
    before, inside = held(hold), held(hold, span)
    with full_disk(room):
        forgotten = hold.forget(span)
        after = held(hold)
    assert not set(after) & set(inside)
    assert forgotten.n == 2 * (len(before) - len(after))
    assert forgotten.beyond_n == 2 * (len(before) - len(after) - len(inside))
    assert held(opened(tmp_path)) == after
    keep(hold, 9 * MINUTE)


def test_on_a_full_disk_a_purge_works(tmp_path: Path) -> None:
    """Withdrawal needs no room: key gone, folder empty."""
    hold = _sample(tmp_path)
    with full_disk():
        purged = hold.purge()
    assert (purged.n, purged.key_gone) == (24, True)
    assert not list((tmp_path / "hold").iterdir())
    assert not (tmp_path / "keys" / "hold.key").exists()
    assert held(hold) == held(opened(tmp_path)) == []


def test_on_a_really_full_file_system_forget_and_purge_work(tmp_path: Path) -> None:
    """The same on a real full disk: keep refuses, forget forgets, the rest is readable, purge leaves nothing."""
    with small_disk(tmp_path, 256) as disk:
        hold = opened(disk)
        instant = 0
        while hold.keep(admit([click(instant, n=2)]), at(instant)).full_events == 0:
            instant += 20_000
        hold.close()
        fill(disk)
        before = held(hold)
        assert before == list(range(0, instant, 20_000))
        span = Last(90, at(instant), BOOT)
        inside = held(hold, span)
        forgotten = hold.forget(span)
        assert inside
        assert not set(held(hold)) & set(inside)
        assert forgotten.n == 2 * (len(before) - len(held(hold)))
        assert held(opened(disk)) == held(hold)
        assert hold.purge().key_gone
        assert not list((disk / "hold").iterdir())


def test_a_purge_goes_on_when_the_keystore_refuses(tmp_path: Path) -> None:
    """The files go all the same, and the answer says that the key must be asked for again."""

    class Refusing(FileKeystore):
        def delete(self, name: str) -> None:
            raise KeystoreError("no")

    _sample(tmp_path).close()
    assert purge(tmp_path / "hold", Refusing(tmp_path / "keys")) is False
    assert not list((tmp_path / "hold").iterdir())


def test_forget_drops_everything_when_the_key_cannot_be_replaced(tmp_path: Path) -> None:
    """Without a new key the old one would still open what was forgotten, so nothing that it opens stays."""

    class Stuck(FileKeystore):
        stuck = False

        def put(self, name: str, secret: bytes) -> None:
            if self.stuck:
                raise KeystoreError("no")
            super().put(name, secret)

    keys = Stuck(tmp_path / "keys")
    hold = Hold(tmp_path / "hold", keys, boot=BOOT)
    keep(hold, 1, MINUTE)
    keys.stuck = True
    forgotten = hold.forget(Last(10, at(MINUTE), BOOT))
    assert (forgotten.n, forgotten.beyond_n) == (4, 2)
    assert held(hold) == []
    assert keys.get(HOLD) is None


@pytest.mark.soak
@pytest.mark.parametrize("every_ms", [MINUTE, MINUTE // 10], ids=["nine hours", "a week"])
def test_forgetting_in_a_full_hold_takes_seconds(tmp_path: Path, every_ms: int) -> None:
    """50,000 events in 542 or 5,361 segments: the counts are exact, and how long each takes is printed (docs/evidence.md)."""
    hold = opened(tmp_path)
    events = a_day_at_work(50_000, 1)
    for minute, (_, group) in enumerate(groupby(events, key=lambda event: event.at.boot_ms // every_ms)):
        some = list(group)
        assert hold.keep(admit(some), at(minute * MINUTE)).full_events == 0
    for span in (Last(600, events[-1].at, BOOT), OfSurface(SurfaceId("mail")), Everything()):
        before, began_s = hold.stats(), time.monotonic()
        forgotten = hold.forget(span)
        print(f"{type(span).__name__}: {forgotten.events} of {before.events} events, {time.monotonic() - began_s:.2f} s")
        assert (forgotten.beyond_n, hold.stats().events) == (0, before.events - forgotten.events)
    assert held(opened(tmp_path)) == []
