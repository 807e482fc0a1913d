"""k of n: splits a purpose key among custodians and rebuilds it. Refuses fewer than k, strangers, and shares that do not give the key back.

No field arithmetic of our own: for each group of k custodians the seed is XOR-split anew into k shares, and each share is sealed to
its custodian (docs/custody.md). Fewer than k shares of a group are independent random bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

from custody.errors import QuorumRefused
from transport import xwing
from transport.header import check_purpose
from transport.xwing import SEED_BYTES, NotForThisKey, PublicKey, ReadingKey

# 1.2 KB each: 1,024 shares are a purpose file of 1.6 MB, and enough for 4 of 9, 3 of 13 or 2 of 32. Larger groups need another scheme.
MAX_SHARES = 1024
_LABEL = b"volens/share/1"


@dataclass(frozen=True, slots=True)
class Custodian:
    """One who holds a share.

    Attributes:
        name: as they chose it; for people only.
        public: their key.
    """

    name: str
    public: PublicKey


@dataclass(frozen=True, slots=True, repr=False)
class Share:
    """One custodian's part of the seed, for one group, sealed to them.

    Attributes:
        group: positions of the k custodians, ascending.
        holder: position of the one it is sealed to.
        sealed: 1,168 bytes.
    """

    group: tuple[int, ...]
    holder: int
    sealed: bytes


@dataclass(frozen=True, slots=True, repr=False)
class PurposeKey:
    """A purpose's key as it is published: nothing in it is secret.

    Attributes:
        purpose: name of the purpose.
        quorum: k, how many custodians it takes.
        public: what agents seal to.
        custodians: all n, in the order that shares refer to.
        shares: one for each group of k and each of its members.
    """

    purpose: str
    quorum: int
    public: PublicKey
    custodians: tuple[Custodian, ...]
    shares: tuple[Share, ...]


def split(seed: bytes, *, purpose: str, quorum: int, custodians: Sequence[Custodian], random_bytes: Callable[[int], bytes]) -> PurposeKey:
    """Splits a fresh seed so that any `quorum` of the custodians can rebuild it. The caller drops the seed.

    Args:
        seed: 32 random bytes.
        purpose: its name.
        quorum: k, 1 to n.
        custodians: n of them, each with another key and another name.
        random_bytes: gives that many random bytes.

    Raises:
        QuorumRefused: k, n or the custodians do not make sense.
        EnvelopeError: not a purpose's name.
    """
    check_purpose(purpose)
    check_group(quorum, custodians)
    public = ReadingKey.from_seed(seed).public
    shares = []
    for group in combinations(range(len(custodians)), quorum):
        for holder, part in zip(group, _xor_split(seed, quorum, random_bytes), strict=True):
            info = _info(purpose, public, custodians, group, holder)
            shares.append(Share(group, holder, xwing.seal(custodians[holder].public, part, info)))
    return PurposeKey(purpose, quorum, public, tuple(custodians), tuple(shares))


def check_group(quorum: int, custodians: Sequence[Custodian]) -> None:
    """Whether k of these n can hold a key.

    Raises:
        QuorumRefused: k out of 1 to n, the same key or name twice, or too many shares.
    """
    if not 1 <= quorum <= len(custodians):
        raise QuorumRefused(f"a quorum of {quorum} cannot be had from {len(custodians)} custodians; name between 1 and {len(custodians)}")
    if len({one.public for one in custodians}) != len(custodians) or len({one.name for one in custodians}) != len(custodians):
        raise QuorumRefused("a custodian is named twice; each needs a key and a name of their own")
    if comb(len(custodians), quorum) * quorum > MAX_SHARES:
        raise QuorumRefused(f"{quorum} of {len(custodians)} needs more than {MAX_SHARES} shares; name fewer custodians")


def present(purpose_key: PurposeKey, keys: Iterable[ReadingKey]) -> dict[int, ReadingKey]:
    """The custodians who are there, by position. The same key twice is one custodian.

    Raises:
        QuorumRefused: a key that is no custodian's, or fewer than k.
    """
    positions = {custodian.public: place for place, custodian in enumerate(purpose_key.custodians)}
    there: dict[int, ReadingKey] = {}
    for key in keys:
        if key.public not in positions:
            raise QuorumRefused(f"a key given is of no custodian of purpose {purpose_key.purpose}; leave it out")
        there[positions[key.public]] = key
    if len(there) < purpose_key.quorum:
        raise QuorumRefused(
            f"purpose {purpose_key.purpose} needs {purpose_key.quorum} of {len(purpose_key.custodians)} custodians, {len(there)} given; "
            "ask the others for their keys"
        )
    return there


def combine(purpose_key: PurposeKey, keys: Iterable[ReadingKey]) -> ReadingKey:
    """The purpose's key, rebuilt from k custodians' keys. It is checked against the public key before anyone uses it.

    Raises:
        QuorumRefused: too few, a stranger, or shares that were altered.
    """
    there = present(purpose_key, keys)
    for group in combinations(sorted(there), purpose_key.quorum):
        seed = _rebuild(purpose_key, group, there)
        if seed is not None:
            key = ReadingKey.from_seed(seed)
            if key.public == purpose_key.public:
                return key
    raise QuorumRefused(f"the shares of purpose {purpose_key.purpose} do not give its key back; its file was altered, take another copy")


def _rebuild(purpose_key: PurposeKey, group: tuple[int, ...], there: dict[int, ReadingKey]) -> bytes | None:
    sealed = {share.holder: share.sealed for share in purpose_key.shares if share.group == group}
    if set(sealed) != set(group):
        return None
    seed = bytes(SEED_BYTES)
    for holder in group:
        info = _info(purpose_key.purpose, purpose_key.public, purpose_key.custodians, group, holder)
        try:
            part = xwing.open(there[holder], sealed[holder], info)
        except NotForThisKey:
            return None
        if len(part) != SEED_BYTES:
            return None
        seed = _xor(seed, part)
    return seed


def _info(purpose: str, public: PublicKey, custodians: Sequence[Custodian], group: tuple[int, ...], holder: int) -> bytes:
    """Binds a share to purpose, key, group and custodian: 32-byte ids of fixed order, so no two bindings have the same bytes."""
    members = b"".join(custodians[place].public.key_id for place in group)
    return b"\0".join((_LABEL, check_purpose(purpose), public.key_id + members + custodians[holder].public.key_id))


def _xor_split(seed: bytes, parts: int, random_bytes: Callable[[int], bytes]) -> list[bytes]:
    pads = [random_bytes(SEED_BYTES) for _ in range(parts - 1)]
    last = seed
    for pad in pads:
        last = _xor(last, pad)
    return [*pads, last]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
