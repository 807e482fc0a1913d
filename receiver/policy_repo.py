"""The TUF repository that agents fetch their policy from. Refuses to publish anything that it has no key for.

Officers' and representatives' keys are not made here: `make_trial` is for a local trial only and throws the keys of its two groups
away. The online key signs the timestamp, which is the agents' lease, and the snapshot. Whoever writes the timestamp holds the lock.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Key, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from consent.groups import FIELD, OFFICER, REPRESENTATIVE
from consent.policy import PolicyError, PurposeTerms, parse
from consent.trust import POLICY_TARGET, Metadatas, TrustError, judge, root_of
from consent.vocabulary import Purpose
from receiver.errors import ReceiverError
from transport import disk

_AGAIN = "copy the published files again"
LOCK = ".lock"
TRIAL_LIFETIME = timedelta(days=30)
"""A trial cannot be prolonged: its root and targets keys are gone. After a month it is made anew."""


_Role = TypeVar("_Role", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a new trial repository leaves behind.

    Attributes:
        root: the bytes of 1.root.json, which agents pin.
        online: the key of timestamp and snapshot; the only one that still exists.
    """

    root: bytes
    online: Ed25519PrivateKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of root, hexadecimal."""
        return hashlib.sha256(self.root).hexdigest()


def make(directory: Path) -> None:
    """Creates an empty repository: `metadata` and `targets`."""
    for path in (directory, directory / "metadata", directory / "targets"):
        disk.make_private(path)


def make_trial(directory: Path, policy: bytes, now: datetime, lifetime: timedelta) -> Trial:
    """Fills a repository with one policy under throw-away keys.

    Args:
        directory: as `make` left it.
        policy: the target `policy.json`.
        now: begin of validity, UTC.
        lifetime: of the timestamp; root, targets and snapshot live TRIAL_LIFETIME.
    """
    now = now.replace(microsecond=0)
    groups = {name: CryptoSigner(Ed25519PrivateKey.generate()) for name in (OFFICER, REPRESENTATIVE)}
    online = Ed25519PrivateKey.generate()
    root = root_for({name: [each.public_key] for name, each in groups.items()}, CryptoSigner(online).public_key, now + TRIAL_LIFETIME, 1)
    metadata = directory / "metadata"
    pinned = _sign(root, *groups.values())
    disk.put(metadata / "1.root.json", pinned)
    targets = _sign(targets_for(policy, now + TRIAL_LIFETIME, 1), *groups.values())
    put_policy(directory, targets, policy)
    put_online(directory, targets, online, now, lifetime)
    return Trial(pinned, online)


def root_for(groups: Mapping[str, Sequence[Key]], online: Key, expires: datetime, version: int) -> Root:
    """A root, not signed yet: each group's keys for root and targets, the online key for snapshot and timestamp."""
    root = Root(version=version, expires=expires)
    root.unrecognized_fields[FIELD] = {name: sorted(key.keyid for key in keys) for name, keys in groups.items()}
    for role in (Root.type, Targets.type):
        for key in (key for keys in groups.values() for key in keys):
            root.add_key(key, role)
        root.roles[role].threshold = len(groups)  # a plain TUF client counts; ours asks each group
    for role in (Snapshot.type, Timestamp.type):
        root.add_key(online, role)
    return root


def targets_for(policy: bytes, expires: datetime, version: int) -> Targets:
    """The targets that name this policy, not signed yet."""
    return Targets(version=version, expires=expires, targets={POLICY_TARGET: TargetFile.from_data(POLICY_TARGET, policy, ["sha256"])})


def put_policy(directory: Path, targets: bytes, policy: bytes) -> None:
    """Writes a policy and the targets that name it; agents do not look at them before a snapshot names them."""
    version = Metadata[Targets].from_bytes(targets).signed.version
    disk.put(directory / "targets" / f"{hashlib.sha256(policy).hexdigest()}.{POLICY_TARGET}", policy)
    disk.put(directory / "metadata" / f"{version}.targets.json", targets)


def put_online(directory: Path, targets: bytes, online: Ed25519PrivateKey, now: datetime, lifetime: timedelta) -> datetime:
    """Names these targets in a new snapshot and, last, in a new timestamp: from then on they are published. Until when they are.

    Raises:
        ReceiverError: a file of the repository is damaged.
    """
    with locked(directory):
        metadata = directory / "metadata"
        path = metadata / "timestamp.json"
        old = _load(path, Timestamp) if path.exists() else None
        expires = Metadata[Targets].from_bytes(targets).signed.expires
        version = old.snapshot_meta.version + 1 if old else 1
        snapshot = _sign(Snapshot(version, expires=expires, meta={"targets.json": _described(targets)}), CryptoSigner(online))
        disk.put(metadata / f"{version}.snapshot.json", snapshot)
        until = min(now.replace(microsecond=0) + lifetime, expires)
        timestamp = Timestamp(old.version + 1 if old else 1, expires=until, snapshot_meta=_described(snapshot))
        disk.put(path, _sign(timestamp, CryptoSigner(online)))
        return until


