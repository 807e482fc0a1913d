"""Attacks on the policy, with real keys and metadata, on the agent's own path from the cache to the gate: refused, and reported."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from agent import floors, policies, show
from agent.daemon import Daemon
from agent.policies import MOST_WORDS
from agent.record import MOST_REFUSALS, POLICY_REFUSED
from agent.report import Alive, report
from agent.subject import Subject
from consent.groups import OFFICER, REPRESENTATIVE
from consent.trust import Metadatas
from consent.vocabulary import Blocker, Kind, State
from tests.agent.people import at, clicks, keep, say_yes, subject_in
from tests.agent.test_narrowing import cache
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER
from tests.trust import Repository

RECEIVER = "http://127.0.0.1:9"
NEXT = {"targets": 3, "snapshot": 3, "timestamp": 3}
"""Versions above those of the good policy, which are 2: an attacker is not refused for a number."""
WIDER = as_bytes(policy(version=3, surfaces=[surface(kinds=["pointer_button", "key_chord", "focus"])]))


class Scene:
    """Somebody who has said yes to a good policy, which is in force; and its repository, of which every attack begins as a copy."""

    def __init__(self, folder: Path) -> None:
        self.good = Repository(policy=as_bytes(policy(version=2)), versions={"targets": 2, "snapshot": 2, "timestamp": 2})
        self.subject: Subject = subject_in(folder)
        self.now = at(6)
        self.daemon = Daemon(self.subject, REGISTER, lambda: self.now, asyncio.get_running_loop())
        self.take(self.good.build())
        say_yes(self.subject, at(0))
        keep(self.subject, clicks(1), at(1))
        self.daemon.reconsider()
        assert self.daemon.policy.blocker is None
        assert Blocker.POLICY_REFUSED not in self.daemon.standing.blockers

    def take(self, found: Metadatas) -> None:
        """What the daemon does with what the courier has left in the cache."""
        for each in (self.subject.places.policy / "metadata" / "root_history").glob("*"):
            each.unlink()
        cache(self.subject, found)
        self.look()

    def look(self) -> None:
        self.daemon.take(policies.load(self.subject.places, self.subject.record, RECEIVER, self.now))

    def next(self, **changes: Any) -> Repository:
        return replace(self.good, **{"versions": NEXT, "policy": WIDER} | changes)

    def said(self) -> list[str]:
        """The ledger's lines about refused policies."""
        return [str(entry.data["why"]) for entry in self.subject.record.entries if entry.what == POLICY_REFUSED]

    def status(self) -> Any:
        alive = Alive(self.daemon.standing, self.daemon.collecting, self.daemon.policy, self.daemon.indicator.proof, ())
        return report(self.subject, self.now, alive)


def _two_officers(scene: Scene) -> Metadatas:
    both = {OFFICER: [*scene.good.people[OFFICER], CryptoSigner.generate_ed25519()], REPRESENTATIVE: scene.good.people[REPRESENTATIVE]}
    more = scene.next(people=both)
    more.sign_targets = more.people[OFFICER]
    return replace(more.build(), roots=[scene.good.root(), more.root(2)])


def _unchained(scene: Scene) -> Metadatas:
    stranger = Repository(versions=NEXT, policy=WIDER)
    return replace(stranger.build(), roots=[scene.good.root(), stranger.root(2)])


def _without_the_representative(scene: Scene) -> Metadatas:
    dropped = scene.next(people={OFFICER: scene.good.people[OFFICER], "second-officer": [CryptoSigner.generate_ed25519()]})
    return replace(dropped.build(), roots=[scene.good.root(), dropped.root(2)])


def _number(field: bytes, number: bytes) -> Callable[[Scene], Metadatas]:
    return lambda scene: scene.next(policy=WIDER.replace(field, field.split(b":")[0] + b": " + number)).build()


def _asking(**changes: Any) -> bytes:
    return as_bytes(policy(version=3, surfaces=[surface(**changes)]))


def _cut(part: str) -> Callable[[Scene], Metadatas]:
    def attack(scene: Scene) -> Metadatas:
        found = scene.next().build()
        return replace(found, **{part: getattr(found, part)[:-20]})

    return attack


