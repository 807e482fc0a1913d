"""k of n: every group of k rebuilds the key, and nobody else does."""

import hashlib
from dataclasses import replace
from itertools import combinations, count

import pytest

from custody import quorum as quorum_module
from custody.errors import QuorumRefused
from custody.quorum import MAX_SHARES, Custodian, PurposeKey, check_group, combine, present, split
from transport import xwing
from transport.header import EnvelopeError
from transport.xwing import ReadingKey

SEED = b"s" * 32
KEYS = [ReadingKey.from_seed(bytes([place]) * 32) for place in range(5)]
CUSTODIANS = [Custodian(f"c{place}", key.public) for place, key in enumerate(KEYS)]


def divided(quorum: int, custodians: int, purpose: str = "training", seed: bytes = SEED) -> PurposeKey:
    """A purpose key with random bytes that are the same in every run."""
    numbers = count()
    pads = lambda size: hashlib.shake_256(b"%d" % next(numbers)).digest(size)  # noqa: E731
    return split(seed, purpose=purpose, quorum=quorum, custodians=CUSTODIANS[:custodians], random_bytes=pads)


@pytest.mark.parametrize(("quorum", "custodians"), [(k, n) for n in range(1, 6) for k in range(1, n + 1)])
def test_every_group_of_k_rebuilds_the_key_and_no_smaller_one_does(quorum: int, custodians: int) -> None:
    """For all k and n up to 5: each k-subset gives the key, each (k-1)-subset is told how many are missing."""
    key = divided(quorum, custodians)
    for group in combinations(KEYS[:custodians], quorum):
        assert combine(key, group).public == ReadingKey.from_seed(SEED).public
    for group in combinations(KEYS[:custodians], quorum - 1):
        with pytest.raises(QuorumRefused, match=f"needs {quorum} of {custodians} custodians, {quorum - 1} given"):
            combine(key, group)


def test_more_than_k_rebuild_it_too() -> None:
    """All custodians together are no less than k of them."""
    assert combine(divided(2, 3), KEYS[:3]).public == divided(2, 3).public


def test_the_same_custodian_twice_is_one_custodian() -> None:
    """A key given twice does not make a quorum."""
    with pytest.raises(QuorumRefused, match="1 given"):
        combine(divided(2, 3), [KEYS[0], KEYS[0]])


def test_a_strangers_key_is_refused() -> None:
    """A key of no custodian is named as such, not counted."""
    with pytest.raises(QuorumRefused, match="of no custodian"):
        present(divided(2, 3), [KEYS[0], KEYS[4]])


def test_a_share_moved_to_another_place_does_not_open() -> None:
    """Shares are bound to purpose, key, group and custodian: exchanged, renamed or transplanted ones give nothing."""
    key = divided(2, 2)
    one, two = key.shares
    other = divided(2, 2, purpose="support")
    another_seed = divided(2, 2, seed=b"S" * 32)
    for bent in (
        replace(key, shares=(replace(one, sealed=two.sealed), replace(two, sealed=one.sealed))),
        replace(key, purpose="support"),
        replace(key, shares=other.shares),
        replace(key, shares=another_seed.shares),
        replace(key, public=another_seed.public),
        replace(key, custodians=tuple(reversed(key.custodians))),
        replace(key, shares=(one,)),
        replace(key, shares=(replace(one, sealed=one.sealed[:-1] + b"\0"), two)),
    ):
        with pytest.raises(QuorumRefused, match="do not give its key back"):
            combine(bent, KEYS[:2])


def test_every_share_is_bound_to_a_place_of_its_own() -> None:
    """No two of purpose, key, group and custodian give the same binding, so a share opens in one place only."""
    keys = (divided(1, 1).public, divided(1, 1, seed=b"S" * 32).public)
    places = [(group, holder) for quorum in (1, 2, 3) for group in combinations(range(4), quorum) for holder in group]
    bindings = [
        quorum_module._info(purpose, public, CUSTODIANS, group, holder)
        for purpose in ("training", "train", "ing")
        for public in keys
        for group, holder in places
    ]
    assert len(set(bindings)) == len(bindings)


def test_one_damaged_share_does_not_lock_out_a_larger_group() -> None:
    """With more than k custodians there, another group among them is tried."""
    key = divided(2, 3)
    damaged = tuple(replace(share, sealed=bytes(1168)) if share.group == (0, 1) else share for share in key.shares)
    assert combine(replace(key, shares=damaged), KEYS[:3]).public == key.public


def test_a_rebuilt_key_is_checked_against_the_purposes_public_key() -> None:
    """A share that opens but holds another part would give some key; it must not be used."""
    key = divided(2, 2)
    one, two = key.shares
    info = quorum_module._info("training", key.public, CUSTODIANS[:2], (0, 1), 0)
    for part in (b"x" * 32, b"x" * 31):
        forged = replace(one, sealed=xwing.seal(CUSTODIANS[0].public, part, info))
        with pytest.raises(QuorumRefused, match="do not give its key back"):
            combine(replace(key, shares=(forged, two)), KEYS[:2])


@pytest.mark.parametrize(("quorum", "custodians"), [(0, 3), (4, 3), (1, 0)])
def test_a_quorum_that_cannot_be_had_is_refused(quorum: int, custodians: int) -> None:
    """k is between 1 and n."""
    with pytest.raises(QuorumRefused, match="cannot be had"):
        divided(quorum, custodians)


def test_a_custodian_named_twice_is_refused() -> None:
    """Else 2 of 2 could be one person."""
    for twin in (CUSTODIANS[0], Custodian("other", CUSTODIANS[0].public), Custodian("c0", CUSTODIANS[1].public)):
        with pytest.raises(QuorumRefused, match="named twice"):
            check_group(2, [CUSTODIANS[0], twin])


def test_a_group_that_needs_too_many_shares_is_refused() -> None:
    """The bound is checked before any share is made."""
    many = [Custodian(f"m{place}", ReadingKey.from_seed(place.to_bytes(32, "big")).public) for place in range(12)]
    with pytest.raises(QuorumRefused, match=str(MAX_SHARES)):
        check_group(6, many)


def test_what_is_no_purpose_gets_no_key() -> None:
    """The name is bound into every share and envelope, so it is checked first."""
    with pytest.raises(EnvelopeError):
        divided(1, 1, purpose="Not a purpose")


def test_neither_seed_nor_shares_are_printed() -> None:
    """Reprs end up in tracebacks."""
    key = divided(2, 3)
    assert "sealed" not in repr(key.shares[0])
    assert "shares" not in repr(key)
