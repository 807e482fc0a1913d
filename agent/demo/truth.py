"""What was really injected: the one independent record that everything the agent says is held against.

Pure. Knows no window and no display: it is told each act, where it happened, and how many raw inputs it was.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """What a person does, as one act."""

    MOVE = "moves"
    CLICK = "clicks"
    SCROLL = "scrolls"
    NAMED_KEY = "named_keys"
    CHORD = "chords"
    CHARACTER = "characters"


class Phase(StrEnum):
    """Whether the agent had the right to see it."""

    BEFORE = "before_consent"
    COLLECTING = "collecting"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Deed:
    """One act that was injected.

    Attributes:
        act: Which.
        name: A button, a key or a chord, in Volens' words; never a character.
        surface: Where, by the demo's own name of the application.
        phase: When.
        raw: How many raw inputs (X device events) it was.
        right, down: Where, as fractions of the window; 0 for keys.
    """

    act: Act
    name: str
    surface: str
    phase: Phase
    raw: int
    right: float = 0.0
    down: float = 0.0


@dataclass(slots=True)
class Truth:
    """Everything that was injected, in order.

    Attributes:
        deeds: In order.
        surface: Where acts go from now on.
        phase: What acts count as from now on.
    """

    surface: str = ""
    phase: Phase = Phase.COLLECTING
    deeds: list[Deed] = field(default_factory=list)

    def add(self, act: Act, name: str, raw: int, right: float = 0.0, down: float = 0.0) -> None:
        """One act was injected, here and now."""
        self.deeds.append(Deed(act, name, self.surface, self.phase, raw, right, down))

    def raw(self, phase: Phase | None = None) -> int:
        """How many raw inputs, in one phase or in all."""
        return sum(deed.raw for deed in self.deeds if phase in (None, deed.phase))

    def counts(self) -> dict[str, int]:
        """How often each act was done, over everything."""
        counted = Counter(deed.act for deed in self.deeds)
        return {act.value: counted[act] for act in Act}

    def expected(self, surfaces: frozenset[str]) -> Counter[tuple[str, str, str]]:
        """What must be found again: (act, name, surface) of what was done on `surfaces` while collecting; no characters, no moves."""
        wanted = (Act.CLICK, Act.SCROLL, Act.NAMED_KEY, Act.CHORD)
        return Counter((deed.act.value, deed.name, deed.surface) for deed in self._open_deeds(surfaces) if deed.act in wanted)

    def places(self, surfaces: frozenset[str]) -> list[tuple[str, float, float]]:
        """Where each of those clicks was: (surface, right, down), in order."""
        return [(deed.surface, deed.right, deed.down) for deed in self._open_deeds(surfaces) if deed.act is Act.CLICK]

    def _open_deeds(self, surfaces: frozenset[str]) -> list[Deed]:
        return [deed for deed in self.deeds if deed.phase is Phase.COLLECTING and deed.surface in surfaces]
