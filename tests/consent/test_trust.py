"""Who must have signed a policy: TUF's rules, and a yes from each group. Every attack is refused with one clear line."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from consent.groups import FIELD, OFFICER, REPRESENTATIVE
from consent.trust import Metadatas, TrustError, judge, root_of
from tests.trust import Repository, sign

DOES_NOT_HOLD = "the policy's metadata does not hold: " + "|".join(
    [
        "(a file is cut short, or is no metadata",
        "a signature is missing or does not hold",
        "a file is not the one that was signed",
        "a file is not what its name says)",
    ]
)


def refused(found: Metadatas, because: str, lowest: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
    """It is, with one line that says so."""
    with pytest.raises(TrustError) as caught:
        judge(found, lowest)
    assert re.fullmatch(because, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 120


def test_a_policy_that_each_group_signed_is_trusted_until_its_timestamp_expires() -> None:
    """All signatures, versions and hashes hold: the exact policy bytes, and the earliest expiry."""
    repository = Repository(expires=datetime(2026, 12, 1, tzinfo=UTC))
    trusted = judge(repository.build())
    assert (trusted.policy, trusted.versions, trusted.expires) == (repository.policy, (1, 1, 1, 1), repository.expires)


# --- the groups -------------------------------------------------------------------------------------------------


def test_an_unsigned_policy_is_refused() -> None:
    """No signature at all."""
    refused(Repository(sign_targets=[]).build(), "the policy is not signed by the group employees-representative")


@pytest.mark.parametrize("absent", [OFFICER, REPRESENTATIVE])
def test_a_policy_that_lacks_one_group_is_refused(absent: str) -> None:
    """One of the two has not signed; TUF's threshold alone, here of one, would be content."""
    repository = Repository(threshold=1)
    repository.sign_targets = [signer for name, group in repository.people.items() if name != absent for signer in group]
    refused(repository.build(), f"the policy is not signed by the group {absent}")


@pytest.mark.parametrize("what", ["targets", "root"])
def test_two_officers_are_not_an_officer_and_a_representative(what: str) -> None:
    """The threshold of two is met by two officers: refused, on targets and on root."""
    repository = Repository()
    repository.people[OFFICER].append(CryptoSigner.generate_ed25519())
    setattr(repository, f"sign_{what}", repository.people[OFFICER])
    refused(repository.build(), f"{'root' if what == 'root' else 'the policy'} is not signed by the group {REPRESENTATIVE}")


def test_a_signature_that_does_not_hold_is_no_signature() -> None:
    """The representative's signature of something else, or under a wrong key, counts for nothing."""
    repository = Repository()
    found = repository.build()
    said = json.loads(found.targets)
    representative = repository.people[REPRESENTATIVE][0].public_key.keyid
    for each in said["signatures"]:
        if each["keyid"] == representative:
            each["sig"] = "00" * 64
    broken = json.dumps(said).encode()
    with pytest.raises(TrustError):
        judge(replace(found, targets=broken))  # the hash in snapshot refuses it already
    root = Metadata[Root].from_bytes(repository.root())
    root.signatures[representative].signature = "00" * 64
    refused(replace(found, roots=[root.to_bytes()]), f"root is not signed by the group {REPRESENTATIVE}")


def _one_key_twice(repository: Repository) -> bytes:
    """Root lists the officer's key under another id, too, as the representative's."""
    root = Metadata[Root].from_bytes(repository.root())
    officer = repository.people[OFFICER][0]
    second = "ff" * 32
    twin = type(officer.public_key)(second, "ed25519", "ed25519", {"public": officer.public_key.keyval["public"].upper()})
    old = repository.people[REPRESENTATIVE][0].public_key.keyid
    root.signed.keys[second] = twin
    for role in ("root", "targets"):
        root.signed.roles[role].keyids = [officer.public_key.keyid, second]
    del root.signed.keys[old]
    root.signed.unrecognized_fields[FIELD] = {OFFICER: [officer.public_key.keyid], REPRESENTATIVE: [second]}
    root.signatures.clear()
    signature = officer.sign(root.signed_bytes)
    root.signatures[officer.public_key.keyid] = signature
    root.signatures[second] = type(signature)(second, signature.signature)
    return root.to_bytes()


