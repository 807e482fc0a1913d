"""From drafts to what agents fetch: each group has signed, nothing is half-written, and a root can be followed by another."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tuf.api.metadata import Metadata

from consent.policy import parse
from consent.trust import judge
from receiver import policy_draft, policy_repo
from receiver.errors import ReceiverError
from receiver.policy_draft import Draft, check
from tests.policies import surface
from tests.receiver.signers import GOOD, LEASE, NOW, Ceremony, by, officer, representative, version
from tests.receiver.stand import run
from transport import disk


@pytest.fixture
def ceremony(tmp_path: Path) -> Ceremony:
    """A repository with root 1 and policy 1, by ada and ben."""
    made = Ceremony.begin(tmp_path)
    made.first()
    return made


def in_force(ceremony: Ceremony) -> int:
    """The version of the policy that an agent would accept."""
    published = policy_repo.read(ceremony.tuf)
    assert published is not None
    return parse(judge(published.found).policy).version


def refused(act: Callable[[], Any], because: str) -> None:
    """It is, with one line."""
    with pytest.raises(ReceiverError, match=because) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_what_each_group_has_signed_is_published_and_agents_accept_it(ceremony: Ceremony) -> None:
    """The agent's own judge says so; the lease is a day; the next policy replaces it."""
    assert in_force(ceremony) == 1
    done = ceremony.publish(by(ceremony.policy(version(2)), *ceremony.people))
    assert (done.root, done.policy, done.until, in_force(ceremony)) == (1, 2, NOW + LEASE, 2)


def test_signatures_of_one_group_or_of_strangers_publish_nothing(ceremony: Ceremony) -> None:
    """Unsigned, one group short, the same officer twice: refused with the group's name, and nothing is written."""
    before = {path: path.read_bytes() for path in ceremony.tuf.rglob("*.json")}
    ada, ben = ceremony.people
    draft = ceremony.policy(version(2))
    refused(lambda: ceremony.publish(draft), "not signed by: employees-representative, privacy-officer")
    refused(lambda: ceremony.publish(by(draft, ada, ada)), "not signed by: employees-representative")
    refused(lambda: ceremony.publish(by(draft, ben)), "not signed by: privacy-officer")
    refused(lambda: by(draft, officer("eve")), "in no group that must sign")
    assert {path: path.read_bytes() for path in ceremony.tuf.rglob("*.json")} == before


def test_copies_that_were_signed_apart_are_put_together(ceremony: Ceremony) -> None:
    """Two signers, each with a copy of the draft; copies that say different things are not mixed."""
    ada, ben = ceremony.people
    draft = ceremony.policy(version(2))
    other = ceremony.policy(version(3))
    refused(lambda: ceremony.publish(by(draft, ada), by(other, ben)), "different things")
    assert ceremony.publish(by(draft, ada), by(draft, ben)).policy == 2


def test_a_root_is_followed_by_one_with_another_signer(ceremony: Ceremony) -> None:
    """A second officer comes: old and new groups have signed; the policy in force stays in force under the new root."""
    ada, ben = ceremony.people
    eve = officer("eve")
    draft = ceremony.root([ada, eve, ben])
    refused(lambda: ceremony.publish(by(draft, eve, ben)), r"not signed by: privacy-officer \(of root 1\)")
    refused(lambda: ceremony.publish(by(draft, ada)), "not signed by: employees-representative")
    assert ceremony.publish(by(draft, ada, ben)).root == 2
    assert in_force(ceremony) == 1
    assert ceremony.publish(by(ceremony.policy(version(2)), eve, ben)).policy == 2


def test_a_signer_who_goes_takes_the_policy_along_unless_it_is_signed_anew(ceremony: Ceremony) -> None:
    """A root without the signers of the policy in force is published together with one that the new groups have signed."""
    ada, ben = ceremony.people
    eve = officer("eve")
    root = by(ceremony.root([eve, ben]), ada, eve, ben)
    refused(lambda: ceremony.publish(root), "groups of this root have not signed the policy in force")
    refused(lambda: by(ceremony.policy(version(2), root), ada), "in no group")
    done = ceremony.publish(root, by(ceremony.policy(version(2), root), eve, ben))
    assert (done.root, done.policy, in_force(ceremony)) == (2, 2, 2)
    refused(lambda: by(ceremony.policy(version(3)), ada), "in no group")


