"""What a long proof measured, and how far it is: printed, never asserted (bounds in a test are generous ones of its own)."""

import os
import sys
from collections import defaultdict


def times(default: int) -> int:
    """How often the long form does it: VOLENS_TIMES says another number for a first look."""
    return int(os.environ.get("VOLENS_TIMES", default))


class Figures:
    """Times by name, in milliseconds, and a line of progress now and then. `python -m pytest -s` shows it."""

    def __init__(self, what: str, of: int) -> None:
        self._what, self._of, self._done = what, of, 0
        self._times: dict[str, list[float]] = defaultdict(list)

    def took(self, name: str, seconds: float) -> None:
        self._times[name].append(seconds * 1000)

    def step(self) -> None:
        """One of them is done."""
        self._done += 1
        if self._done == self._of or self._done % max(1, self._of // 20) == 0:
            self.say(f"{self._done} of {self._of}; {self.line()}")

    def most_s(self, name: str) -> float:
        return max(self._times[name], default=0.0) / 1000

    def line(self) -> str:
        """p50, p99 and maximum of each."""
        return "; ".join(f"{name} {_three(sorted(times))} ms of {len(times)}" for name, times in self._times.items())

    def say(self, line: str) -> None:
        """A line of its own."""
        sys.stdout.write(f"{self._what}: {line}\n")
        sys.stdout.flush()


def _three(times: list[float]) -> str:
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    return f"p50 {times[len(times) // 2]:.1f} p99 {p99:.1f} max {times[-1]:.1f}"
