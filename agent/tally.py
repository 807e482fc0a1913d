"""The tally: every raw input that was seen is in exactly one place. Counts only. Pure.

seen = refused (by reason) + pending + held + forgotten + sealed + sent, at every instant between two calls.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.status import TallyPart
from consent.vocabulary import Why


@dataclass(slots=True)
class Tally:
    """Raw inputs, by where they are now. `seen` is counted where they come in, the rest where they go."""

    seen: int = 0
    refused: Counter[Why] = field(default_factory=Counter)
    pending: int = 0
    held: int = 0
    forgotten: int = 0
    sealed: int = 0
    sent: int = 0

    def came(self, seen: int) -> None:
        self.seen += seen

    def refuse(self, why: Why, n: int) -> None:
        self.refused[why] += n

    def admit(self, n: int) -> None:
        self.pending += n

    def keep(self, n: int) -> None:
        self.pending -= n
        self.held += n

    def drop_pending(self, why: Why, n: int) -> None:
        self.pending -= n
        self.refuse(why, n)

    def drop_held(self, why: Why, n: int) -> None:
        self.held -= n
        self.refuse(why, n)

    def forget_pending(self, n: int) -> None:
        self.pending -= n
        self.forgotten += n

    def forget_held(self, n: int) -> None:
        self.held -= n
        self.forgotten += n

    def seal(self, n: int) -> None:
        self.held -= n
        self.sealed += n

    def forget_sealed(self, n: int) -> None:
        self.sealed -= n
        self.forgotten += n

    def drop_sealed(self, why: Why, n: int) -> None:
        self.sealed -= n
        self.refuse(why, n)

    def send(self, n: int) -> None:
        self.sealed -= n
        self.sent += n

    def total(self) -> int:
        """What `seen` must equal."""
        return sum(self.refused.values()) + self.pending + self.held + self.forgotten + self.sealed + self.sent

    def settle(self, *, held: int, sealed: int) -> None:
        """After a start: hold and outbox are counted anew; what a crash took from the counts was never kept."""
        self.pending, self.held, self.sealed = 0, held, sealed
        self.seen = self.total()

    def part(self) -> TallyPart:
        """As `status` shows it."""
        refused = {why.value: n for why, n in sorted(self.refused.items()) if n}
        return TallyPart(self.seen, refused, self.pending, self.held, self.forgotten, self.sealed, self.sent)

    @classmethod
    def of(cls, part: TallyPart) -> "Tally":
        """The tally that was saved as `part`."""
        known: Mapping[str, int] = part.refused
        refused = Counter({Why(why): n for why, n in known.items()})
        return cls(part.seen, refused, part.pending, part.held, part.forgotten, part.sealed, part.sent)
