"""Pending: admitted events that wait, in memory, for the indicator to answer a challenge issued after them. Pure.

Groups are answered in order. What is never answered is dropped with its generation; nothing pending outlives one.
"""

from dataclasses import dataclass, field

from consent.gate import Admitted


def raw_inputs(events: list[Admitted]) -> int:
    """How many raw inputs these stand for."""
    return sum(admitted.event.n for admitted in events)


@dataclass(slots=True)
class Pending:
    """`collecting` is the group that still takes events; `asked` are the groups behind a challenge, oldest first."""

    collecting: list[Admitted] = field(default_factory=list)
    asked: list[list[Admitted]] = field(default_factory=list)

    def add(self, admitted: Admitted) -> None:
        self.collecting.append(admitted)

    def ask(self) -> bool:
        """Close the present group behind a challenge that is issued now; False if there is nothing to ask for."""
        if not self.collecting:
            return False
        self.asked.append(self.collecting)
        self.collecting = []
        return True

    def answered(self) -> list[Admitted]:
        """The oldest group behind a challenge: its challenge was answered, it may be kept."""
        return self.asked.pop(0) if self.asked else []

    def drop(self) -> int:
        """Forget everything pending; returns the raw inputs it stood for."""
        n = raw_inputs(self.collecting) + sum(raw_inputs(group) for group in self.asked)
        self.collecting, self.asked = [], []
        return n