def test_a_group_is_not_put_out_without_its_own_signature(ceremony: Ceremony) -> None:
    """Two officers and a new group of theirs: the representative of root 1 has to sign."""
    ada, ben = ceremony.people
    friend = replace(officer("cyd"), group="second-officer")
    draft = by(ceremony.root([ada, friend]), ada, friend)
    policy = by(ceremony.policy(version(2), draft), ada, friend)
    refused(lambda: ceremony.publish(draft, policy), r"not signed by: employees-representative \(of root 1\)")
    assert in_force(ceremony) == 1
    assert ceremony.publish(by(draft, ben), policy).root == 2


def test_drafts_that_do_not_follow_on_what_is_in_force_are_refused(ceremony: Ceremony) -> None:
    """Rolled back, made for an older state, expired, or for another receiver's online key."""
    refused(lambda: ceremony.policy(version(1)), "not newer")
    older = by(ceremony.policy(version(2)), *ceremony.people)
    ceremony.publish(by(ceremony.policy(version(3)), *ceremony.people))
    refused(lambda: ceremony.publish(older), "targets 2, and 2 are published")
    next_one = by(ceremony.policy(version(4)), *ceremony.people)
    ceremony.now += GOOD + timedelta(days=1)
    refused(lambda: ceremony.publish(next_one), "was good until")
    ceremony.now, ceremony.online = NOW, Ed25519PrivateKey.generate()
    refused(lambda: ceremony.publish(next_one), "another online key")
    assert in_force(ceremony) == 3


def test_the_online_key_is_replaced_by_a_root(ceremony: Ceremony) -> None:
    """A new online key in a new root: snapshot and timestamp are signed by it from then on, and the hourly renewal goes on."""
    ceremony.online = Ed25519PrivateKey.generate()
    ceremony.publish(by(ceremony.root(ceremony.people), *ceremony.people))
    assert in_force(ceremony) == 1
    later = NOW + timedelta(hours=1)
    assert policy_repo.renew_timestamp(ceremony.tuf, ceremony.online, later, LEASE) == later + LEASE
    assert in_force(ceremony) == 1


@pytest.mark.parametrize(
    ("people", "because"),
    [
        ([officer("a"), officer("b")], "1 of at least 2 groups"),
        ([officer("a")], "1 of at least 2 groups"),
        ([], "0 of at least 2 groups"),
    ],
)
def test_a_root_of_one_group_is_not_even_drafted(ceremony: Ceremony, people: list[Any], because: str) -> None:
    """Two officers are one group."""
    refused(lambda: ceremony.root(people), because)


def test_one_person_does_not_sign_for_two_groups(ceremony: Ceremony) -> None:
    """The same key as officer and as representative."""
    ada = ceremony.people[0]
    refused(lambda: ceremony.root([ada, replace(representative("x"), key=ada.key)]), "one key is in two groups")


TAMPERING: dict[str, Callable[[Draft], Draft]] = {
    "the policy is another": lambda draft: msgspec.structs.replace(draft, policy=version(7).decode()),
    "the policy in force is another": lambda draft: msgspec.structs.replace(draft, policy_before=version(7).decode()),
    "the policy in force is left out": lambda draft: msgspec.structs.replace(draft, policy_before=None, targets=None),
    "the targets in force are not signed": lambda draft: msgspec.structs.replace(draft, targets=_unsigned(draft.targets or "")),
    "the root is left out": lambda draft: msgspec.structs.replace(draft, roots=()),
    "the root is not signed": lambda draft: msgspec.structs.replace(draft, roots=(_unsigned(draft.roots[0]),)),
    "it is a timestamp": lambda draft: msgspec.structs.replace(draft, metadata=draft.metadata.replace('"targets"', '"timestamp"')),
    "it is nothing": lambda draft: msgspec.structs.replace(draft, metadata="{}"),
    "it is deep": lambda draft: msgspec.structs.replace(draft, metadata="[" * 100_000),
}


def _unsigned(text: str) -> str:
    return json.dumps(json.loads(text) | {"signatures": []})