def test_one_key_under_two_ids_is_one_key() -> None:
    """An id is a name. Who puts their own key under a second id into the other group has not become two."""
    repository = Repository()
    refused(replace(repository.build(), roots=[_one_key_twice(repository)]), "one key is in two groups")


@pytest.mark.parametrize(
    ("groups", "because"),
    [
        (lambda a, b: "nothing", "root names no groups"),
        (lambda a, b: [], "root names no groups"),
        (lambda a, b: {}, "root names 0 of at least 2 groups"),
        (lambda a, b: {OFFICER: [a, b]}, "root names 1 of at least 2 groups"),
        (lambda a, b: {OFFICER: [a], REPRESENTATIVE: []}, "the group employees-representative is empty"),
        (lambda a, b: {OFFICER: [a, b], REPRESENTATIVE: [b]}, "one key is in two groups"),
        (
            lambda a, b: {OFFICER: [a], REPRESENTATIVE: ["00" * 32]},
            "the group employees-representative names a key that does not sign root",
        ),
        (lambda a, b: {OFFICER: [a], REPRESENTATIVE: b}, "the group employees-representative is no list of key ids"),
        (lambda a, b: {OFFICER: [a], REPRESENTATIVE: [1]}, "the group employees-representative is no list of key ids"),
        (lambda a, b: {OFFICER: [a], "": [b]}, "root names a group without a usable name"),
        (lambda a, b: {OFFICER: [a], "a\nb": [b]}, "root names a group without a usable name"),
        (lambda a, b: {OFFICER: [a], REPRESENTATIVE: float("nan")}, "SerializationError|is no list"),
    ],
)
def test_a_root_whose_groups_are_none_is_refused(groups: Any, because: str) -> None:
    """No groups, fewer than two, an empty one, a key in two, keys that are not the role's, and what is no such field at all."""
    repository = Repository()
    a, b = (repository.people[name][0].public_key.keyid for name in (OFFICER, REPRESENTATIVE))
    repository.named = groups(a, b)
    try:
        found = repository.build()
    except Exception:
        assert "nan" in str(repository.named)  # it cannot even be signed
        return
    refused(found, because)


def test_a_root_without_the_field_is_refused() -> None:
    """A plain TUF root, whatever its thresholds, is signed by nobody in particular."""
    repository = Repository()
    root = Metadata[Root].from_bytes(repository.root())
    del root.signed.unrecognized_fields[FIELD]
    root.signatures.clear()
    refused(replace(repository.build(), roots=[sign(root, repository.everybody)]), "root names no groups")


def test_the_online_key_is_in_no_group() -> None:
    """Else whoever has the receiver has a group."""
    repository = Repository()
    repository.people[REPRESENTATIVE] = [repository.online]
    refused(repository.build(), "the receiver's online key is in a group")


def test_a_key_of_no_group_signs_nothing() -> None:
    """A third key among root's or targets' would be somebody whom nobody was told of."""
    repository = Repository()
    repository.people["auditor"] = [CryptoSigner.generate_ed25519()]
    repository.named = {name: ids for name, ids in repository.groups().items() if name != "auditor"}
    refused(repository.build(), "a key that is in no group signs root")


# --- TUF --------------------------------------------------------------------------------------------------------


