"""A real TUF repository in memory, signed by an officer and a representative; every knob is a plain attribute."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from consent.groups import FIELD, OFFICER, REPRESENTATIVE
from consent.trust import Metadatas
from tests.policies import as_bytes, policy

EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class Repository:
    """Attributes:
    people: By group, the signers that root names.
    sign_root, sign_targets: Who signs; None: everybody in `people`.
    named: What root says of groups, if not what is true.
    """

    people: dict[str, list[CryptoSigner]] = field(
        default_factory=lambda: {each: [CryptoSigner.generate_ed25519()] for each in (OFFICER, REPRESENTATIVE)}
    )
    online: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    policy: bytes = field(default_factory=lambda: as_bytes(policy()))
    versions: dict[str, int] = field(default_factory=lambda: {"targets": 1, "snapshot": 1, "timestamp": 1})
    expires: datetime = EXPIRES
    sign_root: list[CryptoSigner] | None = None
    sign_targets: list[CryptoSigner] | None = None
    named: Any = None
    threshold: int = 2

    @property
    def everybody(self) -> list[CryptoSigner]:
        return [signer for group in self.people.values() for signer in group]

    def groups(self) -> Any:
        true = {name: [signer.public_key.keyid for signer in group] for name, group in self.people.items()}
        return true if self.named is None else self.named

    def root(self, version: int = 1, *, also: list[CryptoSigner] | None = None) -> bytes:
        """A root, signed by who signs root, and `also` by others."""
        root = Root(version=version, expires=EXPIRES, consistent_snapshot=False)
        root.unrecognized_fields[FIELD] = self.groups()
        for role in ("root", "targets"):
            for signer in self.everybody:
                root.add_key(signer.public_key, role)
            root.roles[role].threshold = self.threshold
        for role in ("snapshot", "timestamp"):
            root.add_key(self.online.public_key, role)
        return sign(Metadata(root), [*(self.everybody if self.sign_root is None else self.sign_root), *(also or [])])

    def build(self) -> Metadatas:
        target = TargetFile.from_data("policy.json", self.policy, ["sha256"])
        said = Metadata(Targets(self.versions["targets"], expires=EXPIRES, targets={"policy.json": target}))
        targets = sign(said, self.everybody if self.sign_targets is None else self.sign_targets)
        meta = {"targets.json": MetaFile.from_data(self.versions["targets"], targets, ["sha256"])}
        snapshot = sign(Metadata(Snapshot(self.versions["snapshot"], expires=EXPIRES, meta=meta)), [self.online])
        about = MetaFile.from_data(self.versions["snapshot"], snapshot, ["sha256"])
        timestamp = sign(Metadata(Timestamp(self.versions["timestamp"], expires=self.expires, snapshot_meta=about)), [self.online])
        return Metadatas([self.root()], timestamp, snapshot, targets, self.policy)


def sign(metadata: Metadata, signers: list[CryptoSigner]) -> bytes:  # type: ignore[type-arg]
    """Metadata with these signatures."""
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()
