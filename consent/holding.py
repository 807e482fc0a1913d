"""The hold's length: what the person chose, and what it was before. Pure.

Shortening acts for what is recorded from then on, a longer hold acts at once: so an event is held for the longest of all
holds that were in force since it was recorded. A yes promises a hold again: a shorter choice from before it ends with it.
"""

from dataclasses import dataclass

from consent.event import Clocks

DEFAULT_HOLD_S = 24 * 3600
SHORTEST_S, LONGEST_S = 15 * 60, 7 * 24 * 3600
"""DESIGN: a person may choose a quarter of an hour to a week; below nobody can look, beyond it a laptop is an archive."""


@dataclass(frozen=True, slots=True)
class Change:
    """An instant at which the hold may have become shorter, and what was in force before it, in seconds."""

    at: Clocks
    boot: str
    before_s: int


@dataclass(frozen=True, slots=True)
class Holding:
    """What the subject's own words say of the hold.

    Attributes:
        chosen_s: What the person chose, in seconds; None: nothing, so that the default and the receipt's promise hold.
        promised: Whether the receipt's promise holds, because nothing was chosen since it was given.
        changes: Every instant at which the hold may have become shorter, oldest first.
    """

    chosen_s: int | None = None
    promised: bool = True
    changes: tuple[Change, ...] = ()

    def choose(self, hold_s: int, before_s: int, at: Clocks, boot: str) -> "Holding":
        """The person chose another length; `before_s` was in force till now."""
        return Holding(hold_s, False, (*self.changes, Change(at, boot, before_s)))

    def agree(self, before_s: int, at: Clocks, boot: str) -> "Holding":
        """A yes was given, under a notice that promises a hold: a choice stays only if it is not below the default."""
        chosen_s = self.chosen_s if self.chosen_s is not None and self.chosen_s > DEFAULT_HOLD_S else None
        return Holding(chosen_s, True, (*self.changes, Change(at, boot, before_s)))


UNCHOSEN = Holding()
"""Before the person has said anything of it."""


def in_force_s(holding: Holding, promised_s: int, policy_s: int) -> int:
    """The hold of what is recorded now, in seconds: a policy can only lengthen what was promised or chosen."""
    own_s = DEFAULT_HOLD_S if holding.chosen_s is None else holding.chosen_s
    return max(own_s, policy_s, promised_s if holding.promised else 0)