def test_a_changed_policy_a_changed_signature_and_a_foreign_key_are_refused() -> None:
    """Any byte of policy, timestamp, snapshot or targets that is not the signed one: refused. So are truncated ones."""
    found = Repository().build()
    stranger = Repository().build()
    for part in ("timestamp", "snapshot", "targets", "policy"):
        whole: bytes = getattr(found, part)
        cut = (whole[:-1], whole[: len(whole) // 2], b"")
        for broken in (*cut, whole.replace(b"1", b"2", 1), getattr(stranger, part) if part != "policy" else whole + b" "):
            refused(replace(found, **{part: broken}), DOES_NOT_HOLD)


@pytest.mark.parametrize("junk", [b"[]", b"null", b"{}", b'{"signed": NaN}', b'{"signed": {"_type": "root"}}', b"[" * 100_000])
def test_metadata_that_are_none_are_refused(junk: bytes) -> None:
    """Whatever stands in a file's place: one line, no crash."""
    found = Repository().build()
    for part in ("timestamp", "snapshot", "targets"):
        refused(replace(found, **{part: junk}), DOES_NOT_HOLD)
    refused(replace(found, roots=[junk]), DOES_NOT_HOLD)


def test_metadata_of_another_role_are_refused() -> None:
    """A root in the place of the timestamp, and the like."""
    found = Repository().build()
    for part in ("timestamp", "snapshot", "targets"):
        refused(replace(found, **{part: found.roots[0]}), DOES_NOT_HOLD)
    refused(replace(found, roots=[found.targets]), DOES_NOT_HOLD)


def test_a_rollback_below_a_version_once_accepted_is_refused() -> None:
    """An older timestamp, snapshot or targets than was ever accepted is refused, though its signatures hold."""
    found = Repository().build()
    for lowest in ((2, 1, 1, 1), (1, 2, 1, 1), (1, 1, 2, 1), (1, 1, 1, 2)):
        refused(found, "the policy was rolled back to an older version", lowest)


def test_a_root_that_the_pinned_root_did_not_sign_is_refused() -> None:
    """The chain of roots begins at the pinned one: a root of other keys, or one that skips a version, ends it."""
    repository, stranger = Repository(), Repository()
    found = repository.build()
    refused(replace(found, roots=[repository.root(), stranger.root(2)]), f"root is not signed by the group {REPRESENTATIVE} of root 1")
    refused(replace(found, roots=[repository.root(), repository.root(3)]), "the chain of roots has a hole")
    refused(replace(found, roots=[]), "no root is pinned")
    assert judge(replace(found, roots=[repository.root(), repository.root(2)])).versions[0] == 2


def test_a_new_root_needs_the_groups_of_the_old_one() -> None:
    """A root that drops or replaces a group is signed by that group, too; a group cannot be put out by the others."""
    old, new = Repository(), Repository(threshold=1)
    new.people = {OFFICER: old.people[OFFICER], "works-council": [CryptoSigner.generate_ed25519()]}
    refused(replace(old.build(), roots=[old.root(), new.root(2)]), f"root is not signed by the group {REPRESENTATIVE} of root 1")
    officers = Repository(people={OFFICER: [*old.people[OFFICER]], "second-officer": [CryptoSigner.generate_ed25519()]})
    two = [*old.people[OFFICER], CryptoSigner.generate_ed25519()]
    with pytest.raises(TrustError, match=f"group {REPRESENTATIVE} of root 1"):
        root_of([old.root(), officers.root(2, also=[two[1]])])
    handed_over = new.root(2, also=old.people[REPRESENTATIVE])
    assert root_of([old.root(), handed_over]).version == 2


def test_a_new_root_needs_its_own_groups() -> None:
    """Keys that a new root names have signed it: nobody is made a signer who does not have the key."""
    old, new = Repository(), Repository()
    new.sign_root = old.everybody
    with pytest.raises(TrustError, match=r"root is not signed by the group employees-representative$"):
        root_of([old.root(), new.root(2)])


def test_expiry_is_reported_and_not_judged_here() -> None:
    """The judge has no clock: an expired timestamp is trusted with its expiry, which the caller compares."""
    repository = Repository(expires=datetime.now(UTC) - timedelta(days=1))
    assert judge(repository.build()).expires == repository.expires.replace(microsecond=0)
