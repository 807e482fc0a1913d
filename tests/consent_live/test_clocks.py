"""Clocks leap beneath a running daemon: no pause ends early, and no leap of the wall clock opens what was closed.

INV-5, INV-6, INV-17. Daemon, receiver and courier are the real ones; what needs a display is made up (tests/nothing_lost/whole.py).

- A leap of the *wall clock* is libfaketime's: the daemon's readings of CLOCK_REALTIME are off by what a file says at that moment. Its
  other two clocks are the machine's.
- A *suspend* is a move of the running daemon into a time namespace whose CLOCK_BOOTTIME is ahead, by minutes or weeks, while
  CLOCK_MONOTONIC stands where it stood: what a process sees of a suspend. What it cannot show is devices and sockets that went to sleep.
  Every few suspends the daemon is killed and started again in the namespace.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from agent import messages
from agent.demo.wait import until
from consent.ledger import Ledger
from consent.vocabulary import State
from tests.consent_live.clocks import WallClock, sleeping
from tests.consent_live.figures import Figures, times
from tests.nothing_lost.test_whole_kills import Household, household_in
from tests.nothing_lost.whole import NAMESPACE, QUIET

MINUTES, YEAR_S, LEASE_S = 30, 365 * 86_400, 24 * 3600
LEAPS_S = (1, 59, 3600, 2 * 3600, 86_400, 40 * 86_400, YEAR_S, 30 * YEAR_S)
"""A second, a changed time zone or daylight saving, a day, a dead battery's epoch, a far future."""


def done(household: Household, request: messages.Request) -> None:
    answer = until(lambda: household.ask(request), "an answer")
    assert isinstance(answer, messages.Done), answer


def observers(household: Household) -> list[int]:
    """Those that run; one that is gone and not reaped yet has no command line any more."""
    assert household.daemon is not None
    return [one.pid for one in psutil.Process(household.daemon.pid).children() if _is_observer(one)]


