"""Files whose content or kind is absurd: a number that no clock says, a folder where a file belongs. Rights go on, and no floor is lost."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import floors
from agent.floors import Accepted, Floors
from agent.lock import Lock, held
from agent.messages import Done, Pause, Withdraw
from agent.reach import Reach
from agent.subject import Subject
from consent.ledger import Ledger
from consent.vocabulary import State
from tests.agent.people import BOOT, at, clicks, keep, say_yes, subject_in

GOOD = Floors(3, Accepted((1, 9, 8, 7), "key", 5), 1_800_000_000_000, lapsed_wall_ms=1_700_000_000_000)
ABSURD = [
    ("wall_ms", 300_000_000_000_000),
    ("wall_ms", 10**18),
    ("wall_ms", -1),
    ("wall_ms", "soon"),
    ("lapsed_wall_ms", 10**18),
    ("day", "9999-12-31"),
    ("day", "never"),
]


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Somebody who said yes, with a click held; no daemon."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    keep(made, clicks(1), at(1))
    made.close()
    return made


@pytest.mark.parametrize(("name", "value"), ABSURD)
def test_an_absurd_number_takes_no_other_with_it(subject: Subject, name: str, value: Any) -> None:
    """It is ignored alone; the policy that was accepted and the consents stand, and the state opens and says what day it is."""
    said = msgspec.to_builtins(GOOD) | {name: value}
    subject.places.floors.write_bytes(msgspec.json.encode(said))
    default = getattr(Floors(), name)
    assert floors.read(subject.places) == msgspec.structs.replace(GOOD, **{name: default})
    again = Subject(subject.places, BOOT, at(2))
    assert len(set(again.record.days(at(2)))) == 1
    assert again.record.accepted == GOOD.accepted
    again.record.lapse(at(3).wall_ms)


def test_an_absurd_number_of_consents_is_counted_anew(subject: Subject) -> None:
    """INV-14: from the ledgers, and nothing else is lost."""
    subject.places.floors.write_bytes(msgspec.json.encode(msgspec.to_builtins(GOOD) | {"consents": 10**18}))
    assert floors.read(subject.places).accepted == GOOD.accepted
    assert Subject(subject.places, BOOT, at(2)).record.choice.consents == 1


def a_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir(mode=0o700)
    (path / "in it").touch(0o600)


def a_link(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.symlink(path.with_name("elsewhere"), path)


KINDS = pytest.mark.parametrize("damage", [a_folder, a_link], ids=lambda way: way.__name__)


@KINDS
@pytest.mark.parametrize("broken", [False, True], ids=["a sound ledger", "a broken ledger"])
def test_a_tail_that_is_no_file_stops_no_withdrawal(subject: Subject, damage: Callable[[Path], None], broken: bool) -> None:
    """It says as much as none, and is moved out of the way; the next line has a tail again."""
    damage(subject.places.ledger_tail)
    if broken:
        subject.places.ledger.write_bytes(b"nonsense\n")
    assert isinstance(Reach(subject.places).ask(Withdraw()), Done)
    again = Subject(subject.places, BOOT, at(9))
    assert (again.record.choice.state, again.hold.stats().events) == (State.WITHDRAWN, 0)
    assert subject.places.ledger_tail.is_file()
    assert len(list(subject.places.state.glob("ledger.broken-*"))) == broken


@KINDS
def test_a_tail_that_becomes_no_file_is_moved_when_a_ledger_is_set_aside(subject: Subject, damage: Callable[[Path], None]) -> None:
    damage(subject.places.ledger_tail)
    subject.places.set_ledger_aside(7)
    assert not os.path.lexists(subject.places.ledger_tail)
    ledger = Ledger(subject.places.ledger)
    assert ledger.entries == []
    ledger.close()


@KINDS
@pytest.mark.parametrize("right", [Pause(5), Withdraw()], ids=["pause", "withdraw"])
def test_a_lock_that_is_no_file_refuses_no_right(subject: Subject, damage: Callable[[Path], None], right: Pause | Withdraw) -> None:
    """Nobody can hold it, so it is moved; what takes its place is held by one at a time again."""
    damage(subject.places.lock)
    assert isinstance(Reach(subject.places).ask(right), Done)
    mine = Lock(subject.places.lock)
    assert held(subject.places.lock)
    mine.release()
