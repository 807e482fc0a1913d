"""The collector that exists only to say why nothing can be observed here."""

from collectors.errors import CollectorError
from collectors.pipe import CollectorState, Grant
from collectors.shape import Shaper


class Unavailable:
    """See `collectors.collector.Collector`. Its `hook` always raises.

    Args:
        why: What `hook` raises.
    """

    def __init__(self, why: CollectorError) -> None:
        self._why = why

    def hook(self, grant: Grant) -> Shaper:  # noqa: ARG002
        """Raises the reason."""
        raise self._why

    def states(self) -> tuple[CollectorState, ...]:
        """Nothing is collected."""
        return ()

    def sources(self) -> list[int]:
        """There is nothing to wait for."""
        return []

    def due_ms(self) -> int | None:
        """Nothing is ever due."""
        return None

    def pump(self) -> None:
        """Raises the reason."""
        raise self._why