REFUSED: dict[str, tuple[Callable[[Scene], Metadatas], str]] = {
    "unsigned": (lambda scene: scene.next(sign_targets=[]).build(), "is not signed by the group"),
    "no officer": (lambda scene: scene.next(sign_targets=scene.good.people[REPRESENTATIVE]).build(), f"not signed by the group {OFFICER}"),
    "no representative": (lambda scene: scene.next(sign_targets=scene.good.people[OFFICER]).build(), f"by the group {REPRESENTATIVE}"),
    "two officers": (_two_officers, f"is not signed by the group {REPRESENTATIVE}"),
    "strangers": (lambda scene: replace(Repository(versions=NEXT).build(), roots=[scene.good.root()]), "does not hold"),
    "root unchained": (_unchained, "of root 1"),
    "root with a hole": (lambda scene: replace(scene.next().build(), roots=[scene.good.root(), scene.good.root(3)]), "hole"),
    "a group put out": (_without_the_representative, f"{REPRESENTATIVE} of root 1"),
    "rolled back": (
        lambda scene: replace(scene.good, versions={"targets": 1, "snapshot": 1, "timestamp": 1}, policy=as_bytes(policy())).build(),
        "rolled back",
    ),
    "rolled back, signed anew": (lambda scene: scene.next(policy=as_bytes(policy())).build(), "went back from version 2 to 1"),
    "timestamp cut": (_cut("timestamp"), "does not hold"),
    "snapshot cut": (_cut("snapshot"), "does not hold"),
    "targets cut": (_cut("targets"), "does not hold"),
    "policy cut": (_cut("policy"), "does not hold"),
    "policy exchanged": (lambda scene: replace(scene.next().build(), policy=as_bytes(policy(version=4))), "does not hold"),
    "NaN": (_number(b'"hold_min_s": 900', b"NaN"), "it is no JSON (byte "),
    "infinity": (_number(b'"retention_days": 30', b"Infinity"), "it is no JSON (byte "),
    "minus infinity": (_number(b'"version": 3', b"-Infinity"), "it is no JSON (byte "),
    "overflow": (_number(b'"version": 3', b"1e999"), "version"),
    "another receiver": (lambda scene: scene.next(policy=as_bytes(policy(version=3, receiver="http://127.0.0.1:8"))).build(), "another"),
    "an interpreter": (lambda scene: scene.next(policy=_asking(executables=["/bin/sh"])).build(), "shell"),
    "a person": (lambda scene: scene.next(policy=_asking(grade="E7")).build(), "grade"),
    "keys in mail": (lambda scene: scene.next(policy=_asking(category="mail")).build(), "no key"),
}