@pytest.mark.parametrize("how", TAMPERING)
def test_a_draft_that_lies_is_not_signed(ceremony: Ceremony, how: str) -> None:
    """What a signer is shown is worked out from what is signed: a widening cannot be dressed as a narrowing by whoever drafts it."""
    draft = TAMPERING[how](ceremony.policy(version(2)))
    refused(lambda: by(draft, ceremony.people[0]), "does not hold|cannot be read|neither of a root nor")


def test_a_draft_with_further_targets_is_not_signed(ceremony: Ceremony) -> None:
    """One policy, nothing besides."""
    draft = ceremony.policy(version(2))
    metadata: Metadata[Any] = Metadata.from_bytes(draft.metadata.encode())
    metadata.signed.targets["other.json"] = metadata.signed.targets["policy.json"]
    refused(lambda: check(msgspec.structs.replace(draft, metadata=metadata.to_bytes().decode())), "name something else")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"format": 2}', b"\xff", b'{"a":' * 5000, b'{"format":1,"metadata":NaN}'])
def test_what_is_no_draft_is_refused(raw: bytes) -> None:
    """Any bytes: one line."""
    refused(lambda: policy_draft.decode(raw), "this is no draft")


@pytest.mark.parametrize("with_root", [False, True])
def test_cut_short_anywhere_agents_accept_the_old_or_the_new_and_the_same_command_finishes_it(
    ceremony: Ceremony, with_root: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails at the first, second ... write; never is something published that an agent would not accept, but for a new root
    whose policy is on its way: then agents keep to nothing, and the same command again publishes both."""
    ada, ben = ceremony.people
    eve = officer("eve")
    root = by(ceremony.root([eve, ben]), ada, eve, ben)
    drafts = [root, by(ceremony.policy(version(2), root), eve, ben)] if with_root else [by(ceremony.policy(version(2)), ada, ben)]
    real, left = disk.put, 0

    def put(path: Path, data: bytes) -> None:
        nonlocal left
        if left == 0:
            raise OSError(28, "No space left on device")
        left -= 1
        real(path, data)

    monkeypatch.setattr(disk, "put", put)
    for fails_at in range(4):
        left = fails_at
        with pytest.raises(OSError, match="No space"):
            ceremony.publish(*drafts)
        if not (with_root and fails_at >= 3):
            assert in_force(ceremony) == 1
    left = -1  # the disk is well again
    assert ceremony.publish(*drafts).policy == in_force(ceremony) == 2


def test_a_renewal_goes_on_from_what_is_published(ceremony: Ceremony) -> None:
    """The hourly timestamp names the newest snapshot; nothing published means nothing to renew; a lease ends with its policy."""
    ceremony.publish(by(ceremony.policy(version(2)), *ceremony.people))
    policy_repo.renew_timestamp(ceremony.tuf, ceremony.online, NOW + timedelta(hours=1), LEASE)
    assert in_force(ceremony) == 2
    late = NOW + GOOD - timedelta(hours=1)
    assert policy_repo.renew_timestamp(ceremony.tuf, ceremony.online, late, LEASE) == NOW + GOOD
    empty = Ceremony.begin(ceremony.tuf.parent / "empty")
    assert policy_repo.renew_timestamp(empty.tuf, empty.online, NOW, LEASE) is None


def test_a_policy_that_nobody_could_be_shown_is_neither_drafted_nor_signed_nor_published(ceremony: Ceremony, tmp_path: Path) -> None:
    """Agents would refuse it. A draft of it that somebody made by other means is refused where it is signed and where it is published."""
    raw = version(2, surfaces=[surface(id=f"a{at}", name="N" * 150, executables=[f"/{at}"]) for at in range(300)])
    refused(lambda: ceremony.policy(raw), "40000 can be shown")
    targets = Metadata(policy_repo.targets_for(raw, ceremony.now + GOOD, 2)).to_bytes().decode()
    made = msgspec.structs.replace(ceremony.policy(version(2)), metadata=targets, policy=raw.decode())
    refused(lambda: ceremony.publish(by(made, *ceremony.people)), "40000 can be shown")
    (tmp_path / "made.draft").write_bytes(policy_draft.encode(made))
    assert run("policy", "keygen", "eve", "--group", "privacy-officer", "--out", tmp_path, "--no-passphrase").returncode == 0
    said = run("policy", "sign", tmp_path / "made.draft", "--key", tmp_path / "eve.key", "--yes")
    assert (said.returncode, "40000 can be shown" in said.stderr) == (1, True)
