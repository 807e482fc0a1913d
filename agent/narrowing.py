"""What a policy has taken out of what was agreed to, what it waits for a yes to, and which of it is new since the ledger last said. Pure.

Narrower acts at once, on what is held and waiting too: it was recorded under a permission that nobody asks for any more. Wider is never
acted on here; it is only put in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from agent.permission import effective
from consent import notice
from consent.holding import DEFAULT_HOLD_S
from consent.policy import Policy, PurposeTerms
from consent.receipt import ConsentReceipt
from consent.scope import Scope
from consent.vocabulary import Kind, SurfaceId

NARROWED = "policy_narrowed"
MOST_LINES, MOST_CHARACTERS, MOST_BYTES = 50, 200, 10_200
"""Of what is shown to wait for a yes: it travels in one frame with the notice, which has all of it."""
EXEMPT_BYTES = 4_000
"""Of what is shown to stay off whatever is said yes to: in the same frame."""
Pair = tuple[SurfaceId | None, Kind]


class Said(Protocol):
    """A line of the ledger."""

    @property
    def what(self) -> str: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


def lost(receipt: ConsentReceipt, policy: Policy, kinds: frozenset[Kind]) -> frozenset[Pair]:
    """What was agreed to, and may not be observed under this policy."""
    return frozenset(receipt.scope().without(effective(receipt, policy, kinds)).grants)


def known(entries: Sequence[Said], receipt: ConsentReceipt) -> frozenset[Pair]:
    """What the ledger says was lost under this receipt already, and has been destroyed."""
    for entry in reversed(entries):
        if entry.what == NARROWED:
            return _pairs(entry.data) if entry.data["receipt"] == receipt.id else frozenset()
    return frozenset()


def _pairs(data: Mapping[str, Any]) -> frozenset[Pair]:
    return frozenset((None if surface is None else SurfaceId(surface), Kind(kind)) for surface, kind in data["lost"])


def as_data(receipt: ConsentReceipt, pairs: frozenset[Pair]) -> dict[str, Any]:
    """A line of the ledger: all that is lost now."""
    return {"receipt": receipt.id, "lost": sorted(([surface, kind.value] for surface, kind in pairs), key=str)}


def waits(receipt: ConsentReceipt, policy: Policy, kinds: frozenset[Kind]) -> tuple[str, ...]:
    """What this policy asks for that a yes would add, in words for the subject; empty when there is nothing. All of it is off."""
    more = policy.scope().without(effective(receipt, policy, kinds))
    asked = Scope({pair: purpose for pair, purpose in more.grants.items() if pair[1] in kinds})
    return tuple([*_whole(receipt, policy), *_purposes(receipt, policy), *_surfaces(receipt, policy, asked)])


def shown(words: Sequence[str], rest: str = "all of it in the notice below", room_bytes: int = MOST_BYTES) -> tuple[str, ...]:
    """What waits, no longer than can be shown at once; `rest` says where what is left out stands."""
    lines: list[str] = []
    for line in words[:MOST_LINES]:
        cut = line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"
        room_bytes -= len(cut.encode())
        if room_bytes < 0:
            break
        lines.append(cut)
    left = len(words) - len(lines)
    return (*lines, f"and {left} more, {rest}") if left else tuple(lines)


def _whole(receipt: ConsentReceipt, policy: Policy) -> Iterator[str]:
    if policy.controller != receipt.controller:
        yield f"another controller: {policy.controller}"
    if policy.receiver != receipt.receiver:
        yield f"another recipient: {policy.receiver}"
    if max(DEFAULT_HOLD_S, policy.hold_min_s) < receipt.hold_min_s:
        yield f"a shorter hold: {policy.hold_min_s // 3600} hours (yours stays as it was promised)"
    if receipt.daily_notice and not policy.daily_notice:
        yield "the notice only once (yours stays due on each day, as it was promised)"


def _purposes(receipt: ConsentReceipt, policy: Policy) -> Iterator[str]:
    for purpose in policy.purposes.values():
        if purpose.id not in receipt.purpose_keys:
            yield f"another purpose: {purpose.title}, opened by {purpose.readers}, kept {purpose.retention_days} days"
        else:
            yield from _of_purpose(receipt, purpose)


def _of_purpose(receipt: ConsentReceipt, purpose: PurposeTerms) -> Iterator[str]:
    if purpose.key_id.hex() != receipt.purpose_keys[purpose.id]:
        yield f"{purpose.id}: another key opens it"
    if purpose.fingerprint != receipt.purpose_words.get(purpose.id):
        yield f"{purpose.id}: it now means {purpose.title}, opened by {purpose.readers}"
    if purpose.retention_days > (promised := receipt.retention_days.get(purpose.id, 0)):
        yield f"{purpose.id}: kept {purpose.retention_days} days, and not {promised}"


def _surfaces(receipt: ConsentReceipt, policy: Policy, asked: Scope) -> Iterator[str]:
    agreed = receipt.scope()
    for surface in policy.surfaces.values():
        if surface.id in receipt.surfaces and receipt.surfaces[surface.id] != surface.fingerprint:
            stands_for = ", ".join([*surface.executables, *surface.packages, *surface.hosts])
            yield f"{surface.name}: it now stands for {stands_for} ({surface.category}){notice.labels(surface)}"
        new = sorted(kind for where, kind in asked.grants if where == surface.id and agreed.purpose(where, kind) is None)
        if new:
            yield f"{surface.name}: {', '.join(new)}{notice.labels(surface) if Kind.ELEMENT in new else ''}"
