"""A draft: the next root or the next policy, handed from signer to signer in one file until each group has signed. Pure.

It carries what it follows on, signed, so that a signer sees on their own machine what changes, and need not believe who drafted it.
Refuses a draft that does not hold together: what is shown before signing is worked out from the very bytes that are signed.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from consent.groups import GroupsError, groups_of, missing
from consent.policy import Policy, PolicyError, parse
from consent.trust import POLICY_TARGET, TrustError, root_of
from consent.unreadable import UNREADABLE
from receiver.errors import ReceiverError

MAX_BYTES = 8 * 1024 * 1024
_ANEW = "have it drafted anew"
_Text = Annotated[str, msgspec.Meta(max_length=MAX_BYTES)]


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft as its file holds it; every text is the exact bytes of a file of the repository, UTF-8.

    Attributes:
        metadata: TUF metadata of root or targets, with the signatures so far.
        roots: the chain of roots in force, the pinned one first; none for the first root.
        policy: for targets, the policy that they name.
        next_root: for targets, the root that is to be published with them, if it is another than the last of `roots`.
        targets, policy_before: for targets, what is in force; None if nothing is.
    """

    format: Literal[1]
    metadata: _Text
    roots: tuple[_Text, ...]
    policy: _Text | None = None
    next_root: _Text | None = None
    targets: _Text | None = None
    policy_before: _Text | None = None


@dataclass(frozen=True, slots=True)
class RootDraft:
    """A root to be signed. `before` is the root in force, None if this is the first."""

    metadata: Metadata[Root]
    before: Root | None

    def lacking(self) -> list[str]:
        """The groups whose signature is missing, by name; those of the root before among them."""
        own, old = self.metadata.signed, self.before
        earlier = [f"{name} (of root {old.version})" for name in missing(old, Root.type, self.metadata)] if old else []
        return [*missing(own, Root.type, self.metadata), *earlier]

    def groups(self, key_id: str) -> list[str]:
        """The groups for which this key signs."""
        return sorted(
            {name for root in (self.metadata.signed, self.before) if root for name, ids in groups_of(root).items() if key_id in ids}
        )


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A policy to be signed. `root` names who must; `before` is the policy in force, None if this is the first."""

    metadata: Metadata[Targets]
    root: Root
    policy: Policy
    before: Policy | None

    def lacking(self) -> list[str]:
        """The groups whose signature is missing, by name."""
        return missing(self.root, Targets.type, self.metadata)

    def groups(self, key_id: str) -> list[str]:
        """The groups for which this key signs."""
        return sorted(name for name, ids in groups_of(self.root).items() if key_id in ids)


Checked = RootDraft | PolicyDraft


def encode(draft: Draft) -> bytes:
    """The draft's file."""
    return msgspec.json.format(msgspec.json.encode(draft), indent=1) + b"\n"


def decode(raw: bytes) -> Draft:
    """The draft in a file. Raises ReceiverError."""
    try:
        return msgspec.json.decode(raw, type=Draft)
    except UNREADABLE:
        raise ReceiverError("this is no draft", "name the file that `volens-receiver policy init` or `propose` has written") from None


def check(draft: Draft) -> Checked:
    """What a draft says, if it holds together: it follows on what is signed, and is nothing else than a root, or a policy and its targets.

    Raises:
        ReceiverError: it does not; one line says why.
    """
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(draft.metadata.encode())
        before = root_of([each.encode() for each in draft.roots]) if draft.roots else None
        match metadata.signed:
            case Root():
                return _root(draft, metadata, before)
            case Targets() if before is not None or draft.next_root is not None:
                return _policy(draft, metadata, before)
    except (TrustError, PolicyError, GroupsError) as error:
        raise ReceiverError(f"the draft does not hold: {error}", _ANEW) from None
    except (RepositoryError, DownloadError, KeyError, ValueError, TypeError, AttributeError):
        raise ReceiverError("the draft's metadata cannot be read", _ANEW) from None
    raise ReceiverError("the draft is neither of a root nor of a policy", _ANEW)


def _root(draft: Draft, metadata: Metadata[Root], before: Root | None) -> RootDraft:
    groups_of(metadata.signed)
    _must(metadata.signed.version == len(draft.roots) + 1, f"root {metadata.signed.version} does not follow on root {len(draft.roots)}")
    _must(draft.policy is None and draft.next_root is None, "a draft of a root carries a policy")
    return RootDraft(metadata, before)


def _policy(draft: Draft, metadata: Metadata[Targets], before: Root | None) -> PolicyDraft:
    root = before
    if draft.next_root is not None:
        root = check(Draft(1, draft.next_root, draft.roots)).metadata.signed  # type: ignore[assignment]  # checked by _root
    _must(isinstance(root, Root), "the root that it is to be published with is none")
    assert isinstance(root, Root)
    signed, raw = metadata.signed, (draft.policy or "").encode()
    _must(set(signed.targets) == {POLICY_TARGET} and signed.delegations is None, f"its targets name something else than {POLICY_TARGET}")
    signed.targets[POLICY_TARGET].verify_length_and_hashes(raw)
    old = _in_force(draft, before)
    new = parse(raw)
    _must(signed.version == (old[0] + 1 if old else 1), "it does not follow on the targets in force")
    _must(old is None or new.version > old[1].version, f"policy {new.version} is not newer than the one in force")
    return PolicyDraft(metadata, root, new, old[1] if old else None)


def _in_force(draft: Draft, before: Root | None) -> tuple[int, Policy] | None:
    """Version of the targets in force, and their policy: each group of the root in force has signed them."""
    if draft.targets is None or draft.policy_before is None or before is None:
        _must(draft.targets is None and draft.policy_before is None, "what it says is in force is not whole")
        return None
    targets: Metadata[Targets] = Metadata[Targets].from_bytes(draft.targets.encode())
    _must(isinstance(targets.signed, Targets), "what it says is in force is no policy")
    _must(not missing(before, Targets.type, targets), "what it says is in force is not signed")
    raw = draft.policy_before.encode()
    targets.signed.targets[POLICY_TARGET].verify_length_and_hashes(raw)
    return targets.signed.version, parse(raw)


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ReceiverError(f"the draft does not hold: {what}", _ANEW)


def signed(draft: Draft, key: Ed25519PrivateKey) -> Draft:
    """The draft with one signature more. Raises ReceiverError if this key is in no group that it needs."""
    checked, signer = check(draft), CryptoSigner(key)
    if not checked.groups(signer.public_key.keyid):
        raise ReceiverError(
            "this key is in no group that must sign this draft", "sign with a key that root names, or draft a root that names it"
        )
    checked.metadata.sign(signer, append=True)
    return msgspec.structs.replace(draft, metadata=checked.metadata.to_bytes().decode())
