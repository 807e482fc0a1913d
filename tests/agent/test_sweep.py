"""Over every key, variable, flag and request that the code has, and over root, another account, a logon script and a receiver: nothing
collects without the person's yes and an icon that shows it."""

import ast
import asyncio
import atexit
import functools
import itertools
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent import daemon as daemon_module
from agent import machine, messages, policies, session
from agent.daemon import Daemon
from agent.errors import AgentError
from agent.places import Places
from agent.subject import Subject
from collectors import pipe
from consent.ledger import LedgerError
from consent.trust import Metadatas
from consent.vocabulary import State
from tests.agent import knobs
from tests.agent.people import BOOT, at, places_in, say_yes
from tests.agent.test_narrowing import cache
from tests.commands import ROOT
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER
from tests.trust import Repository
from transport.errors import TransportError

RECEIVER = "http://127.0.0.1:9"
SEED = 20_261_121

# --- the knobs are those that the code has -------------------------------------------------------------------------


def test_every_key_variable_flag_and_request_of_the_code_is_tried_here() -> None:
    """A new one fails until somebody has written down what is tried with it."""
    assert knobs.keys() == set(knobs.KEYS)
    assert knobs.policy_fields() == knobs.POLICY
    assert knobs.variables() - knobs.NO_VARIABLES == set(knobs.VARIABLES)
    assert knobs.reads_environment() == knobs.READ_WHOLE
    assert knobs.metavars() == set(knobs.ARGUMENTS)
    tried = knobs.lines(random.Random(SEED), 0)
    flags = {opt for parameters in knobs.commands().values() for each in parameters for opt in each.opts if opt.startswith("-")}
    assert flags <= set(itertools.chain.from_iterable(tried))
    assert list(knobs.requests(random.Random(SEED), "", 9))


