"""`volens pause`, `forget` and `consent withdraw` killed before each of their calls that change the disk: kept, or never acknowledged.

INV-12, INV-13, with nobody but the command: no daemon. After each kill the state is opened again, as the next start opens it. What was
printed holds; where nothing was printed it holds as well, or nothing of it has happened. Nothing that it does not cover is lost.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import clock
from agent.demo.calls import argv
from agent.places import Places
from agent.record import FORGOTTEN
from agent.subject import Subject
from consent.event import Button, Clocks, Event, PointerButton
from consent.gate import Admitted, decide
from consent.vocabulary import State, SurfaceId
from tests.agent.people import POLICY, keep, recording, say_yes
from tests.consent_live.figures import Figures
from tests.consent_live.traced import Point, needs_strace, points, strace
from transport.span import Everything

pytestmark = needs_strace
LONG_AGO, JUST_NOW = (4.0, 4.1, 4.2, 4.3), (0.1, 0.2, 0.3)
"""Minutes before now; `--last 2m` is between them. The first two of each are in an envelope, the rest is held."""


@dataclass(frozen=True)
class After:
    """What the next start finds.

    Attributes:
        old, new: How many events of long ago and of just now are held, and how many envelopes wait.
        files: How many files lie in hold and outbox, keys and notes not counted.
    """

    state: State
    minutes: int | None
    old: int
    new: int
    envelopes: int
    files: int
    noted: bool


def _places(folder: Path) -> Places:
    return Places(folder / "state" / "volens", folder / "run" / "volens")


def _click(now: Clocks, minutes: float) -> Admitted:
    ago_ms = int(minutes * 60_000)
    at = Clocks(now.awake_ms - ago_ms, now.boot_ms - ago_ms, now.wall_ms - ago_ms)
    admitted = decide(Event(SurfaceId("editor"), 1, at, 1, 1, PointerButton(int(minutes * 10), 4, Button.LEFT, True)), recording())
    assert isinstance(admitted, Admitted)
    return admitted


def prepare(folder: Path) -> None:
    """Somebody who said yes: two envelopes wait and five events are held, of long ago and of just now."""
    shutil.rmtree(folder, ignore_errors=True)
    places, now = _places(folder), clock.read()
    places.runtime.parent.mkdir(mode=0o700, parents=True)  # else it is nobody's XDG_RUNTIME_DIR
    places.prepare()
    subject = Subject(places, clock.boot_id(), now)
    say_yes(subject, now)
    for minutes in (LONG_AGO[:2], JUST_NOW[:2]):
        keep(subject, [_click(now, one) for one in minutes], now)
        assert subject.seal(recording(), POLICY, now, span=Everything()).envelopes == 1
    for one in (*LONG_AGO[2:], *JUST_NOW[2:]):
        keep(subject, [_click(now, one)], now)
    subject.close()


def look(folder: Path) -> After:
    """Open what a kill has left."""
    subject = Subject(_places(folder), clock.boot_id(), clock.read())
    try:
        held = [event.payload.x for event in subject.held(clock.read(), None) if isinstance(event.payload, PointerButton)]
        choice = subject.record.choice
        files = [one for place in (subject.places.hold, subject.places.outbox) for one in place.iterdir() if one.is_file()]
        noted = any(entry.what == FORGOTTEN for entry in subject.record.entries)
        assert subject.hold.recovered.quarantined == subject.outbox.damaged == 0 or choice.state is State.WITHDRAWN
        assert not choice.purge_owed
        tally = subject.tally
        assert tally.seen == tally.total()
        return After(
            choice.state,
            choice.pause.minutes if choice.pause else None,
            sum(x >= 40 for x in held),
            sum(x < 40 for x in held),
            len(subject.outbox.waiting()),
            len(files),
            noted,
        )
    finally:
        subject.close()


def _paused(after: After, acknowledged: bool) -> None:
    assert (after.old, after.new, after.envelopes) == (2, 1, 2)
    assert (after.state, after.minutes) in {(State.PAUSED, 30), *([] if acknowledged else [(State.CONSENTED, None)])}


def _forgotten(after: After, acknowledged: bool) -> None:
    assert (after.state, after.old) == (State.CONSENTED, 2), "something that the span does not cover is lost"
    assert 1 <= after.envelopes <= 2
    if acknowledged:
        assert (after.new, after.envelopes, after.noted) == (0, 1, True)


def _withdrawn(after: After, acknowledged: bool) -> None:
    if acknowledged or after.state is State.WITHDRAWN:
        assert (after.state, after.old, after.new, after.envelopes, after.files) == (State.WITHDRAWN, 0, 0, 0, 0)
    else:
        assert (after.state, after.old, after.new, after.envelopes) == (State.CONSENTED, 2, 1, 2), "half of a no"


ACTS: dict[str, tuple[list[str], Callable[[After, bool], None]]] = {
    "pause": (["pause", "30"], _paused),
    "forget": (["forget", "--last", "2m"], _forgotten),
    "withdraw": (["consent", "withdraw"], _withdrawn),
}


def run(folder: Path, act: str, point: Point | None) -> tuple[bool, bool]:
    """The command on a fresh state, killed at that point; whether it was killed, and whether it said that it is done."""
    prepare(folder)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "XDG_RUNTIME_DIR": str(folder / "run")}
    command = [*strace(folder.parent / "trace", point), *argv("agent", ACTS[act][0])]
    ended = subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode != 0, bool(ended.stdout)


def kill_at(folder: Path, act: str, point: Point) -> bool:
    """Fail if a kill at that point breaks a promise; whether it came to a kill."""
    killed, acknowledged = run(folder, act, point)
    assert killed or acknowledged
    try:
        ACTS[act][1](look(folder), acknowledged)
    except AssertionError as error:
        raise AssertionError(f"{act}, killed at {point}, {'' if acknowledged else 'not '}acknowledged: {error}") from error
    return killed


def every_point(folder: Path, act: str) -> list[Point]:
    """Where the command can be killed; it is run once to see."""
    assert run(folder, act, None) == (False, True)
    ACTS[act][1](look(folder), True)
    return points(folder.parent / "trace")


@pytest.mark.parametrize("act", ACTS)
def test_a_kill_leaves_the_decision_or_none(tmp_path: Path, act: str) -> None:
    """The short form: four seeded points of each; one is that before its last words."""
    folder = tmp_path / "person"
    found = every_point(folder, act)
    chosen = [*random.Random(act).sample(found, 3), found[-1]]
    assert sum(kill_at(folder, act, point) for point in chosen) >= 3


@pytest.mark.soak
@pytest.mark.parametrize("act", ACTS)
def test_a_kill_at_each_call_leaves_the_decision_or_none(tmp_path: Path, act: str) -> None:
    """The long form: every point."""
    folder = tmp_path / "person"
    found = every_point(folder, act)
    figures = Figures(f"kills of {act}", len(found))
    killed = 0
    for point in found:
        killed += kill_at(folder, act, point)
        figures.step()
    figures.say(f"{killed} kills at {len(found)} points")
    assert killed >= len(found) * 0.95