def _is_observer(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "observer" in process.cmdline()
    return False


class Paused:
    """A pause of 30 minutes, and what must hold of it whatever the other clocks say."""

    def __init__(self, household: Household) -> None:
        self._household = household
        self._before_s = time.monotonic()
        done(household, messages.Pause(MINUTES))
        self._after_s = time.monotonic()

    def check(self) -> None:
        """It goes on, nothing runs, and as much of it is left as awake time says."""
        asked_s = time.monotonic()
        found = self._household.status_now()
        assert (found.standing, found.collecting, observers(self._household)) == (State.PAUSED, False, [])
        left_s = found.pause.remaining_s
        assert left_s is not None
        least_s, most_s = MINUTES * 60 - (time.monotonic() - self._before_s), MINUTES * 60 - (asked_s - self._after_s)
        assert least_s - 1 <= left_s <= most_s + 1, "something other than awake time counts"


# --- the wall clock ------------------------------------------------------------------------------------------------


def _leap(rng: random.Random, wall: WallClock) -> None:
    """Ahead or back, from where it is or from the truth, but never before 1970."""
    off_s = rng.choice([0, wall.off_s]) + rng.choice([-1, 1]) * int(rng.choice(LEAPS_S) * (0.5 + rng.random()))
    wall.set(max(off_s, -50 * YEAR_S))


def _wall_clocks(places_ledger: Path) -> list[int]:
    """What the ledger's lines say of the wall clock, in whole days."""
    return sorted({entry.at.wall_ms // 86_400_000 for entry in Ledger(places_ledger).entries})


def _leaps(folder: Path, number: int) -> None:
    """Half of the leaps in pauses, half after the lease has ended."""
    rng, wall, figures = random.Random(number), WallClock(folder), Figures("leaps of the wall clock", number)
    with household_in(folder) as household:
        household.env |= wall.env() | {QUIET: "1"}
        household.start()
        household.until_it_collects()
        _leap_in_pauses(household, wall, rng, figures, number // 2)
        _leap_without_a_lease(household, wall, rng, figures, number - number // 2)
        household.end()
        days = _wall_clocks(household.places.ledger)
        assert days[-1] - days[0] > 365, "the daemon's clock did not leap"


def _leap_in_pauses(household: Household, wall: WallClock, rng: random.Random, figures: Figures, number: int) -> None:
    paused = Paused(household)
    for done_so_far in range(number):
        _leap(rng, wall)
        if rng.random() < 0.2:
            done(household, messages.Forget())  # everything is asked anew, and the ledger gets a line
        paused.check()
        if done_so_far % 25 == 24:
            household.kill("daemon")
            household.start()
            paused.check()
            paused = Paused(household)  # pauses repeat freely
        figures.step()
    wall.set(0)


def _leap_without_a_lease(household: Household, wall: WallClock, rng: random.Random, figures: Figures, number: int) -> None:
    """The lease ends, with no receiver to give another: whatever the clock says afterwards, it has ended."""
    _another_lease(household)
    done(household, messages.Resume())
    household.until_it_collects()
    household.kill("receiver")
    wall.set(LEASE_S + 3600)
    _is_shut(household)
    for done_so_far in range(number):
        if done_so_far == 0:
            wall.set(0)  # the truth, by which it would not have ended
        else:
            _leap(rng, wall)
        if done_so_far % 25 == 1:
            household.kill("daemon")
            household.start()
        _is_shut(household)
        figures.step()
    wall.set(0)


def _another_lease(household: Household) -> None:
    """A receiver signs one as it starts, and a daemon fetches it as it starts: a leap may have ended the one before, and then for good."""
    before = household.status_now().policy.expires
    for what in ("receiver", "daemon"):
        household.kill(what)
    household.start()
    until(lambda: household.status_now().policy.expires != before, "another lease", poll_s=0.1)


def _is_shut(household: Household) -> None:
    done(household, messages.Forget())  # everything is asked anew
    found = household.status_now()
    assert (found.standing, found.collecting) == (State.BLOCKED, False), "the wall clock opened the gate"
    assert "policy_expired" in found.why
    assert observers(household) == []


def test_no_pause_ends_and_no_lease_begins_by_a_leap_of_the_wall_clock(tmp_path: Path) -> None:
    """The short form: 16 leaps."""
    _leaps(tmp_path, 16)


@pytest.mark.soak
def test_no_pause_ends_and_no_lease_begins_by_500_leaps_of_the_wall_clock(tmp_path: Path) -> None:
    """The long form."""
    _leaps(tmp_path, times(500))


# --- suspends ------------------------------------------------------------------------------------------------------


def _suspends(folder: Path, number: int) -> None:
    """A third of the suspends while it records, the others in pauses; at last, the lease is over."""
    rng, figures = random.Random(number), Figures("suspends", number)
    with sleeping(folder) as machine, household_in(folder) as household:
        household.env[NAMESPACE] = str(machine.link)

        def suspend(seconds: int, *, off: bool = False) -> None:
            machine.sleep(seconds)
            if off:
                household.kill("daemon")
                household.start()  # which wakes up there by itself
            assert household.daemon is not None
            if not off:
                os.kill(household.daemon.pid, signal.SIGUSR1)
            clocks = Path(f"/proc/{household.daemon.pid}/ns/time")
            until(lambda: os.readlink(clocks) == machine.name(), "the daemon's waking up")
            figures.step()

        household.start()
        _record_between(household, suspend, rng, number // 3)
        household.kill("receiver")
        paused = Paused(household)
        for done_so_far in range(number - number // 3):
            suspend(rng.choice([1, 60, 3600, 86_400, 30 * 86_400]), off=done_so_far % 8 == 7)
            paused.check()
        done(household, messages.Resume())
        found = household.status_now()
        assert (found.standing, found.collecting) == (State.BLOCKED, False), "the lease outlived a month of sleep"


def _record_between(household: Household, suspend: Callable[[int], None], rng: random.Random, number: int) -> None:
    """INV-17: each suspend voids the proof; what was seen and not yet proven goes, and another hook begins only after another proof."""
    for _ in range(number):
        household.until_it_collects()
        (before,) = observers(household)
        suspend(rng.randrange(10, 600))  # a few hours in all: the lease goes on
        until(lambda: before not in observers(household), "the end of the hook from before the suspend")  # noqa: B023
        done(household, messages.ShowIcon())  # one that ends so often is started anew only after 30 s
    household.until_it_collects()


def test_no_pause_ends_in_a_suspend(tmp_path: Path) -> None:
    """The short form: 9 suspends. It needs root, for time namespaces."""
    _suspends(tmp_path, 9)


@pytest.mark.soak
def test_no_pause_ends_in_100_suspends(tmp_path: Path) -> None:
    """The long form. It needs root, for time namespaces."""
    _suspends(tmp_path, times(100))
