"""What every back end is to the observer: hooks in, something to wait for, raw inputs into the shaper. Pure.

A back end that ended holds no hook: it ends with its process.
"""

from collections.abc import Callable
from typing import Protocol

from collectors.pipe import CollectorState, Grant
from collectors.shape import Shaper
from consent.event import Clocks

Clock = Callable[[], Clocks]
"""Reads the three clocks; the agent's `clock.read`."""


class Collector(Protocol):
    """One back end, for one generation."""

    def hook(self, grant: Grant) -> Shaper:
        """Install the hooks that the granted kinds need, and no others.

        Raises:
            CollectorError: No hook could be installed; says whose fault it is.
        """
        ...

    def states(self) -> tuple[CollectorState, ...]:
        """How each granted kind is collected now."""
        ...

    def sources(self) -> list[int]:
        """The file descriptors that become readable when there is something to pump."""
        ...

    def due_ms(self) -> int | None:
        """When `pump` has something to do though nothing is readable, on the awake clock; None if never."""
        ...

    def pump(self) -> None:
        """Hand all that is there to the shaper, without waiting.

        Raises:
            CollectorError: What is observed has gone away.
        """
        ...
