"""Whether a policy is really the controller's, and until when: The Update Framework's checks, on cached bytes. Pure.

The courier fetches; this judges, offline (TUF client workflow 5.3 to 5.6: signature thresholds, versions, hashes). Beyond TUF, each
group that root names must have signed root and targets (`consent.groups`), and a new root the groups of the one before, too.
Nothing is remembered here: who calls gives the lowest versions it has ever accepted, and compares the expiry with its clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from tuf.api.exceptions import DownloadError, LengthOrHashMismatchError, RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from consent.groups import GroupsError, missing

POLICY_TARGET = "policy.json"
Versions = tuple[int, int, int, int]
"""Of root, timestamp, snapshot and targets."""


class TrustError(Exception):
    """The policy's signatures, versions or hashes do not hold; nothing is collected under it."""


@dataclass(frozen=True, slots=True)
class Metadatas:
    """What the courier fetched, as bytes. `roots`: the pinned root first, then each later root in order."""

    roots: Sequence[bytes]
    timestamp: bytes
    snapshot: bytes
    targets: bytes
    policy: bytes


@dataclass(frozen=True, slots=True)
class Trusted:
    """A policy whose signatures hold.

    Attributes:
        policy: Its exact bytes.
        versions: Version of root, timestamp, snapshot and targets; none may ever fall.
        expires: When the lease ends: the timestamp's expiry, or earlier if another role expires before (aware, UTC).
        online: Ids of the online keys, sorted, with commas.
    """

    policy: bytes
    versions: Versions
    expires: datetime
    online: str = ""


_FAULTS = (RepositoryError, DownloadError, GroupsError, KeyError, ValueError, TypeError, AttributeError)
"""What python-tuf raises for metadata that are not what they should be."""
_WORDS: Mapping[type[Exception], str] = MappingProxyType(
    {
        UnsignedMetadataError: "a signature is missing or does not hold",
        LengthOrHashMismatchError: "a file is not the one that was signed",
        DeserializationError: "a file is cut short, or is no metadata",
    }
)


def root_of(roots: Sequence[bytes]) -> Root:
    """The last of a chain of roots that begins at the pinned one. Raises TrustError with one line."""
    if not roots:
        raise TrustError("no root is pinned")
    try:
        return _root(roots).signed
    except _FAULTS as error:
        raise _because(error) from None


def _root(roots: Sequence[bytes]) -> Metadata[Root]:
    trusted = Metadata[Root].from_bytes(roots[0])
    _by_all(trusted.signed, trusted)
    for raw in roots[1:]:
        new = Metadata[Root].from_bytes(raw)
        if new.signed.version != trusted.signed.version + 1:  # 5.3.5
            raise TrustError("the chain of roots has a hole")
        _by_all(trusted.signed, new)  # 5.3.4: by the old root's keys and groups
        _by_all(new.signed, new)  # and by its own
        trusted = new
    return trusted


def _by_all(root: Root, metadata: Metadata[Root] | Metadata[Targets]) -> None:
    """Raises unless the role's threshold of keys, and each group of `root`, has signed."""
    if not isinstance(metadata.signed, Root | Targets):
        raise TrustError("a file is other metadata than its name says")
    role = metadata.signed.type
    if lacking := missing(root, role, metadata):
        of = f" of root {root.version}" if metadata.signed is not root and role == Root.type else ""
        raise TrustError(f"{_NAMES[role]} is not signed by the group {lacking[0]}{of}")
    root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)


_NAMES = {Root.type: "root", Targets.type: "the policy"}


def _chain(found: Metadatas) -> tuple[Root, Timestamp, Snapshot, Targets]:
    root = _root(found.roots).signed
    timestamp = Metadata[Timestamp].from_bytes(found.timestamp)
    root.verify_delegate(Timestamp.type, timestamp.signed_bytes, timestamp.signatures)  # 5.4.2
    timestamp.signed.snapshot_meta.verify_length_and_hashes(found.snapshot)  # 5.5.2
    snapshot = Metadata[Snapshot].from_bytes(found.snapshot)
    root.verify_delegate(Snapshot.type, snapshot.signed_bytes, snapshot.signatures)  # 5.5.3
    targets_meta = snapshot.signed.meta["targets.json"]
    targets_meta.verify_length_and_hashes(found.targets)  # 5.6.2
    targets = Metadata[Targets].from_bytes(found.targets)
    _by_all(root, targets)  # 5.6.3
    if (snapshot.signed.version, targets.signed.version) != (timestamp.signed.snapshot_meta.version, targets_meta.version):
        raise TrustError("the metadata's versions do not belong together")  # 5.5.4, 5.6.4
    if POLICY_TARGET not in targets.signed.targets:
        raise TrustError(f"the repository has no {POLICY_TARGET}")
    targets.signed.targets[POLICY_TARGET].verify_length_and_hashes(found.policy)  # 5.7.3
    return root, timestamp.signed, snapshot.signed, targets.signed


def judge(found: Metadatas, lowest: Versions = (0, 0, 0, 0), online: str | None = None) -> Trusted:
    """The policy, if every signature, version and hash holds. Expiry is the caller's to compare: it has the clock.

    Args:
        found: what was fetched.
        lowest: the versions below which nothing is accepted (no rollback, 5.4.3).
        online: `Trusted.online` as it was when `lowest` was accepted. Under a newer root with other online keys, timestamp and snapshot
            count anew (5.3.11): whoever had the old key may have driven their versions up for ever.

    Raises:
        TrustError: for anything else.
    """
    if not found.roots:
        raise TrustError("no root is pinned")
    try:
        roles = _chain(found)
        now_online = _online(roles[0])
    except _FAULTS as error:
        raise _because(error) from None
    versions = (roles[0].version, roles[1].version, roles[2].version, roles[3].version)
    if online is not None and online != now_online and versions[0] > lowest[0]:
        lowest = (lowest[0], 0, 0, lowest[3])
    if any(version < least for version, least in zip(versions, lowest, strict=True)):
        raise TrustError("the policy was rolled back to an older version")
    return Trusted(found.policy, versions, min(role.expires for role in roles), now_online)


def _online(root: Root) -> str:
    return ",".join(sorted({*root.roles[Timestamp.type].keyids, *root.roles[Snapshot.type].keyids}))


def _because(error: Exception) -> TrustError:
    if isinstance(error, GroupsError):
        return TrustError(str(error))
    return TrustError(f"the policy's metadata does not hold: {_WORDS.get(type(error), 'a file is not what its name says')}")
