"""Pending: admitted events that wait, in memory, for the indicator to answer a challenge issued after them. Pure.

What is never answered is dropped with its generation; nothing pending outlives one.
"""

from dataclasses import dataclass, field

from consent.gate import Admitted


def raw_inputs(events: list[Admitted]) -> int:
    """How many raw inputs these stand for."""
    return sum(admitted.event.n for admitted in events)


@dataclass(slots=True)
class Pending:
    """`collecting` is the group that still takes events; `asked` are the groups behind a challenge, by its nonce."""

    collecting: list[Admitted] = field(default_factory=list)
    asked: dict[bytes, list[Admitted]] = field(default_factory=dict)

    def add(self, admitted: Admitted) -> None:
        self.collecting.append(admitted)

    def ask(self, nonce: bytes) -> None:
        """Close the present group behind a challenge that has just been issued."""
        self.asked[nonce] = self.collecting
        self.collecting = []

    def answered(self, nonce: bytes) -> list[Admitted]:
        """The group behind this challenge, which was answered: it may be kept. Empty for any other challenge."""
        return self.asked.pop(nonce, [])

    def drop(self) -> int:
        """Forget everything pending; returns the raw inputs it stood for."""
        n = raw_inputs(self.collecting) + sum(raw_inputs(group) for group in self.asked.values())
        self.collecting, self.asked = [], {}
        return n
