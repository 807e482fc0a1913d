"""The TUF repository that agents fetch their policy from. Refuses to publish anything that it has no key for.

Officers' keys are not made here: `make_trial` is for a local trial only and throws the keys of root and targets away. The online
key signs the timestamp, which is the agents' lease, and the snapshot.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from consent.policy import PolicyError, PurposeTerms, parse
from consent.trust import POLICY_TARGET, Metadatas, TrustError, judge
from consent.vocabulary import Purpose
from receiver.errors import ReceiverError
from transport import disk

_AGAIN = "copy the published files again"
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
    keys = {role: Ed25519PrivateKey.generate() for role in ("root", "targets", "online")}
    signers = {name: CryptoSigner(key) for name, key in keys.items()}
    root = Root(expires=now + TRIAL_LIFETIME)
    for role, name in (("root", "root"), ("targets", "targets"), ("snapshot", "online"), ("timestamp", "online")):
        root.add_key(signers[name].public_key, role)
    target = TargetFile.from_data(POLICY_TARGET, policy, ["sha256"])
    metadata = directory / "metadata"
    pinned = _sign(root, signers["root"])
    disk.put(metadata / "1.root.json", pinned)
    disk.put(directory / "targets" / f"{target.hashes['sha256']}.{POLICY_TARGET}", policy)
    targets = _sign(Targets(expires=now + TRIAL_LIFETIME, targets={POLICY_TARGET: target}), signers["targets"])
    disk.put(metadata / "1.targets.json", targets)
    snapshot = Snapshot(expires=now + TRIAL_LIFETIME, meta={"targets.json": _described(targets)})
    signed_snapshot = _sign(snapshot, signers["online"])
    disk.put(metadata / "1.snapshot.json", signed_snapshot)
    timestamp = Timestamp(expires=now + lifetime, snapshot_meta=_described(signed_snapshot))
    disk.put(metadata / "timestamp.json", _sign(timestamp, signers["online"]))
    return Trial(pinned, keys["online"])


def renew_timestamp(directory: Path, online: Ed25519PrivateKey, now: datetime, lifetime: timedelta) -> datetime:
    """Signs the timestamp anew and returns until when it holds: never beyond the snapshot that it names.

    Raises:
        ReceiverError: there is no timestamp or snapshot to go on from.
    """
    path = directory / "metadata" / "timestamp.json"
    timestamp = _load(path, Timestamp)
    snapshot = _load(directory / "metadata" / f"{timestamp.snapshot_meta.version}.snapshot.json", Snapshot)
    timestamp.version += 1
    timestamp.expires = min(now.replace(microsecond=0) + lifetime, snapshot.expires)
    disk.put(path, _sign(timestamp, CryptoSigner(online)))
    return timestamp.expires


def read_policy(directory: Path) -> bytes | None:
    """The policy that the repository publishes, once all of its signatures and hashes hold; None when it publishes nothing yet.

    Raises:
        ReceiverError: agents would not accept it either.
    """
    metadata = directory / "metadata"
    if not (metadata / "timestamp.json").exists():
        return None
    snapshot = metadata / f"{_load(metadata / 'timestamp.json', Timestamp).snapshot_meta.version}.snapshot.json"
    targets = metadata / f"{_load(snapshot, Snapshot).meta['targets.json'].version}.targets.json"
    described = _load(targets, Targets).targets.get(POLICY_TARGET)
    policy = directory / "targets" / f"{described.hashes['sha256'] if described else ''}.{POLICY_TARGET}"
    try:
        parts = [path.read_bytes() for path in (metadata / "timestamp.json", snapshot, targets, policy)]
        return judge(Metadatas(_roots(metadata), *parts)).policy
    except OSError as error:
        raise ReceiverError(f"{error.filename} cannot be read ({error.strerror})", _AGAIN) from None
    except TrustError as error:
        raise ReceiverError(f"the published policy does not hold ({error})", _AGAIN) from None


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


def _roots(metadata: Path) -> list[bytes]:
    roots: list[bytes] = []
    while (path := metadata / f"{len(roots) + 1}.root.json").exists():
        roots.append(path.read_bytes())
    return roots


def _described(content: bytes) -> MetaFile:
    return MetaFile(length=len(content), hashes={"sha256": hashlib.sha256(content).hexdigest()})


def _sign(signed: _Role, signer: CryptoSigner) -> bytes:
    metadata = Metadata(signed)
    metadata.sign(signer)
    return metadata.to_bytes()


def _load(path: Path, kind: type[_Role]) -> _Role:
    try:
        signed = Metadata[_Role].from_bytes(path.read_bytes()).signed
    except (OSError, RepositoryError, DeserializationError):
        raise ReceiverError(f"{path} cannot be read", _AGAIN) from None
    if not isinstance(signed, kind):
        raise ReceiverError(f"{path} is other metadata than its name says", _AGAIN)
    return signed