def renew_timestamp(directory: Path, online: Ed25519PrivateKey, now: datetime, lifetime: timedelta) -> datetime | None:
    """Signs the timestamp anew and returns until when it holds: never beyond the snapshot that it names. None when nothing is published.

    Raises:
        ReceiverError: a file of the repository is damaged.
    """
    path = directory / "metadata" / "timestamp.json"
    with locked(directory):
        if not path.exists():
            return None
        timestamp = _load(path, Timestamp)
        snapshot = _load(directory / "metadata" / f"{timestamp.snapshot_meta.version}.snapshot.json", Snapshot)
        timestamp.version += 1
        timestamp.expires = min(now.replace(microsecond=0) + lifetime, snapshot.expires)
        disk.put(path, _sign(timestamp, CryptoSigner(online)))
        return timestamp.expires


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """The one writer of the timestamp: a renewal by the process that serves must not undo what is published meanwhile."""
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Published:
    """What a repository publishes, as bytes. Every signature, group, version and hash of it holds."""

    found: Metadatas

    @property
    def root(self) -> Root:
        """The newest."""
        return root_of(self.found.roots)

    def targets(self) -> Targets:
        """Its targets' metadata."""
        return Metadata[Targets].from_bytes(self.found.targets).signed


def read_policy(directory: Path) -> bytes | None:
    """The policy that the repository publishes, once all of its signatures and hashes hold; None when it publishes nothing yet.

    Raises:
        ReceiverError: agents would not accept it either.
    """
    published = read(directory)
    return None if published is None else published.found.policy


def read(directory: Path) -> Published | None:
    """What the repository publishes; None when there is no timestamp yet. Raises ReceiverError as `read_policy` does."""
    metadata = directory / "metadata"
    if not (metadata / "timestamp.json").exists():
        return None
    snapshot = metadata / f"{_load(metadata / 'timestamp.json', Timestamp).snapshot_meta.version}.snapshot.json"
    targets = metadata / f"{_load(snapshot, Snapshot).meta['targets.json'].version}.targets.json"
    described = _load(targets, Targets).targets.get(POLICY_TARGET)
    policy = directory / "targets" / f"{described.hashes['sha256'] if described else ''}.{POLICY_TARGET}"
    try:
        parts = [path.read_bytes() for path in (metadata / "timestamp.json", snapshot, targets, policy)]
        found = Metadatas(roots(directory), *parts)
        judge(found)
    except OSError as error:
        raise ReceiverError(f"{error.filename} cannot be read ({error.strerror})", _AGAIN) from None
    except TrustError as error:
        raise ReceiverError(f"the published policy does not hold ({error})", _AGAIN) from None
    return Published(found)


def purposes(directory: Path) -> Mapping[Purpose, PurposeTerms]:
    """The purposes of the published policy; none when nothing is published yet.

    Raises:
        ReceiverError: agents would not accept it either.
    """
    published = read_policy(directory)
    return {} if published is None else purposes_of(published)


def purposes_of(policy: bytes) -> Mapping[Purpose, PurposeTerms]:
    """The purposes of a policy. Raises ReceiverError if it is none."""
    try:
        return parse(policy).purposes
    except PolicyError as error:
        raise ReceiverError(str(error), "mend the policy and try again") from None


def stamp(directory: Path) -> tuple[tuple[int, int], ...]:
    """Another value whenever a file of the repository was replaced; costs three system calls and reads nothing."""
    facts = []
    for path in (directory / "metadata" / "timestamp.json", directory / "metadata", directory / "targets"):
        with suppress(FileNotFoundError):
            found = path.stat()
            facts.append((found.st_ino, found.st_mtime_ns))
    return tuple(facts)


def roots(directory: Path) -> list[bytes]:
    """The chain of roots, as bytes; the first is what agents pin."""
    found: list[bytes] = []
    while (path := directory / "metadata" / f"{len(found) + 1}.root.json").exists():
        found.append(path.read_bytes())
    return found


def _described(content: bytes) -> MetaFile:
    version = json.loads(content)["signed"]["version"]
    return MetaFile(version, length=len(content), hashes={"sha256": hashlib.sha256(content).hexdigest()})


def _sign(signed: _Role, *signers: CryptoSigner) -> bytes:
    metadata = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _load(path: Path, kind: type[_Role]) -> _Role:
    try:
        signed = Metadata[_Role].from_bytes(path.read_bytes()).signed
    except (OSError, RepositoryError, DeserializationError):
        raise ReceiverError(f"{path} cannot be read", _AGAIN) from None
    if not isinstance(signed, kind):
        raise ReceiverError(f"{path} is other metadata than its name says", _AGAIN)
    return signed
