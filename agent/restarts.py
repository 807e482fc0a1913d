"""When a child that failed is started again, and when no more. Pure.

Failures are counted within a window of time: a child that says one good word and crashes is in a crash loop all the same.
"""

from dataclasses import dataclass

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses before the next start, by the number of failures within the window; after one more it is a crash loop."""
WINDOW_MS = 10 * 60_000
"""Six failures in ten minutes are a crash loop. A child that fails less often than every two minutes goes on."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """What a child's failures so far amount to.

    Attributes:
        failures_ms: When it failed, the latest last, awake clock; none older than the window, and only as many as matter.
    """

    failures_ms: tuple[int, ...] = ()

    def failed(self, now_ms: int) -> "Restarts":
        """It has failed once more."""
        recent = (at for at in self.failures_ms if now_ms - at < WINDOW_MS)
        return Restarts((*recent, now_ms)[-len(PAUSES_S) - 1 :])

    def pause_s(self) -> float | None:
        """How long to wait before the next start; None: it is a crash loop, and is not started again."""
        failures = len(self.failures_ms)
        if failures > len(PAUSES_S):
            return None
        return PAUSES_S[failures - 1] if failures else 0.0
