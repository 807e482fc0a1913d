"""A narrower policy acts at once, on what is held and waits too; a wider one adds nothing, and says what it waits for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from securesystemslib.signer import CryptoSigner

from agent import narrowing, policies, show
from agent.policies import InForce
from agent.subject import Subject
from consent.event import Clocks, Event, Modifier
from consent.event import KeyChord as Chord
from consent.gate import Admitted, decide
from consent.groups import OFFICER, REPRESENTATIVE
from consent.notice import COLUMNS
from consent.policy import Policy, parse
from consent.trust import Metadatas
from consent.vocabulary import Blocker, Kind, SurfaceId
from tests.agent.people import BOOT, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.policies import as_bytes, policy, surface
from tests.trust import Repository
from transport.span import Everything

KINDS = frozenset(Kind)
TERMS = policy()["purposes"][0]


def read(**changes: Any) -> Policy:
    return parse(as_bytes(policy(version=2, **changes)))


CLICKS_ONLY = read(surfaces=[surface(kinds=["pointer_button"])])
CHORDS_ONLY = read(surfaces=[surface(kinds=["key_chord"])])


MANY = [surface(id=f"a{at}", name="N" * 150, executables=[f"/{at}"]) for at in range(300)]
"""Apps of whom nobody could be told: their notice is too long to be shown."""


def chords(*minutes: float) -> list[Admitted]:
    """Admitted shortcuts in the editor at these minutes."""
    events = [Event(SurfaceId("editor"), 1, at(minute), 1, 3, Chord((Modifier.CTRL,), "s")) for minute in minutes]
    return [one for event in events if isinstance(one := decide(event, recording()), Admitted)]


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Somebody who agreed to clicks and shortcuts, with a click (1) and a shortcut (3 raw inputs) held, and one of each sealed."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    _keep(made, [*clicks(1), *chords(2)], at(2))
    assert made.seal(recording(), POLICY, at(3), span=Everything()).envelopes == 1
    _keep(made, [*clicks(4), *chords(5)], at(5))
    return made


def _keep(subject: Subject, admitted: Sequence[Admitted], now: Clocks) -> None:
    n = sum(each.event.n for each in admitted)
    subject.tally.came(n)
    subject.tally.admit(n)
    subject.keep(admitted, now)


def held(subject: Subject) -> list[Kind]:
    return [event.kind for event in subject.held(at(60), None)]


def test_what_a_narrower_policy_no_longer_asks_for_is_destroyed_where_it_is(subject: Subject) -> None:
    """In the hold to the event; a waiting envelope whole, because it cannot be opened. The counts reconcile; the receiver is asked
    to erase the envelope, which may have arrived unacknowledged."""
    words = subject.narrow(CLICKS_ONLY, KINDS, at(6))
    assert (held(subject), subject.outbox.waiting()) == ([Kind.POINTER_BUTTON], [])
    assert words is not None
    assert "1 held event" in words
    assert subject.tally.seen == subject.tally.total() == 8
    assert (subject.tally.held, subject.tally.sealed, subject.tally.refused["not_in_scope"]) == (1, 0, 7)
    assert len(subject.erasures.pending()) == 1


def test_it_is_done_once_and_what_comes_after_stays(subject: Subject) -> None:
    """The same policy at every refresh, and after a restart: what was recorded under it is not destroyed."""
    subject.narrow(CLICKS_ONLY, KINDS, at(6))
    _keep(subject, clicks(7), at(7))
    assert subject.seal(recording(), CLICKS_ONLY, at(8), span=Everything()).envelopes == 1
    for again in (subject, Subject(subject.places, BOOT, at(9))):
        assert again.narrow(CLICKS_ONLY, KINDS, at(10)) is None
        assert len(again.outbox.waiting()) == 1


def test_cut_short_it_is_done_again(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes after the hold and before the outbox: the ledger does not say it, so the next call does."""

    def dies(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(subject.outbox, "forget", dies)
    with pytest.raises(OSError, match="Input"):
        subject.narrow(CLICKS_ONLY, KINDS, at(6))
    again = Subject(subject.places, BOOT, at(7))
    assert len(again.outbox.waiting()) == 1
    again.narrow(CLICKS_ONLY, KINDS, at(8))
    assert (again.outbox.waiting(), held(again)) == ([], [Kind.POINTER_BUTTON])


def test_narrower_twice_and_back_again(subject: Subject) -> None:
    """A kind that goes, comes back and goes again: each time what was recorded of it goes."""
    subject.narrow(CLICKS_ONLY, KINDS, at(6))
    subject.narrow(POLICY, KINDS, at(7))
    _keep(subject, chords(8), at(8))
    subject.narrow(CHORDS_ONLY, KINDS, at(9))
    assert held(subject) == [Kind.KEY_CHORD]
    subject.narrow(CLICKS_ONLY, KINDS, at(10))
    assert held(subject) == []


@pytest.mark.parametrize(
    "published",
    [
        read(surfaces=[]),
        read(controller="Else"),
        read(surfaces=[surface(executables=["/usr/bin/keepassxc"])]),
        read(purposes=[TERMS | {"title": "Judge people"}]),
        read(purposes=[TERMS | {"readers": "anybody"}]),
        read(purposes=[TERMS | {"retention_days": 31}]),
    ],
)
def test_what_is_no_longer_asked_for_as_it_was_agreed_is_destroyed_too(subject: Subject, published: Policy) -> None:
    """Another controller, program, meaning, reader or retention: what was recorded under the old terms does not wait for the new ones."""
    subject.narrow(published, KINDS, at(6))
    assert (held(subject), subject.outbox.waiting()) == ([], [])
    assert subject.tally.seen == subject.tally.total()


def test_a_wider_policy_destroys_nothing(subject: Subject) -> None:
    """More kinds, another app, a longer hold: nothing that was agreed to is lost."""
    wider = read(
        hold_min_s=3 * 86400, surfaces=[surface(kinds=["pointer_button", "key_chord", "focus"]), surface(id="b", executables=["/b"])]
    )
    assert subject.narrow(wider, KINDS, at(6)) is None
    assert (len(held(subject)), len(subject.outbox.waiting())) == (2, 1)


def test_a_kind_whose_entry_has_expired_goes_as_well(subject: Subject) -> None:
    """What the register no longer has in force is no longer covered."""
    subject.narrow(POLICY, KINDS - {Kind.KEY_CHORD}, at(6))
    assert held(subject) == [Kind.POINTER_BUTTON]


def test_what_a_wider_policy_would_add_is_said(subject: Subject) -> None:
    """Each thing beyond the receipt in one line; nothing when there is nothing; and it fits a terminal."""
    receipt = subject.record.receipt()
    assert receipt is not None
    assert narrowing.waits(receipt, POLICY, KINDS) == narrowing.waits(receipt, CLICKS_ONLY, KINDS) == ()
    assert show.waiting(()) == ""
    wider = read(
        controller="Else",
        purposes=[TERMS | {"title": "Judge people", "retention_days": 31}, TERMS | {"id": "second", "title": "Second"}],
        surfaces=[surface(kinds=["pointer_button", "focus"]), surface(id="b", name="Bee", executables=["/b"])],
    )
    said = "\n".join(narrowing.waits(receipt, wider, KINDS))
    for words in (
        "another controller: Else",
        "now means Judge people",
        "kept 31 days, and not 30",
        "another purpose: Second",
        "Editor: focus",
    ):
        assert words in said
    assert "Bee: key_chord, pointer_button" in said
    assert "pointer_button" not in said.replace("Bee: key_chord, pointer_button", "")
    assert max(map(len, show.waiting(said.splitlines()).splitlines())) <= COLUMNS


def test_labels_that_a_wider_policy_lets_stay_readable_are_said(subject: Subject) -> None:
    """For a new app, where elements are asked for anew, and where an app that was agreed to has other words now; not without elements."""
    receipt = subject.record.receipt()
    assert receipt is not None
    bee = surface(id="b", name="Bee", executables=["/b"], kinds=["element"], words=["Invoice"])
    editor = surface(kinds=["pointer_button", "key_chord", "element"], words=["Approve"])
    assert narrowing.waits(receipt, read(surfaces=[editor, bee]), KINDS) == (
        "Editor: it now stands for /usr/bin/mousepad (work); of its labels also: Approve",
        "Editor: element; of its labels also: Approve",
        "Bee: element; of its labels also: Invoice",
    )


def test_what_waits_fits_a_frame_whatever_a_policy_asks_for(subject: Subject) -> None:
    """A thousand apps with the longest names: as many lines as can be shown, and how many more there are."""
    paths = [[f"/{number:04}/{'x' * 249}"] for number in range(400)]
    many = [surface(id=f"a{number}", name="N" * 200, executables=each) for number, each in enumerate(paths)]
    receipt = subject.record.receipt()
    assert receipt is not None
    lines = narrowing.shown(narrowing.waits(receipt, read(surfaces=many), KINDS))
    assert lines[-1] == "and 350 more, all of it in the notice below"
    assert len(msgspec.msgpack.encode(lines)) < 16 * 1024
    assert len(narrowing.shown(["x" * 201])[0]) == 200
    wide = narrowing.shown(["\u8a9e" * 200] * 50)
    assert len(msgspec.msgpack.encode(wide)) < 11 * 1024
    assert wide[-1] == "and 33 more, all of it in the notice below"


# --- what is fetched --------------------------------------------------------------------------------------------


def cache(subject: Subject, found: Metadatas) -> None:
    """Puts metadata where the courier leaves them."""
    folder = subject.places.policy
    history = folder / "metadata" / "root_history"
    for each in (history, folder / "targets"):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    subject.places.pinned_root.write_bytes(found.roots[0])
    for number, root in enumerate(found.roots, 1):
        (history / f"{number}.root.json").write_bytes(root)
    for role in ("timestamp", "snapshot", "targets"):
        (folder / "metadata" / f"{role}.json").write_bytes(getattr(found, role))
    (folder / "targets" / "policy.json").write_bytes(found.policy)


def load(subject: Subject, found: Metadatas, minutes: float = 6) -> InForce:
    cache(subject, found)
    return policies.load(subject.places, subject.record, "http://127.0.0.1:9", at(minutes))


def test_every_attack_on_what_was_fetched_blocks_and_is_reported_in_one_line(tmp_path: Path) -> None:
    """Unsigned, one group short, two officers, rolled back, frozen, truncated, unchained, a group dropped, NaN, another receiver,
    and a notice that could not be shown."""
    good = Repository()
    found = good.build()
    two_officers = Repository()
    two_officers.people[OFFICER].append(CryptoSigner.generate_ed25519())
    two_officers.sign_targets = two_officers.people[OFFICER]
    short = Repository()
    short.sign_targets = short.people[REPRESENTATIVE]
    dropped = Repository(people={OFFICER: good.people[OFFICER], "second": [CryptoSigner.generate_ed25519()]}, online=good.online)
    frozen = replace(good, expires=datetime.fromtimestamp(at(0).wall_ms / 1000, UTC) - timedelta(hours=1))
    attacks: list[tuple[Metadatas, Blocker, str]] = [
        (Repository(sign_targets=[]).build(), Blocker.POLICY_REFUSED, "not signed by the group"),
        (short.build(), Blocker.POLICY_REFUSED, f"not signed by the group {OFFICER}"),
        (two_officers.build(), Blocker.POLICY_REFUSED, f"not signed by the group {REPRESENTATIVE}"),
        (frozen.build(), Blocker.POLICY_EXPIRED, "the policy's lease ended"),
        (replace(found, targets=found.targets[:-9]), Blocker.POLICY_REFUSED, "not the one that was signed"),
        (replace(found, policy=found.policy[:-9]), Blocker.POLICY_REFUSED, "not the one that was signed"),
        (replace(found, roots=[*found.roots, Repository().root(2)]), Blocker.POLICY_REFUSED, "of root 1"),
        (replace(dropped.build(), roots=[good.root(), dropped.root(2)]), Blocker.POLICY_REFUSED, f"{REPRESENTATIVE} of root 1"),
        (replace(found, roots=[good.root(), good.root(3)]), Blocker.POLICY_REFUSED, "hole"),
        (replace(good, policy=as_bytes(policy(hold_min_s=float("nan")))).build(), Blocker.POLICY_REFUSED, "it is no JSON (byte "),
        (replace(good, policy=as_bytes(policy(version=float("inf")))).build(), Blocker.POLICY_REFUSED, "it is no JSON (byte "),
        (replace(good, policy=as_bytes(policy(receiver="http://127.0.0.1:8"))).build(), Blocker.POLICY_REFUSED, "another receiver"),
        (replace(good, policy=as_bytes(policy(surfaces=MANY))).build(), Blocker.POLICY_REFUSED, "40000 can be shown"),
    ]
    for number, (attack, blocker, words) in enumerate(attacks):
        subject = subject_in(tmp_path / str(number))
        say_yes(subject, at(0))
        keep(subject, clicks(1), at(1))
        taken = load(subject, attack)
        assert (taken.policy, taken.blocker) == (None, blocker), words
        assert words in taken.why
        assert "\n" not in taken.why
        assert len(held(subject)) == 1  # refused is not narrower: what is held stays
        subject.close()


def test_a_policy_that_was_rolled_back_is_refused_for_ever(tmp_path: Path) -> None:
    """Older metadata, and an older policy that was signed anew under higher versions: the ledger remembers both."""
    subject = subject_in(tmp_path)
    good = Repository(policy=as_bytes(policy(version=2)), versions={"targets": 2, "snapshot": 2, "timestamp": 2})
    assert load(subject, good.build()).policy is not None
    older = replace(good, versions={"targets": 1, "snapshot": 3, "timestamp": 3}).build()
    assert "rolled back" in load(subject, older).why
    signed_anew = replace(good, policy=as_bytes(policy(version=1)), versions={"targets": 3, "snapshot": 3, "timestamp": 3}).build()
    assert "went back from version 2 to 1" in load(subject, signed_anew).why
    assert load(subject, good.build()).policy is not None


def test_whoever_had_the_online_key_cannot_lock_the_next_one_out(tmp_path: Path) -> None:
    """A stolen online key drives the versions up; a root with another key, which the groups have signed, begins anew. Without such a
    root nothing falls; and root and targets, which the groups sign, never do."""
    subject = subject_in(tmp_path)
    good = Repository()
    stolen = replace(good, versions={"targets": 1, "snapshot": 2**31, "timestamp": 2**31})
    assert load(subject, stolen.build()).policy is not None
    assert "rolled back" in load(subject, good.build()).why
    renewed = replace(good, online=CryptoSigner.generate_ed25519(), versions={"targets": 2, "snapshot": 2, "timestamp": 2})
    assert "does not hold" in load(subject, replace(renewed.build(), roots=[good.root()])).why
    assert load(subject, replace(renewed.build(), roots=[good.root(), renewed.root(2)])).policy is not None
    older = replace(renewed, versions={"targets": 1, "snapshot": 3, "timestamp": 3}).build()
    assert "rolled back" in load(subject, replace(older, roots=[good.root(), renewed.root(2)])).why
    back = replace(renewed, versions={"targets": 2, "snapshot": 1, "timestamp": 1}).build()
    assert "rolled back" in load(subject, replace(back, roots=[good.root(), renewed.root(2)])).why