def test_only_one_place_starts_the_observer_and_only_behind_the_gate() -> None:
    """One call makes the child, in one method, which one line calls, under `if may_hook(...)`. Nothing else of ours hooks anything."""
    made, called = [], []
    for file in (file for folder in knobs.FOLDERS for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            text = ast.unparse(node) if isinstance(node, ast.Call | ast.If) else ""
            if isinstance(node, ast.Call) and text.startswith(("Child('observer'", "command('observer'")):
                made.append(file.name)
            if isinstance(node, ast.Call) and text.endswith("._start_observer()"):
                called.append(file.name)
            if isinstance(node, ast.If) and "._start_observer()" in text:
                assert ast.unparse(node.test) == "may_hook(self.standing)"
    assert (made, called) == (["daemon.py"], ["daemon.py"])


# --- combinations, in this process ---------------------------------------------------------------------------------

GOOD = Repository(policy=as_bytes(policy(version=2)), versions={"targets": 2, "snapshot": 2, "timestamp": 2})
MORE = as_bytes(policy(version=3, surfaces=[surface(kinds=["pointer_button", "key_chord", "focus"]), surface(id="b", executables=["/b"])]))
POLICIES: dict[str, Callable[[], Metadatas] | None] = {
    "none": None,
    "good": GOOD.build,
    "asks for more": lambda: replace(GOOD, policy=MORE, versions=dict.fromkeys(GOOD.versions, 3)).build(),
    "unsigned": lambda: replace(GOOD, policy=MORE, sign_targets=[], versions=dict.fromkeys(GOOD.versions, 3)).build(),
    "expired": lambda: replace(GOOD, expires=datetime(2001, 1, 1, tzinfo=UTC)).build(),
}
SAID = ("nothing", "yes", "a pause", "a no", "another account's yes", "a yes under another root", "a yes of another key")
SHOWN = ("nothing", "attached only", "something else", "not visible", "recording")
ME = 1234
BY = ("the person", "root", "the person, through sudo")
OWNERS = ("the person", "another account") if os.geteuid() == 0 else ("the person",)


@dataclass(frozen=True)
class Combination:
    """One drawn by chance."""

    keys: dict[str, Any]
    variables: dict[str, str]
    said: str
    policy: str
    shown: str
    owner: str
    by: str

    @property
    def may_collect(self) -> bool:
        """Worked out without asking the product: a person's yes, on this machine, to a policy in force; and an icon that shows it."""
        theirs = self.keys.get("receiver") == RECEIVER and self.keys.get("receiver_pin") is None and self.keys.get("trial") != "yes"
        theirs &= self.keys.get("daily_notice") != "no"
        theirs &= self.keys.get("bytes_a_day") in (
            None,
            10_000,
            20_000_000,
        )  # lowered, never raised; it says what is sent, not what is seen
        theirs &= self.keys.get("bytes_a_month") is not True and self.keys.get("bytes_a_month") in (None, 10_000, 400_000_000)
        yes_and_icon = (self.said, self.shown, self.owner) == ("yes", "recording", "the person")
        themselves = self.by == "the person" and not {"SUDO_UID", "PKEXEC_UID"} & set(self.variables)
        trial = self.keys.get("trial") is True  # throw-away keys, nothing leaves the machine
        return theirs and yes_and_icon and (themselves or trial) and self.policy in ("good", "asks for more")


def _drawn(chance: random.Random) -> Combination:
    """Any knob may stand anywhere; yes, good policy and the right icon are drawn more often, so that little is missing."""
    keys = {key: chance.choice(values) for key, values in knobs.KEYS.items()}
    if chance.random() < 0.7:
        keys = {"receiver": RECEIVER}
    every = knobs.VARIABLES | knobs.OF_OTHERS
    variables = {name: chance.choice(every[name]) for name in chance.sample(sorted(every), chance.randrange(6))}
    often: list[tuple[tuple[str, ...], str]] = [
        (SAID, "yes"),
        (tuple(POLICIES), "good"),
        (SHOWN, "recording"),
        (OWNERS, "the person"),
        (BY, "the person"),
    ]
    drawn = [likely if chance.random() < 0.7 else chance.choice(every_one) for every_one, likely in often]
    return Combination({key: value for key, value in keys.items() if value is not None}, variables, *drawn)


RIGHT = Combination({"receiver": RECEIVER}, {}, "yes", "good", "recording", "the person", "the person")
ONE_OTHER = [
    *(replace(RIGHT, said=said) for said in SAID),
    *(replace(RIGHT, policy=name) for name in POLICIES),
    *(replace(RIGHT, shown=shown) for shown in SHOWN),
    *(replace(RIGHT, owner=owner) for owner in OWNERS),
    *(replace(RIGHT, by=by) for by in BY),
    *(replace(RIGHT, variables={name: values[-1]}) for name, values in (knobs.VARIABLES | knobs.OF_OTHERS).items()),
    *(
        replace(RIGHT, keys={"receiver": RECEIVER} | {key: value})
        for key, values in knobs.KEYS.items()
        for value in values
        if value is not None
    ),
]


class Recorder:
    """In the place of the daemon's child: what would have been started, with which grant."""

    started: list[pipe.Grant]

    def __init__(self, name: str, *_: object) -> None:
        assert name == "observer"

    def say(self, body: bytes) -> None:
        Recorder.started.append(pipe.decode_down(body))

    def kill(self) -> None:
        """Nothing runs."""


class Icon:
    """The daemon's end of an icon's connection. `answers`: what it answers to each challenge, None: nothing."""

    def __init__(self, answers: Callable[[State], tuple[bool, State]] | None) -> None:
        self._answers, self._told, self.challenges = answers, State.UNASKED, list[bytes]()

    def say(self, answer: messages.Answer) -> None:
        match answer:
            case messages.Appear(state):
                self._told = state
            case messages.Challenge(nonce):
                self.challenges.append(nonce)

    def close(self) -> None:
        """Nothing to close."""

    def answer(self, daemon: Daemon) -> None:
        """To everything that it was asked."""
        while self._answers is not None and self.challenges:
            visible, showing = self._answers(self._told)
            daemon.indicator.answered(self, messages.Proven(self.challenges.pop(0), "one", visible, showing))  # type: ignore[arg-type]


ICONS: dict[str, Callable[[State], tuple[bool, State]] | None] = {
    "attached only": None,
    "something else": lambda _: (True, State.PAUSED),
    "not visible": lambda told: (False, told),
    "recording": lambda told: (True, told),
}


@functools.cache
def _template(said: str) -> Path:
    """A folder in which a person, or somebody in their place, has said this before; made once, copied for each combination."""
    folder = Path(tempfile.mkdtemp(prefix="volens-sweep-"))
    atexit.register(shutil.rmtree, folder)
    places = places_in(folder)
    cache_root(places, Repository().root() if said == "a yes under another root" else GOOD.root())
    with pytest.MonkeyPatch.context() as elsewhere:
        if said == "another account's yes":
            elsewhere.setattr(machine, "place", lambda: "ff" * 32)
        subject = Subject(places, BOOT, at(0))
        if said != "nothing":
            say_yes(subject, at(0))
        if said == "a pause":
            subject.pause(None, at(1))
        if said == "a no":
            subject.withdraw(at(1))
        subject.close()
    if said == "a yes of another key":
        (places.keys / "ledger").unlink()
    cache_root(places, GOOD.root())
    return folder


@functools.cache
def _metadata(name: str) -> Metadatas | None:
    build = POLICIES[name]
    return build() if build is not None else None


def cache_root(places: Places, root: bytes) -> None:
    places.pinned_root.write_bytes(root)


def toml(keys: dict[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())


def _daemon_starts(places: Places, combination: Combination) -> tuple[bool, int]:
    """What the daemon does when it starts, in its order (`agent.run`); whether hooks were set, and how many events it holds."""
    places.check()
    subject = Subject(places, BOOT, at(5))
    try:
        receiver = subject.settings.receiver
        daemon = Daemon(subject, REGISTER, lambda: at(6), asyncio.get_running_loop())
        if not subject.settings.trial:
            env = combination.variables | ({"SUDO_UID": str(ME + 1)} if "sudo" in combination.by else {})
            daemon.foreign = session.foreign(0 if combination.by == "root" else ME, env)
        daemon.take(policies.load(places, subject.record, receiver, at(6)))
        daemon.appear()
        if combination.shown != "nothing":
            icon = Icon(ICONS[combination.shown])
            daemon.indicator.attach(icon, messages.Attach("one", "tray"))  # type: ignore[arg-type]
            icon.answer(daemon)
        daemon.reconsider()
        for grant in Recorder.started:
            assert {rule.surface for rule in grant.surfaces} <= {"editor"}
            assert grant.kinds <= {"pointer_button", "key_chord", "gap", "control"}
        return bool(Recorder.started), subject.hold.stats().events
    finally:
        subject.close()


def test_one_thing_that_is_missing_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything as it must be, but for one: each value of each."""
    _all(ONE_OTHER, tmp_path, monkeypatch)


@pytest.mark.parametrize("number", range(4))
def test_no_combination_collects_without_a_yes_and_an_icon(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded; a quarter each. Where yes, policy and icon are all there it does collect, so that this is no test of nothing."""
    _sweep(random.Random(SEED + number), 25, tmp_path, monkeypatch)


@pytest.mark.soak
def test_no_combination_of_three_thousand_collects_without_a_yes_and_an_icon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The long form."""
    _sweep(random.Random(SEED + 99), 3_000, tmp_path, monkeypatch)


def _sweep(chance: random.Random, times: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _all([RIGHT, *(_drawn(chance) for _ in range(times))], folder, monkeypatch)


def _all(combinations: list[Combination], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "Child", Recorder)
    for combination in combinations:
        Recorder.started = []
        assert _one(combination, folder / "one", monkeypatch) == (combination.may_collect, 0), combination
        shutil.rmtree(folder / "one")
    assert 0 < sum(combination.may_collect for combination in combinations) < len(combinations)


def _one(combination: Combination, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, int]:
    shutil.copytree(_template(combination.said), folder)
    places = places_in(folder)
    if (found := _metadata(combination.policy)) is not None:
        cache(At(places), found)  # type: ignore[arg-type]
    places.settings.write_text(toml(combination.keys), "utf-8")
    places.settings.chmod(0o600)
    if combination.owner != "the person":
        os.chown(places.ledger, 4711, 4711)

    async def start() -> tuple[bool, int]:
        return _daemon_starts(places, combination)

    with monkeypatch.context() as env:
        for name, value in combination.variables.items():
            env.setenv(name, value)
        try:
            return asyncio.run(start())
        except (AgentError, LedgerError, TransportError):
            return bool(Recorder.started), 0


@dataclass
class At:
    """As much of a subject as `cache` looks at."""

    places: Places
