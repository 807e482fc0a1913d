"""Holds what was injected against what the agent says, what the receiver stored, and what the custodians opened. Pure.

The four were written by four different programs; none of them knows the others' numbers. Every check is a sentence, and the
demo is consistent only if all of them hold.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.demo.findings import ClickPlace, Opened, Received
from agent.demo.truth import Phase, Truth
from agent.status import Status

NEAR = 0.005
"""Of a window's width or height: three pixels in six hundred."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is held against each other.

    Attributes:
        truth: What was injected.
        allowed: Surfaces of the policy.
        status: What the agent says at the end.
        received: What the receiver has.
        opened: What the custodians opened.
        hits: Canaries found, by class of file.
        unread: Files that could not be searched.
        blind: Forms of canaries that the search did not find although they were planted.
    """

    truth: Truth
    allowed: frozenset[str]
    status: Status
    received: Received
    opened: Opened
    hits: Mapping[str, int]
    unread: int
    blind: int

    @property
    def canary_hits(self) -> int:
        """Canaries found anywhere."""
        return sum(self.hits.values())


def kept(status: Status) -> int:
    """Raw inputs that were kept: held, forgotten, sealed or sent."""
    tally = status.tally
    return tally.held + tally.forgotten + tally.sealed + tally.sent


def checks(evidence: Evidence) -> dict[str, bool]:
    """Each thing that must hold, as a sentence, and whether it does."""
    truth, tally, sent, opened = evidence.truth, evidence.status.tally, evidence.status.sent, evidence.opened
    wanted = truth.expected(evidence.allowed)
    return {
        "everything done while recording was on was seen, and nothing else": tally.seen == truth.raw(Phase.COLLECTING),
        "everything seen was refused or kept": tally.seen == sum(tally.refused.values()) + kept(evidence.status) and tally.pending == 0,
        "everything kept was sent": tally.sent == kept(evidence.status) and tally.sent > 0,
        "every batch sent was received": sent.batches == evidence.received.batches > 0,
        "every batch received was opened": opened.batches == evidence.received.batches,
        "what was opened stands for exactly what was sent": opened.raw == tally.sent,
        "every click, scroll, named key and chord in the allowed apps came out, and no other": opened.acts == wanted and bool(wanted),
        "every click came out where it was made": _same_places(truth.places(evidence.allowed), opened.places),
        "no app that is not on the list is named": opened.surfaces <= evidence.allowed,
        "every file could be searched, and the search finds what is planted": evidence.unread == 0 and evidence.blind == 0,
    }


def _same_places(made: Sequence[tuple[str, float, float]], came: Sequence[ClickPlace]) -> bool:
    return len(made) == len(came) and all(_near(one, other) for one, other in zip(made, came, strict=True))


def _near(made: tuple[str, float, float], came: ClickPlace) -> bool:
    surface, x, y = came
    return surface == made[0] and x is not None and y is not None and abs(x - made[1]) < NEAR and abs(y - made[2]) < NEAR


def result(evidence: Evidence) -> dict[str, object]:
    """The object of `volens demo --json`; docs/demo.md describes each field."""
    truth, tally = evidence.truth, evidence.status.tally
    phases = {phase.value: truth.raw(phase) for phase in Phase}
    return {
        "injected": {"raw": truth.raw(), **phases, **truth.counts()},
        "seen": tally.seen,
        "refused": dict(tally.refused),
        "kept": kept(evidence.status),
        "held": tally.held,
        "sent": {"raw": tally.sent, "batches": evidence.status.sent.batches},
        "received": {"batches": evidence.received.batches, "bytes": evidence.received.bytes},
        "opened": {"batches": evidence.opened.batches, "steps": evidence.opened.steps, "raw": evidence.opened.raw},
        "canary_hits": evidence.canary_hits,
        "consistent": all(checks(evidence).values()),
    }


def shortfall(wanted: Mapping[tuple[str, str, str], int], got: Mapping[tuple[str, str, str], int]) -> list[str]:
    """What is missing and what is too much, one line each; acts only, no content."""
    missing, extra = Counter(wanted) - Counter(got), Counter(got) - Counter(wanted)
    return [f"missing: {' '.join(key)} x{n}" for key, n in sorted(missing.items())] + [
        f"too much: {' '.join(key)} x{n}" for key, n in sorted(extra.items())
    ]
