"""Officers and representatives for tests: a receiver's folder, and a ceremony that signs and publishes in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.groups import OFFICER, REPRESENTATIVE
from receiver import policy_draft, policy_publish, policy_repo
from receiver.policy_draft import Draft
from receiver.policy_keys import Signer
from receiver.policy_publish import Outcome
from tests.policies import as_bytes, policy

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LEASE = timedelta(hours=24)
GOOD = timedelta(days=365)


@dataclass
class Person:
    """Somebody who signs."""

    name: str
    group: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def signer(self) -> Signer:
        return Signer(self.name, self.group, self.key.public_key().public_bytes_raw())


def officer(name: str = "ada") -> Person:
    return Person(name, OFFICER)


def representative(name: str = "ben") -> Person:
    return Person(name, REPRESENTATIVE)


@dataclass
class Ceremony:
    """A repository, its online key, and who signs there."""

    tuf: Path
    people: Sequence[Person]
    online: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    now: datetime = NOW

    @classmethod
    def begin(cls, folder: Path) -> "Ceremony":
        """An empty repository, and one signer of each group."""
        policy_repo.make(folder / "tuf")
        return cls(folder / "tuf", [officer(), representative()])

    def root(self, people: Sequence[Person]) -> Draft:
        return policy_publish.draft_root(self.tuf, [each.signer for each in people], self.online, self.now + GOOD)

    def policy(self, raw: bytes, next_root: Draft | None = None) -> Draft:
        return policy_publish.draft_policy(self.tuf, raw, self.now + GOOD, next_root)

    def publish(self, *drafts: Draft) -> Outcome:
        return policy_publish.publish(self.tuf, drafts, self.online, self.now, LEASE)

    def first(self) -> Outcome:
        """A root and a policy, signed by everybody and published."""
        self.publish(by(self.root(self.people), *self.people))
        return self.publish(by(self.policy(version(1)), *self.people))


def by(draft: Draft, *people: Person) -> Draft:
    """The draft with the signatures of these."""
    for each in people:
        draft = policy_draft.signed(draft, each.key)
    return draft


def version(number: int, **changes: object) -> bytes:
    """The sample policy, as this version."""
    return as_bytes(policy(version=number, **changes))
