"""From signers' keys to drafts, and from signed drafts to what agents fetch. Refuses to publish what an agent would not accept.

Everything is verified before anything is written; then come policy, targets, snapshot and root, each file whole, and `timestamp.json` last.
Cut short, it is done again by the same command: what is there already is left as it is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from consent.groups import GroupsError, groups_of, missing
from consent.policy import Policy, PolicyError, parse
from consent.trust import TrustError, root_of
from receiver import policy_repo
from receiver.errors import ReceiverError
from receiver.policy_draft import Draft, PolicyDraft, RootDraft, check
from receiver.policy_keys import Signer
from receiver.policy_reading import check_notice
from transport import disk

_SIGN = "have it signed with `volens-receiver policy sign`"


def draft_root(repository: Path, signers: Sequence[Signer], online: Ed25519PrivateKey, expires: datetime) -> Draft:
    """The next root: these signers by their groups, and this online key.

    Raises:
        ReceiverError: they are no two groups, or one signer is there twice.
    """
    roots = policy_repo.roots(repository)
    groups: dict[str, list[Any]] = {}
    for signer in signers:
        groups.setdefault(signer.group, []).append(signer.key)
    root = policy_repo.root_for(groups, CryptoSigner(online).public_key, expires.replace(microsecond=0), len(roots) + 1)
    try:
        groups_of(root)
    except GroupsError as error:
        raise ReceiverError(str(error), "name at least one signer of each of two groups, each once") from None
    return Draft(1, Metadata(root).to_bytes().decode(), tuple(each.decode() for each in roots))


def draft_policy(repository: Path, policy: bytes, expires: datetime, next_root: Draft | None) -> Draft:
    """The next policy, as targets that name it; `next_root`: the draft of a root that is to be published with it.

    Raises:
        ReceiverError: it is no policy, or one whose notice cannot be shown; it is not newer than the one in force; or there is no root.
    """
    check_notice(_parsed(policy))
    published = policy_repo.read(repository)
    roots = policy_repo.roots(repository)
    if next_root is not None and not isinstance(check(next_root), RootDraft):
        raise ReceiverError("--root names a draft that is of no root", "name the file that `volens-receiver policy init` has written")
    if not roots and next_root is None:
        raise ReceiverError("there is no root yet", "make one: volens-receiver policy init, sign, publish")
    version = published.targets().version + 1 if published else 1
    draft = Draft(
        format=1,
        metadata=Metadata(policy_repo.targets_for(policy, expires.replace(microsecond=0), version)).to_bytes().decode(),
        roots=tuple(each.decode() for each in roots),
        policy=policy.decode(),
        next_root=next_root.metadata if next_root else None,
        targets=published.found.targets.decode() if published else None,
        policy_before=published.found.policy.decode() if published else None,
    )
    check(draft)
    return draft


def _parsed(policy: bytes) -> Policy:
    try:
        return parse(policy)
    except PolicyError as error:
        raise ReceiverError(str(error), "mend the policy and try again") from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was published. `root_sha256` of the first root, which agents pin; `until` the end of the lease, if there is a policy."""

    root: int
    root_sha256: str
    policy: int | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What will be written: the new root if there is one, the targets and their policy if there are any."""

    roots: tuple[bytes, ...]
    new_root: bytes | None
    targets: bytes | None
    policy: bytes | None


def publish(repository: Path, drafts: Sequence[Draft], online: Ed25519PrivateKey, now: datetime, lifetime: timedelta) -> Outcome:
    """Publishes a root, a policy, or both together; copies of one draft that were signed apart are put together.

    Raises:
        ReceiverError: a group has not signed, or the drafts do not follow on what is published. Then nothing is written.
    """
    plan = _plan(repository, drafts, online, now)
    until = None
    if plan.targets is not None and plan.policy is not None:
        policy_repo.put_policy(repository, plan.targets, plan.policy)
    if plan.new_root is not None:
        disk.put(repository / "metadata" / f"{len(plan.roots)}.root.json", plan.new_root)
    if plan.targets is not None:
        until = policy_repo.put_online(repository, plan.targets, online, now, lifetime)
    published = policy_repo.read(repository)  # by the same judge as an agent's
    version = parse(published.found.policy).version if published else None
    return Outcome(len(plan.roots), hashlib.sha256(plan.roots[0]).hexdigest(), version, until)


def _plan(repository: Path, drafts: Sequence[Draft], online: Ed25519PrivateKey, now: datetime) -> _Plan:
    root_draft, policy_draft = _joined(drafts, RootDraft), _joined(drafts, PolicyDraft)
    roots = policy_repo.roots(repository)
    new_root = root_draft.metadata.encode() if root_draft else None
    if new_root is not None and new_root not in roots:
        _all_signed(check(root_draft), "root")  # type: ignore[arg-type]
        roots.append(new_root)
    else:
        new_root = None  # it was published before, and this command cut short
    try:
        root = root_of(roots)
    except TrustError as error:
        raise ReceiverError(f"the root would not be accepted ({error})", "publish the roots in their order") from None
    _in_time(root, now)
    _online_is(root, online)
    targets, policy = _targets(repository, root, policy_draft, now, new_root=new_root is not None)
    return _Plan(tuple(roots), new_root, targets, policy)


def _targets(repository: Path, root: Root, draft: Draft | None, now: datetime, *, new_root: bool) -> tuple[bytes | None, bytes | None]:
    """The targets to publish and their policy: the draft's; else, under a new root, those in force, if that root's groups signed them."""
    if draft is None:
        published = policy_repo.read(repository) if new_root else None
        if published is None:
            return None, None
        if missing(root, Targets.type, Metadata[Targets].from_bytes(published.found.targets)):
            what = "the groups of this root have not signed the policy in force"
            raise ReceiverError(what, "publish it together with a policy: volens-receiver policy propose --root")
        return published.found.targets, published.found.policy
    checked = check(draft)
    assert isinstance(checked, PolicyDraft)
    if checked.root.to_dict() != root.to_dict():
        raise ReceiverError("the policy was drafted for another root", "publish that root with it, or propose the policy anew")
    check_notice(checked.policy)
    _all_signed(checked, "policy")
    _in_time(checked.metadata.signed, now)
    _follows(repository, checked.metadata.signed.version, draft.metadata.encode())
    return draft.metadata.encode(), (draft.policy or "").encode()


def _follows(repository: Path, version: int, targets: bytes) -> None:
    """Raises unless these targets are the next ones; an earlier publication that was cut short left no trace that counts."""
    try:
        published = policy_repo.read(repository)
    except ReceiverError:
        return  # root was written, the timestamp not: this finishes it
    now_in_force = published.targets().version if published else 0
    if version != now_in_force + 1 and not (published and published.found.targets == targets):
        raise ReceiverError(f"the draft is of targets {version}, and {now_in_force} are published", "propose the policy anew")


def _joined(drafts: Sequence[Draft], kind: type[RootDraft] | type[PolicyDraft]) -> Draft | None:
    """The one draft of this kind, with the signatures of all its copies."""
    found = [(draft, checked) for draft in drafts if isinstance(checked := check(draft), kind)]
    if not found:
        return None
    first, checked = found[0]
    metadata: Metadata[Any] = checked.metadata
    for _, other in found[1:]:
        if other.metadata.signed != metadata.signed:
            raise ReceiverError("two of the drafts are of the same role and say different things", "publish one of them")
        metadata.signatures.update(other.metadata.signatures)
    text = metadata.to_bytes().decode() if len(found) > 1 else first.metadata
    return Draft(1, text, first.roots, first.policy, first.next_root, first.targets, first.policy_before)


def _all_signed(checked: RootDraft | PolicyDraft, what: str) -> None:
    if lacking := checked.lacking():
        raise ReceiverError(f"the {what} is not signed by: {_list(lacking)}", _SIGN)


def _in_time(signed: Root | Targets, now: datetime) -> None:
    if signed.expires <= now:
        raise ReceiverError(f"{signed.type} was good until {signed.expires.date()}", "have it drafted and signed anew")


def _online_is(root: Root, online: Ed25519PrivateKey) -> None:
    ours = CryptoSigner(online).public_key.keyid
    if any(ours not in root.roles[role].keyids for role in (Snapshot.type, Timestamp.type)):
        raise ReceiverError("root names another online key than this receiver's", "draft the root in this receiver's folder")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
