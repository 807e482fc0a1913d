"""Policies, roots and drafts in words, for those who sign. Pure. Every line is worked out from what is signed, none from a file's name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuf.api.metadata import Root, Timestamp

from consent.compare import Change, Direction, changes
from consent.groups import groups_of
from consent.policy import Policy
from receiver.policy_draft import Checked, PolicyDraft, RootDraft

_HEADS = {
    Direction.WIDER: "WIDER: more is asked; it is off until each person says yes to it",
    Direction.NARROWER: "NARROWER: less is asked; it acts at once",
    Direction.OTHER: "OTHER",
}
_NO_CHANGE = "nothing that is asked for changes"


def policy(found: Policy) -> Iterator[str]:
    """The whole of a policy."""
    yield f"policy {found.version} of {found.controller}"
    yield f"recipient: {found.receiver}; held on the computer for at least {found.hold_min_s // 60} minutes"
    for change in changes(None, found):
        yield f"- {change.words}"
    for purpose in found.purposes.values():
        yield f"key of {purpose.id}: {purpose.key_id.hex()}"
    if found.reviewer is not None:
        yield f"exemptions are decided by {found.reviewer.name}; key of decisions: {found.reviewer.verify.hex()}"


def differences(found: Sequence[Change]) -> Iterator[str]:
    """Changes under their three heads."""
    if not found:
        yield _NO_CHANGE
    for direction, head in _HEADS.items():
        if of_this := [change for change in found if change.direction is direction]:
            yield head
            yield from (f"- {change.words}{_waits(change)}" for change in of_this)


def _waits(change: Change) -> str:
    return " (off until each person says yes to it)" if change.waits and change.direction is Direction.OTHER else ""


def as_objects(found: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes for JSON."""
    return [{"direction": change.direction.value, "words": change.words, "waits_for_a_yes": change.waits} for change in found]


def groups(root: Root) -> Iterator[str]:
    """Who must sign."""
    for name, ids in groups_of(root).items():
        yield f"group {name}: {', '.join(sorted(ids))}"
    yield f"online key: {', '.join(sorted(root.roles[Timestamp.type].keyids))}"


def draft(checked: Checked) -> Iterator[str]:
    """What would be signed."""
    match checked:
        case RootDraft(metadata, before):
            yield f"Root {metadata.signed.version}: who must sign policies, until {metadata.signed.expires.date()}."
            yield from groups(metadata.signed)
            yield from _of_roots(before, metadata.signed)
        case PolicyDraft(metadata, root, new, before):
            yield f"Policy {new.version} of {new.controller}, good until {metadata.signed.expires.date()}."
            yield f"Targets {metadata.signed.version}, under root {root.version}. Recipient: {new.receiver}."
            yield f"Compared with policy {before.version}, which is in force:" if before else "There is no policy in force. It asks for:"
            yield from differences(changes(before, new))


def _of_roots(before: Root | None, new: Root) -> Iterator[str]:
    if before is None:
        yield "There is no root in force. This one is what agents pin: compare the key ids with those that the signers read to you."
        return
    yield f"Compared with root {before.version}, which is in force:"
    old_groups, new_groups = groups_of(before), groups_of(new)
    lines = [*_keys("comes", new_groups, old_groups), *_keys("goes", old_groups, new_groups)]
    lines += [f"- the group {name} goes" for name in old_groups if name not in new_groups]
    if set(before.roles[Timestamp.type].keyids) != set(new.roles[Timestamp.type].keyids):
        lines.append("- the receiver's online key is another")
    yield from lines or [f"- {_NO_CHANGE.replace('that is asked for ', '')} but the day until which it is good"]


def _keys(verb: str, there: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name, ids in there.items():
        yield from (f"- {name}: the key {each} {verb}" for each in sorted(ids - other.get(name, frozenset())))
