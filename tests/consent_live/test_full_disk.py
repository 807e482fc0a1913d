"""A no on a disk without a free byte: written down, acknowledged in time, and everything that it covers is unlinked.

INV-10, INV-12. The state lies on a tmpfs of 1 MB, which is filled while the daemon records and an envelope waits. The no comes through
the daemon (on its socket, or by the command), or by the command alone after the daemon was killed. Mounting needs root: without, it is
not run.
"""

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from agent import clock, messages
from agent.channel import Channel
from agent.demo.clock import elapsed_s
from agent.demo.wait import until
from agent.subject import Subject
from consent.history import PURGED
from consent.ledger import Ledger
from consent.standing import Happening
from consent.vocabulary import State
from tests.consent_live.figures import Figures, times
from tests.disks import fill, small_disk
from tests.nothing_lost.test_whole_kills import Household, household_in

DISK_KB = 1024
PAGE_BYTES, NO_BYTES = 4096, 250
"""Of a tmpfs; and less than the ledger's line for a withdrawal."""
GENEROUS_S = 10.0
"""What is asserted of an answer; the promise is 2 s, and what it really took is printed."""
STARTS_IN_S = 20.0
"""A command is a process that has to start first, on a machine that may be busy."""
SOCKET, COMMAND, ALONE = "on the socket", "by the command", "by the command alone"
HOWS = (SOCKET, COMMAND, ALONE)


@contextmanager
def _home(folder: Path) -> Iterator[tuple[Household, Path, Path]]:
    """A household whose state lies on a small disk; the disk, and a copy of the state as it was after the yes."""
    with small_disk(folder, DISK_KB) as disk, household_in(folder, disk) as household:
        household.start_receiver()
        template = folder / "template"
        shutil.copytree(household.places.state, template)
        try:
            yield household, disk, template
        finally:
            household.end()


def _record(household: Household, disk: Path, template: Path) -> None:
    """A daemon on a fresh copy of the state that records, with an envelope that waits; then not a byte is free."""
    for old in disk.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(template, household.places.state)
    household.start()
    household.until_it_collects()
    until(lambda: _holds(household) > 5, "events in the hold")
    household.kill("receiver")
    until(lambda: household.ask(messages.Send()), "an answer")
    until(lambda: household.status_now().outbox.envelopes > 0 < _holds(household), "an envelope that waits, and more in the hold")
    _fill_page(household)
    fill(disk)


def _fill_page(household: Household) -> None:
    """Lines in the ledger until the page that it ends in has no room for a no: only the reserve has any, once the disk is full."""
    hours = cycle((24, 25))
    until(lambda: -household.places.ledger.stat().st_size % PAGE_BYTES < NO_BYTES or _line(household, next(hours)), "a full page")


def _line(household: Household, hours: int) -> None:
    assert isinstance(household.ask(messages.HoldFor(hours * 3600)), messages.Done)


def _holds(household: Household) -> int:
    return household.status_now().hold.events


def _withdraw(household: Household, how: str) -> float:
    """Say no; how long the acknowledgement took, in seconds."""
    if how == ALONE:
        household.kill("daemon")
    began_s = elapsed_s()
    if how == SOCKET:
        with Channel(household.places.socket, GENEROUS_S) as channel:
            answer = channel.ask(messages.Withdraw())
        assert isinstance(answer, messages.Done), answer
        words = answer.words
    else:
        said = household.say("consent", "withdraw")
        assert (said.code, said.err) == (0, "")
        words = said.out
    took_s = elapsed_s() - began_s
    assert "withdrawn" in words
    assert took_s < (GENEROUS_S if how == SOCKET else GENEROUS_S + STARTS_IN_S)
    return took_s


def _check(household: Household, disk: Path) -> None:
    """Nothing is left, on the disk that is still full; and after room was made the next start says so."""
    if household.daemon is not None:
        assert household.daemon.wait(60) == 0
        household.daemon = None
    places = household.places
    assert Happening.WITHDRAWN in [entry.what for entry in Ledger(places.ledger).entries]
    assert [one for one in places.hold.iterdir() if one.is_file()] == []
    assert list(places.outbox.glob("*.env")) == []
    (disk / "filler").unlink()
    subject = Subject(places, clock.boot_id(), clock.read())
    try:
        choice = subject.record.choice
        assert (choice.state, choice.purge_owed) == (State.WITHDRAWN, False)
        assert PURGED in [entry.what for entry in subject.record.entries]
        assert (subject.hold.stats().events, subject.outbox.waiting()) == (0, [])
        assert subject.tally.seen == subject.tally.total()
    finally:
        subject.close()


def _withdrawals(folder: Path, hows: list[str]) -> None:
    figures = Figures("withdrawals on a full disk", len(hows))
    with _home(folder) as (household, disk, template):
        for how in hows:
            household.start_receiver()
            _record(household, disk, template)
            figures.took(how, _withdraw(household, how))
            _check(household, disk)
            figures.step()


def test_a_no_on_a_full_disk_is_complete(tmp_path: Path) -> None:
    """The short form: one of each."""
    _withdrawals(tmp_path, list(HOWS))


@pytest.mark.soak
def test_100_noes_on_a_full_disk_are_complete(tmp_path: Path) -> None:
    """The long form."""
    _withdrawals(tmp_path, random.Random(6).choices(HOWS, k=times(100)))