def played(folder: Path, play: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        scene = Scene(folder)
        try:
            await play(scene)
        finally:
            scene.subject.close()

    asyncio.run(run())


@pytest.mark.parametrize("name", REFUSED)
def test_an_attack_is_refused_and_reported_and_harms_nothing(tmp_path: Path, name: str) -> None:
    """Nothing is collected; status and ledger say why, in one line, once; what was accepted before is not gone below; what is held
    stays, for refused is not narrower; and when the good policy comes back, all is as it was."""

    async def play(scene: Scene) -> None:
        attack, words = REFUSED[name]
        before, kept = scene.subject.record.accepted, floors.read(scene.subject.places)
        scene.take(attack(scene))
        assert scene.daemon.policy.policy is None
        assert scene.daemon.standing.state is State.BLOCKED
        assert Blocker.POLICY_REFUSED in scene.daemon.standing.blockers
        assert not scene.daemon.standing.scope.grants
        assert not scene.daemon.collecting
        status = scene.status()
        assert Blocker.POLICY_REFUSED in status.why
        assert words in status.policy.why
        assert words in " ".join(" ".join(line) for line in show._parts(status))
        assert "\n" not in status.policy.why
        assert len(status.policy.why) <= MOST_WORDS
        scene.look()
        assert scene.said() == [status.policy.why]
        assert (scene.subject.record.accepted, floors.read(scene.subject.places)) == (before, kept)
        assert scene.subject.hold.stats().events == 1
        scene.take(scene.good.build())
        assert scene.daemon.policy.blocker is None

    played(tmp_path, play)


def test_a_frozen_lease_ends_by_itself_and_by_no_clock_comes_back(tmp_path: Path) -> None:
    """Whoever withholds the next timestamp holds the last: it expires. A wall clock that is turned back does not make it younger."""

    async def play(scene: Scene) -> None:
        ends = datetime.fromtimestamp(at(60).wall_ms / 1000, UTC)
        frozen = scene.next(expires=ends, policy=as_bytes(policy(version=3))).build()
        scene.take(frozen)
        assert scene.daemon.policy.blocker is None
        for minutes, wall in ((61, 0), (62, -90)):
            later = at(minutes)
            scene.now = replace_wall(later, later.wall_ms + wall * 60_000)
            scene.daemon.reconsider()
            assert Blocker.POLICY_EXPIRED in scene.daemon.standing.blockers
            assert not scene.daemon.standing.scope.grants
        scene.now = at(63)
        scene.look()
        assert scene.daemon.policy.blocker is Blocker.POLICY_EXPIRED
        assert "lease ended" in scene.status().policy.why
        assert scene.said() == []

    played(tmp_path, play)


def replace_wall(clocks: Any, wall_ms: int) -> Any:
    return type(clocks)(clocks.awake_ms, clocks.boot_ms, wall_ms)


def test_an_expired_policy_is_none(tmp_path: Path) -> None:
    """Signed by everybody, and over."""

    async def play(scene: Scene) -> None:
        scene.take(scene.next(expires=datetime.fromtimestamp(at(0).wall_ms / 1000, UTC) - timedelta(hours=1)).build())
        assert scene.daemon.policy.blocker is Blocker.POLICY_EXPIRED
        assert Blocker.POLICY_EXPIRED in scene.daemon.standing.blockers
        assert "lease ended" in scene.status().policy.why

    played(tmp_path, play)


DRESSED = {
    "another program under the same name": {"surfaces": [surface(kinds=["key_chord"], executables=["/usr/bin/keepassxc"])]},
    "of another package, and a kind fewer": {"surfaces": [surface(kinds=["key_chord"], packages=["keepassxc"])]},
    "a part of the program": {"surfaces": [surface(hosts=["github.com"])]},
    "another purpose under the same name": {"purposes": [policy()["purposes"][0] | {"title": "Judge people", "retention_days": 1}]},
    "longer kept, and fewer kinds": {
        "surfaces": [surface(kinds=["key_chord"])],
        "purposes": [policy()["purposes"][0] | {"retention_days": 365}],
    },
    "another controller": {"controller": "Else", "surfaces": [surface(kinds=["key_chord"])]},
}


@pytest.mark.parametrize("name", DRESSED)
def test_a_widening_that_is_dressed_as_a_narrowing_stays_off_and_waits_in_words(tmp_path: Path, name: str) -> None:
    """Validly signed, with less asked for at first sight: nothing of what changed its meaning is observed, and it is said that it waits."""

    async def play(scene: Scene) -> None:
        scene.take(scene.next(policy=as_bytes(policy(version=3, **DRESSED[name]))).build())
        assert scene.daemon.policy.blocker is None
        assert not scene.daemon.standing.scope.surfaces()
        assert Blocker.NOTHING_AGREED in scene.daemon.standing.blockers
        assert scene.daemon.waits()
        assert scene.said() == []

    played(tmp_path, play)


def test_a_no_to_a_kind_outlives_every_policy_that_comes_and_goes(tmp_path: Path) -> None:
    """Narrowed, refused, widened again: what was taken out once is not on again because the policy that did it is gone."""

    async def play(scene: Scene) -> None:
        narrower = scene.next(policy=_asking(kinds=["key_chord"]))
        scene.take(narrower.build())
        assert scene.subject.hold.stats().events == 0
        scene.take(scene.next(sign_targets=[]).build())
        scene.take(narrower.build())
        assert scene.daemon.standing.scope.kinds() & {Kind.POINTER_BUTTON, Kind.KEY_CHORD} == {Kind.KEY_CHORD}
        scene.take(scene.good.build())
        assert scene.daemon.policy.blocker is Blocker.POLICY_REFUSED  # it is below what was accepted

    played(tmp_path, play)


def test_many_refusals_do_not_fill_the_ledger(tmp_path: Path) -> None:
    """Each reason once, and sixteen at most until a policy is accepted again; then anew."""

    async def play(scene: Scene) -> None:
        for _ in range(2):
            for number in range(MOST_REFUSALS + 9):
                scene.take(scene.next(policy=_asking(**{f"x{number}": 1})).build())
        assert len(scene.said()) == MOST_REFUSALS
        scene.take(scene.next(policy=as_bytes(policy(version=3))).build())
        scene.take(scene.next(sign_targets=[], versions={"targets": 4, "snapshot": 4, "timestamp": 4}).build())
        assert len(scene.said()) == MOST_REFUSALS + 1

    played(tmp_path, play)
