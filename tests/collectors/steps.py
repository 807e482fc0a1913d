"""A back end that does what a test says, step by step: faults too, which no recorded trace has."""

from collections.abc import Callable, Sequence

from collectors.collector import Clock
from collectors.pipe import CollectorState, Grant
from collectors.shape import Shaper

Step = Callable[[Shaper], None]
"""One raw input, one change of the window in front or of the focus, or an error."""


class Steps:
    """See `collectors.collector.Collector`. Every `pump` plays one step; when none is left it plays nothing."""

    def __init__(self, read: Clock, steps: Sequence[Step]) -> None:
        self._read, self._steps = read, list(steps)

    def hook(self, grant: Grant) -> Shaper:
        """Nothing is hooked."""
        self._kinds = grant.kinds
        self._shaper = Shaper(grant, self._read())
        return self._shaper

    def states(self) -> tuple[CollectorState, ...]:
        """All live: a list cannot fail."""
        return tuple(CollectorState(kind, "live") for kind in sorted(self._kinds))

    def sources(self) -> list[int]:
        """There is nothing to wait for."""
        return []

    def due_ms(self) -> int | None:
        """At once, while a step is left."""
        return 0 if self._steps else None

    def pump(self) -> None:
        """Play one step."""
        if self._steps:
            self._steps.pop(0)(self._shaper)
